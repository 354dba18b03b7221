"""The check of a document: its type, its shape, its rules, and then what is kept of it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from app.domain.documents.checked import CheckedDocument, DocumentWarning
from app.domain.documents.findings import Parts, Situation, parts_of
from app.domain.documents.kinds import KINDS
from app.domain.documents.leaves import leaf_warnings, normal_forms, redactions
from app.domain.documents.reading import hostile, read
from app.domain.documents.rules import RULES
from app.domain.documents.target_rules import TARGET_RULES
from app.domain.documents.type_rules import TYPE_RULES
from app.domain.instruments import state_of
from app.domain.request_types import REQUEST_KINDS, fileable_types
from app.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from pydantic import BaseModel

    from app.domain.documents.findings import Finding
    from app.domain.instruments import Law

NORMALISED = "normalised"
"""The one member added to a document: JSON Pointer → normal form of the time or identifier found there."""


def check_document(
    raw: Mapping[str, Any], *, requesting: str, known: Collection[str], now: datetime, law: Law
) -> CheckedDocument:
    """Check a document that an agency files at contact point `requesting`; never raises on what `raw` holds.

    `known` are the codes of the directory, `law` who is bound by what: the contact point's own. All faults are
    collected, and no answer repeats a submitted value. The document kept is the one filed, its texts unchanged, plus
    `normalised`; a password inside the address of a page is the only thing taken out. A `normalised` that is handed in
    is dropped and made anew, so that a document read here can be mended and filed again.
    """
    raw = {name: value for name, value in raw.items() if name != NORMALISED}
    broken = tuple(hostile(raw))
    if broken:
        return _nothing_read(broken)
    named = _type_of(raw)
    if isinstance(named, FieldError):
        return _nothing_read((named,))
    kind = KINDS[named]
    reading = read(kind.model, kind.lenient, raw=raw)
    parts = parts_of(reading, raw)
    situation = Situation(named, requesting, now, law)
    findings = [*_addressee(parts, requesting, known), *_by_rule(parts, situation)]
    errors = (*reading.errors, *(finding for finding in findings if isinstance(finding, FieldError)))
    warnings = [finding for finding in findings if isinstance(finding, DocumentWarning)]
    if not reading.errors:
        warnings.extend(leaf_warnings(reading.document))
    return CheckedDocument(
        type=named,
        requested=parts.requested,
        tier=None if parts.urgency is None else parts.urgency.tier,
        own_reference=getattr(reading.document, "reference", None),
        is_test=parts.is_test,
        document={} if errors else _kept(raw, reading.document),
        errors=errors,
        warnings=tuple(warnings),
    )


def _type_of(raw: Mapping[str, Any]) -> RequestType | FieldError:
    given = raw.get("type")
    listed = ", ".join(fileable_types())
    if given is None:
        return FieldError("/type", "C-MISSING", f"Required: the type of request, one of {listed}.")
    if not isinstance(given, str):
        return FieldError("/type", "wrong_type", "A text is expected.")
    if given not in set(RequestType):
        return FieldError("/type", "not_in_list", f"There is no such type of request; there are {listed}.")
    kind = REQUEST_KINDS[RequestType(given)]
    if not kind.fileable:
        return FieldError(
            "/type", "not_a_request", f"This is no request but a {kind.opening.value}; it cannot be filed."
        )
    return kind.type


def _nothing_read(errors: tuple[FieldError, ...]) -> CheckedDocument:
    return CheckedDocument(
        type=None, requested=None, tier=None, own_reference=None, is_test=False, document={}, errors=errors
    )


def _addressee(parts: Parts, requesting: str, known: Collection[str]) -> Iterator[Finding]:
    """A state does not ask itself (ACL-2), and nobody but a contact point of the directory can be asked."""
    if parts.requested is None:
        return
    if state_of(parts.requested) == state_of(requesting):
        yield FieldError("/requested", "domestic_matter", "This is your own state; the matter is a domestic one.")
    elif parts.requested not in known:
        yield FieldError("/requested", "unknown_contact_point", "The directory knows no contact point of this code.")


def _by_rule(parts: Parts, situation: Situation) -> Iterator[Finding]:
    for rule in (*RULES, *TARGET_RULES, *TYPE_RULES):
        yield from rule(parts, situation)


def _kept(raw: Mapping[str, Any], document: BaseModel) -> dict[str, Any]:
    kept: dict[str, Any] = deepcopy(dict(raw))
    for location, text in redactions(document):
        holder: Any = kept
        for part in location[:-1]:
            holder = holder[part]
        holder[location[-1]] = text
    kept[NORMALISED] = normal_forms(document)
    return kept
