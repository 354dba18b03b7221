"""Walking through a document as read: times and identifiers in normal form, and texts that should not be there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from app.domain.documents.checked import DocumentWarning
from app.domain.documents.reading import pointer_to
from app.domain.identifiers import Identifier
from app.domain.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.documents.reading import Location

_SECRET = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[0-9]|"
    r"(?:\b(?:password|passwort|passwd|passphrase|pwd|mot de passe|contraseña)|パスワード|كلمة (?:السر|المرور))"
    r"\s{0,3}[:=：]\s{0,3}\S",  # noqa: RUF001 - the colon of Japanese texts
    re.IGNORECASE,
)
"""V-9: what looks like a key or a password in the open, in the languages of the form and a few others."""


def normal_forms(document: BaseModel) -> dict[str, Any]:
    """Pointer → normal form, for every time (in UTC) and every identifier of the document."""
    forms: dict[str, Any] = {}
    for location, value in _walk(document, ()):
        if isinstance(value, (Instant, Identifier)):
            forms[pointer_to(*location)] = value.normal_form if isinstance(value, Instant) else value.normal_form()
    return forms


def redactions(document: BaseModel) -> Iterator[tuple[Location, str]]:
    """Places whose text may not be kept, and what is kept instead."""
    for location, value in _walk(document, ()):
        if isinstance(value, Identifier):
            for member, kept in value.redacted().items():
                yield (*location, member), kept


def leaf_warnings(document: BaseModel) -> Iterator[DocumentWarning]:
    """Leap seconds, and texts that look like a secret."""
    for location, value in _walk(document, ()):
        if isinstance(value, Instant) and value.leap:
            yield DocumentWarning(
                pointer_to(*location), "leap_second", "Second 60 is read as 59; check the clock it comes from."
            )
        if isinstance(value, str) and _SECRET.search(value):
            yield DocumentWarning(
                pointer_to(*location), "secret_in_text", "This looks like a key or a password; leave it out."
            )


def _walk(value: object, location: Location) -> Iterator[tuple[Location, object]]:
    yield location, value
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name), (*location, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(inner, (*location, index))
