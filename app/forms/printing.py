"""The form in one or two languages, as plain values: what both templates are given, and all that they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.forms.catalogues import LANGUAGES, Catalogue, catalogue
from app.forms.completing import languages_read, primary
from app.forms.values import Free, Moment
from app.forms.wording import as_code, is_neutral, own_words, pieces, said

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.domain.contact_points import ContactPointProfile
    from app.forms.cases import Form, Mark
    from app.forms.values import Field, Part, Section, Value

MOST_LANGUAGES = 2

Json = dict[str, Any]


def choose_languages(own: ContactPointProfile | None, other: ContactPointProfile | None) -> tuple[str, ...]:
    """Our own first language, then the first of the other side's, of those that it reads and the form has words for."""
    chosen = [_first(point) for point in (own, other) if point is not None]
    return tuple(dict.fromkeys(chosen)) or LANGUAGES[:1]


def _first(point: ContactPointProfile) -> str:
    return next((tag for tag in languages_read(point) if tag in LANGUAGES), LANGUAGES[0])


def to_page(form: Form, languages: Sequence[str]) -> Json:
    """Everything that is printed, in these languages side by side; the first one is that of the page."""
    speaking = [catalogue(language) for language in languages]
    return {
        "languages": [{"code": one.language, "dir": one.dir} for one in speaking],
        "title": _labels(speaking, form.title),
        "exercise": _labels(speaking, "words.exercise") if form.is_test else [],
        "exercise_short": _labels(speaking, "words.exercise_short") if form.is_test else [],
        "notices": [_labels(speaking, f"words.{key}") for key in form.notices],
        "letterhead": [_letterhead(text, language) for text, language in form.letterhead],
        "marks": [_mark(speaking, mark) for mark in form.marks],
        "marking": _labels(speaking, "words.marking"),
        "marking_text": _marking_text(speaking, form),
        "sections": [_section(speaking, form, one) for one in form.sections],
        "course": {
            "titles": _labels(speaking, "words.course"),
            "sections": [_section(speaking, form, one) for one in form.course],
        },
        "foot": {
            "reference": form.reference,
            "reference_label": _labels(speaking, "words.reference"),
            "digest": form.digest,
            "digest_label": _labels(speaking, "words.digest"),
            "page_label": _labels(speaking, "words.page"),
            "printed_label": _labels(speaking, "words.printed"),
            "printed": [one.as_json() for one in pieces(Moment(form.printed_at), form, speaking[0])],
            "printed_by": form.printed_by,
        },
    }


def _labels(speaking: Sequence[Catalogue], key: str) -> list[Json]:
    return [_words(words, words.label(key)) for words in speaking]


def _words(words: Catalogue, text: str) -> Json:
    return dict(said(words, text).as_json())


def _letterhead(text: str, language: str | None) -> Json:
    return dict((own_words(text, "own", language) if language else as_code(text)).as_json())


def _mark(speaking: Sequence[Catalogue], mark: Mark) -> Json:
    labels = [(words, words.code(mark.list, mark.code)) for words in speaking]
    return {
        "code": as_code(mark.code).text,
        "labels": [_words(words, label) for words, label in labels if label is not None],
    }


def _marking_text(speaking: Sequence[Catalogue], form: Form) -> Json | None:
    if form.marking_text is None:
        return None
    text = own_words(form.marking_text, "free", None)
    return {"labels": _labels(speaking, "words.marking_text"), "text": dict(text.as_json())}


def _section(speaking: Sequence[Catalogue], form: Form, section: Section) -> Json:
    return {
        "number": section.number,
        "titles": _labels(speaking, f"sections.{section.key}"),
        "empty": _labels(speaking, "words.not_stated") if section.is_empty else [],
        "fields": [_row(speaking, form, one) for one in section.fields],
        "parts": [_part(speaking, form, one) for one in section.parts],
    }


def _part(speaking: Sequence[Catalogue], form: Form, part: Part) -> Json:
    return {
        "number": part.number,
        "titles": _labels(speaking, f"parts.{part.key}"),
        "fields": [_row(speaking, form, one) for one in part.fields],
    }


def _row(speaking: Sequence[Catalogue], form: Form, field: Field) -> Json:
    """One field: `columns` has its value once per language; `own` once for all, where all languages write it alike."""
    labels = _labels(speaking, f"fields.{field.key}") if field.key else []
    alike = all(is_neutral(value) for value in field.values)
    return {
        "number": field.number,
        "labels": labels,
        "columns": [] if alike else [_said(words, form, field.values) for words in speaking],
        "own": _said(speaking[0], form, field.values) if alike else [],
        "remarks": _remarks(speaking, form, field.values),
    }


def _said(words: Catalogue, form: Form, values: Iterable[Value]) -> list[list[Json]]:
    """Each value as its pieces."""
    return [[dict(piece.as_json()) for piece in pieces(value, form, words)] for value in values]


def _remarks(speaking: Sequence[Catalogue], form: Form, values: Iterable[Value]) -> list[Json]:
    """That a free text has to be translated for its reader, or that a translation is attached."""
    told = {_remark(form, value) for value in values if isinstance(value, Free)} - {None}
    return [one for key in sorted(filter(None, told)) for one in _labels(speaking, f"words.{key}")]


def _remark(form: Form, text: Free) -> str | None:
    if text.language is None or form.read_there is None or primary(text.language) in form.read_there:
        return None
    return "translation_attached" if form.translated & form.read_there else "to_be_translated"
