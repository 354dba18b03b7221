"""A value in the words of a language, as pieces: each a text with its language and its direction.

Identifiers, references and times are pieces of their own, always left to right, so that nothing around them can turn
them around.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.units import format_unit

from app.forms.characters import direction_of, visible
from app.forms.values import (
    Amount,
    Code,
    Country,
    Day,
    Flag,
    Free,
    Moment,
    Name,
    Plain,
    Sentence,
    Tongue,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.forms.cases import Form
    from app.forms.catalogues import Catalogue

UNITS = MappingProxyType(
    {"day": "duration-day", "year": "duration-year", "second": "duration-second", "byte": "digital-byte"}
)
"""Our units under the names of CLDR."""

RTL_LANGUAGES = frozenset({"ar", "fa", "he", "ur"})

_USER_ASSIGNED = frozenset(
    {"AA", "ZZ"}
    | {f"Q{letter}" for letter in "MNOPQRSTUVWXYZ"}
    | {f"X{letter}" for letter in "ABCDEFGHIJLMNOPQRSTUVWXYZ"}
)
"""Codes of ISO 3166-1 that no standard names; XK is in general use."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text: `words` of ours, a `code`, an `own` name or a `free` text of somebody else."""

    text: str
    kind: str
    dir: str = "ltr"
    lang: str | None = None

    def as_json(self) -> Mapping[str, str | None]:
        """For a template."""
        return {"text": self.text, "kind": self.kind, "dir": self.dir, "lang": self.lang}


def is_neutral(value: Value) -> bool:
    """Whether the value reads alike in every language."""
    return isinstance(value, Free | Name | Plain | Moment)


def pieces(value: Value, form: Form, words: Catalogue) -> tuple[Piece, ...]:
    """The value in the language of `words`; a neutral value is the same in all."""
    match value:
        case Free(text, language):
            return (own_words(text, "free", language),)
        case Name(text, language):
            return (own_words(text, "own", language),)
        case Plain(text):
            return (as_code(text),)
        case Moment():
            return _moment(value, form)
        case _:
            return _worded(value, form, words)


def _worded(
    value: Code | Flag | Sentence | Day | Amount | Country | Tongue, form: Form, words: Catalogue
) -> tuple[Piece, ...]:
    match value:
        case Code(of, code):
            label = words.code(of, code)
            return (as_code(code),) if label is None else (said(words, label), as_code(code))
        case Flag() | Sentence():
            key = value.key if isinstance(value, Sentence) else "yes" if value.is_so else "no"
            return (said(words, words.label(f"words.{key}")),)
        case Day(day):
            return (said(words, format_date(day, "long", locale=words.locale)), as_code(day.isoformat()))
        case Amount(figure, unit):
            return _amount(figure, unit, words)
        case Country(code):
            return _country(code, form, words)
        case Tongue(tag):
            return _tongue(tag, words)


def _amount(figure: float, unit: str, words: Catalogue) -> tuple[Piece, ...]:
    if not math.isfinite(figure):
        return (as_code(str(figure)),)
    # CLDR's long form is not there for every unit in every language; then the short one is.
    named = [format_unit(figure, UNITS[unit], length=length, locale=words.locale) for length in ("long", "short")]
    return (said(words, next((text for text in named if UNITS[unit] not in text), str(figure))),)


def _country(code: str, form: Form, words: Catalogue) -> tuple[Piece, ...]:
    """By CLDR; a code that no standard names as the directory has it, in the language if it can, else in English."""
    named = form.names.get(code)
    if named is not None and code in _USER_ASSIGNED:
        language = words.language if words.language in named else "en"
        return (own_words(named[language], "words", language), as_code(code))
    known = None if code in _USER_ASSIGNED else words.locale.territories.get(code)
    return (as_code(code),) if known is None else (said(words, known), as_code(code))


def _tongue(tag: str, words: Catalogue) -> tuple[Piece, ...]:
    names = words.locale.languages
    name = names.get(tag.replace("-", "_")) or names.get(tag.partition("-")[0])
    return (as_code(tag),) if name is None else (said(words, name), as_code(tag))


def _moment(value: Moment, form: Form) -> tuple[Piece, ...]:
    """UTC, then each contact point's clock; then as it was written, where that is none of these."""
    readings = {clock.code: _wall(value.utc, clock.zone) for clock in form.clocks}
    told = [f"{_plain(value.utc)} UTC", *(f"{code} {wall}" for code, wall in readings.items())]
    if value.written is not None and not _is_among(value, list(readings.values())):
        told.append(f"({visible(value.written)})")
    return tuple(as_code(text) for text in told)


def said(words: Catalogue, text: str) -> Piece:
    """A text of ours in that language."""
    return Piece(text, "words", words.dir, words.language)


def as_code(text: str) -> Piece:
    """Characters that mean themselves."""
    return Piece(visible(text), "code")


def own_words(text: str, kind: str, language: str | None) -> Piece:
    """A text of somebody else in its own language, running the way its first letter runs."""
    otherwise = "rtl" if (language or "").partition("-")[0] in RTL_LANGUAGES else "ltr"
    shown = visible(text)
    return Piece(shown, kind, direction_of(shown, otherwise=otherwise), language)


def _plain(moment: datetime) -> str:
    """Date and time without offset; fractions only where there are any."""
    return moment.replace(tzinfo=None).isoformat(sep=" ")


def _wall(moment: datetime, zone: str) -> str:
    """The same on a wall clock, with its offset; in UTC at the ends of the calendar, where no zone reaches."""
    try:
        local = moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        local = moment
    offset = local.strftime("%z")
    return f"{_plain(local)} {offset[:3]}:{offset[3:5]}"


def _is_among(value: Moment, readings: list[str]) -> bool:
    """Whether the text it was given as says no more than one of the readings or UTC does."""
    written = (value.written or "").replace("T", " ").replace("t", " ")
    spaced = f"{written[:-6]} {written[-6:]}"
    return written == f"{_plain(value.utc)}Z" or spaced in readings
