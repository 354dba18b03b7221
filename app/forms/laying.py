"""From a request's document to the sections of its form. Reads whatever a document holds and loses none of it.

What arrives from another node was checked for structure only: a member of a wrong type is printed as it stands, one
that the form does not know is printed at the end, under the place where it was found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from app.domain.instants import NoInstant, read_day, read_instant
from app.forms.layouts import layout_of
from app.forms.shapes import SHAPES, Kind, Member
from app.forms.values import (
    Amount,
    Code,
    Country,
    Day,
    Field,
    Flag,
    Free,
    Moment,
    Name,
    Part,
    Plain,
    Section,
    Tongue,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from app.domain.codes import RequestType
    from app.forms.layouts import Line

Path = tuple[str | int, ...]

UNPLACED = "99"
"""Number of the section of members that no other section prints."""

HEADING = frozenset({"type", "requested", "marking", "is_test", "normalised"})
"""Members that the form prints at its head and foot, or that are our own reading of the others."""

_UNITS = {Kind.DAYS: "day", Kind.YEARS: "year", Kind.SECONDS: "second"}

_RELATED: Mapping[str, Callable[[object], bool]] = {
    "related_assistance": lambda kind: kind != "PRESERVATION",
    "related_preservation": lambda kind: kind == "PRESERVATION",
}
"""Sections that print some of the related requests only (T-CY(2018)10, 9 and 10)."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """A value and its place in the document."""

    path: Path
    value: object

    def inside(self, name: str | int, value: object) -> _Spot:
        """One step further in."""
        return _Spot((*self.path, name), value)


@dataclass(slots=True)
class _Document:
    """A document being read: which of its places have been printed."""

    raw: Mapping[str, Any]
    language: str | None
    placed: set[Path] = field(default_factory=set)

    def find(self, dotted: str) -> _Spot:
        """The member at `a` or `a.b`; its value is None where there is none."""
        path: Path = tuple(dotted.split("."))
        value: object = self.raw
        for name in path:
            value = value.get(str(name)) if isinstance(value, dict) else None
        return _Spot(path, value)


def lay_out(type: RequestType, document: Mapping[str, Any]) -> tuple[Section, ...]:
    """Every section that the type has, and one more for members that have no section, if there are any."""
    language = document.get("language")
    reading = _Document(document, language if isinstance(language, str) else None)
    shown = []
    for line in layout_of(type):
        section = _section(reading, line)
        if not (line.optional and section.is_empty):
            shown.append(section)
    left = tuple(_unplaced(reading))
    if left:
        shown.append(Section(UNPLACED, "unplaced", left))
    return tuple(shown)


def fields_of(shape: str, entry: object, *, language: str | None) -> tuple[Field, ...]:
    """One part of a document by itself, such as a target; members that the shape has not are left out."""
    return tuple(_fields(_Document({}, language), shape, _Spot((), entry)))


def _section(reading: _Document, line: Line) -> Section:
    fields: list[Field] = []
    parts: list[Part] = []
    alone = len(line.members) == 1
    place = 0
    for member in line.members:
        spot = reading.find(member.name)
        if member.kind is not Kind.SHAPE:
            place += 1
            fields += _scalar(reading, member, spot, "" if alone else f"{line.number}.{place}")
        elif isinstance(spot.value, list):
            place += not alone
            parts += _parts(reading, line, member, spot, line.number if alone else f"{line.number}.{place}")
        else:
            fields += _numbered(_fields(reading, member.of, spot), member.of, line.number, place)
            place += _length(member.of)
    return Section(line.number, line.key, tuple(fields), tuple(parts))


def _scalar(reading: _Document, member: Member, spot: _Spot, number: str) -> list[Field]:
    if spot.value is None or spot.value == []:
        return []
    key = f"request.{member.name.rpartition('.')[2]}" if number else ""
    return [Field(key, _values(reading, member, spot), number)]


def _parts(reading: _Document, line: Line, member: Member, spot: _Spot, stem: str) -> Iterator[Part]:
    wanted = _RELATED.get(line.key)
    for index, entry in enumerate(spot.value if isinstance(spot.value, list) else ()):
        if wanted is not None and not wanted(entry.get("kind") if isinstance(entry, dict) else None):
            continue
        fields = tuple(_fields(reading, member.of, spot.inside(index, entry)))
        if fields:
            yield Part(member.of, f"{stem}.{index + 1}", fields)


def _fields(reading: _Document, shape: str, spot: _Spot) -> Iterator[Field]:
    """The members of a shape that are there; of shapes inside it, each member as a field of its own."""
    if not isinstance(spot.value, dict):
        return
    for member in SHAPES[shape]:
        inner = spot.inside(member.name, spot.value.get(member.name))
        if inner.value is None or inner.value == []:
            continue
        if member.kind is not Kind.SHAPE:
            yield Field(f"{shape}.{member.name}", _values(reading, member, inner))
        elif isinstance(inner.value, list):
            for index, entry in enumerate(inner.value):
                found = tuple(_fields(reading, member.of, inner.inside(index, entry)))
                if found:
                    yield Field(member.of, (Plain(str(index + 1)),))
                    yield from found
        else:
            yield from _fields(reading, member.of, inner)


def _numbered(fields: Iterator[Field], shape: str, section: str, before: int) -> Iterator[Field]:
    """Fields under the numbers of their members, whichever of the others are there."""
    places: dict[str, int] = {}
    place = before
    for member in SHAPES[shape]:
        place += not member.joined
        places[f"{shape}.{member.name}"] = place
    for one in fields:
        at = places.get(one.key)
        yield one if at is None else replace(one, number=f"{section}.{at}")


def _length(shape: str) -> int:
    return sum(not member.joined for member in SHAPES[shape])


def _values(reading: _Document, member: Member, spot: _Spot) -> tuple[Value, ...]:
    given = spot.value if isinstance(spot.value, list) else [spot.value]
    reading.placed.add(spot.path)
    return tuple(_value(member, one, reading.language) for one in given)


def _value(member: Member, raw: object, language: str | None) -> Value:
    """As its kind, if it is of that kind; else as it stands."""
    if isinstance(raw, str):
        return _from_text(member, raw, language)
    if isinstance(raw, bool):
        return Flag(raw) if member.kind is Kind.FLAG else Plain(_as_json(raw))
    if isinstance(raw, int | float) and member.kind in _UNITS:
        return Amount(raw, _UNITS[member.kind])
    return Plain(str(raw) if isinstance(raw, int | float) else _as_json(raw))


def _from_text(member: Member, text: str, language: str | None) -> Value:
    if member.kind is Kind.CODE:
        return Code(member.of, text)
    if member.kind is Kind.NAME:
        return Name(text, language)
    if member.kind is Kind.TEXT:
        return Free(text, language)
    read = _READERS.get(member.kind, Plain)
    try:
        return read(text)
    except NoInstant:
        return Plain(text)


def _moment(text: str) -> Value:
    instant = read_instant(text)
    return Moment(instant.utc, text)


_READERS: Mapping[Kind, Callable[[str], Value]] = {
    Kind.MOMENT: _moment,
    Kind.DAY: lambda text: Day(read_day(text)),
    Kind.COUNTRY: Country,
    Kind.TONGUE: Tongue,
}


def _unplaced(reading: _Document) -> Iterator[Field]:
    """What stands anywhere in the document and was not printed, each under its JSON Pointer."""
    for path, value in _leaves((), dict(reading.raw), reading.placed):
        if path[0] not in HEADING:
            pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
            text = value if isinstance(value, str) else _as_json(value)
            yield Field("unplaced.pointer", (Plain(pointer),))
            yield Field("unplaced.value", (Free(text, reading.language),))


def _leaves(path: Path, value: object, placed: set[Path]) -> Iterator[tuple[Path, object]]:
    if path in placed or value is None or value in ([], {}):
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves((*path, name), inner, placed)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves((*path, index), inner, placed)
    else:
        yield path, value


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
