"""The whole form of a case: the document's sections, completed by what the contact point knows besides."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import rfc8785

from app.domain.documents import NORMALISED
from app.forms.cases import Case, Clock, Form, Mark, Side
from app.forms.completing import complete, languages_read, list_enclosures, primary
from app.forms.course import course_of
from app.forms.laying import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def compose(case: Case) -> Form:
    """The form of a request or of an exchange; the digest is that of the document printed, in canonical form."""
    document = {name: value for name, value in case.document.items() if name != NORMALISED}
    sections = [complete(case, section) for section in lay_out(case.type, document)]
    if case.enclosures:
        at = len(sections) - (sections[-1].key == "unplaced")
        sections.insert(at, list_enclosures(case.enclosures))
    marking = case.marking or document.get("marking")
    return Form(
        title=f"titles.{case.type}",
        reference=case.reference,
        digest=digest_of(document),
        letterhead=letterhead_of(case.requesting),
        sections=tuple(sections),
        clocks=clocks_of(case.requesting, case.requested),
        names=names_of(case.requesting, case.requested),
        printed_at=case.now,
        printed_by=case.printed_by,
        course=() if case.exchange is None else course_of(case.exchange, case.files),
        marks=tuple(marks_of(marking)),
        marking_text=marking_text_of(marking),
        notices=tuple(_notices(case, document)),
        is_test=document.get("is_test") is True,
        read_there=None if case.requested.point is None else frozenset(languages_read(case.requested.point)),
        translated=frozenset(_translated(document)),
    )


def digest_of(document: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, over the document in canonical form (RFC 8785): the same at both contact points."""
    return hashlib.sha256(rfc8785.dumps(dict(document))).hexdigest()


def letterhead_of(side: Side) -> tuple[tuple[str, str | None], ...]:
    """Who writes: the name in its own language and in English, the address, how to reach it; each with its language."""
    point = side.point
    if point is None:
        return ((side.code, None),)
    name, address = point.agency_name, point.postal_address
    place = ", ".join([*address.lines, " ".join(filter(None, [address.postal_code, address.city]))])
    phone = min(point.phones, key=lambda one: one.priority).number
    names = {name.native: name.language, name.english: "en"}
    return (*names.items(), (place, name.language), (f"{phone} · {point.emails[0].address}", None))


def clocks_of(*sides: Side) -> tuple[Clock, ...]:
    """The clocks of these contact points; what the directory does not know has none."""
    return tuple(Clock(side.code, side.point.time_zone) for side in sides if side.point is not None)


def names_of(*sides: Side) -> dict[str, dict[str, str]]:
    """How the directory names these states, by language."""
    return {
        side.point.country: {"en": side.point.country_name.english}
        | {primary(side.point.country_name.language): side.point.country_name.native}
        for side in sides
        if side.point is not None
    }


def marks_of(marking: object) -> Iterator[Mark]:
    """The marking's codes as they stand at head and foot; whatever of it is not a code is left out."""
    if isinstance(marking, dict):
        for name in ("tlp", "pap", "handling"):
            given = marking.get(name)
            for code in given if isinstance(given, list) else [given]:
                if isinstance(code, str):
                    yield Mark(name, code)


def marking_text_of(marking: object) -> str | None:
    """What goes with handling code H3."""
    found = (marking.get("text") or marking.get("handling_text")) if isinstance(marking, dict) else None
    return found if isinstance(found, str) else None


def _translated(document: Mapping[str, Any]) -> Iterator[str]:
    given = document.get("translations")
    for one in given if isinstance(given, list) else ():
        language = one.get("language") if isinstance(one, dict) else None
        if isinstance(language, str):
            yield primary(language)


def _notices(case: Case, document: Mapping[str, Any]) -> Iterator[str]:
    if not document:
        yield "no_document"
    elif case.signed_at is None:
        yield "not_signed"
