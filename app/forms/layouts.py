"""Which sections a form has, in which order and under which number (domain.md 3.2 to 3.4).

A number belongs to its subject for good: it is the same in every language, and no other section takes the number of one
that a type of request does not have. What a type has and a request leaves empty is printed as not stated.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.domain.codes import RequestType
from app.forms.shapes import Kind, Member

if TYPE_CHECKING:
    from collections.abc import Mapping

T = RequestType


@dataclass(frozen=True, slots=True)
class Line:
    """A section: its number, its key, the members of the document it prints, and the types that have it at all.

    A section whose one member is a list prints a part for each entry. `optional` is left out when it says nothing.
    """

    number: str
    key: str
    members: tuple[Member, ...] = ()
    types: frozenset[RequestType] | None = None
    optional: bool = False


def _m(name: str, kind: Kind = Kind.SHAPE, of: str = "") -> Member:
    return Member(name, kind, of)


_CASES = frozenset(T) - {T.LEGAL_INFORMATION, T.PROVIDER_CONTACT, T.SPONTANEOUS_INFORMATION}
_HOLDS = frozenset({T.PRESERVATION, T.PRESERVATION_EXTENSION})
_TARGETED = frozenset(
    {T.PRESERVATION, T.EVIDENCE_COLLECTION, T.DATA_LOCATION_QUERY, T.TECHNICAL_ADVICE, T.LOCATE_SUSPECT}
)

_DATE = _m("date", Kind.DAY)
_REFERENCE = _m("reference", Kind.PLAIN)
_STATUS = (_m("request_status", Kind.CODE, "request_status"), _m("previous_reference", Kind.PLAIN))
_URGENCY = (_m("urgency", of="urgency"), _m("emergency", of="emergency"))
_LANGUAGE = (_m("language", Kind.TONGUE), _m("translations", of="translation"))
_SIGNATURE = (_m("attestation", of="attestation"),)
_SPECIAL = _m("special_procedures", Kind.TEXT)
_OTHER = _m("other_information", Kind.TEXT)
_INTENT = _m("mla_intent", of="mla_intent")
_CONFIDENTIAL = _m("confidentiality", of="confidentiality")
_LETTER = _m("letter", of="letter")
_UNCERTAIN = Line("32", "location_uncertain", (_m("location_uncertain", of="location_uncertain"),), optional=True)
_SENSITIVE = Line("34", "sensitive_data", (_m("contains_sensitive", Kind.FLAG),), optional=True)

COMMON = (
    Line("1", "date", (_DATE,)),
    Line("2", "reference", (_REFERENCE,)),
    Line("3", "request_status", _STATUS),
    Line("4", "requested_authority", (_m("requested_authority", of="authority"),)),
    Line("5", "requesting_authority", (_m("requesting_authority", of="authority"),)),
    Line("6", "confirmation_contact", (_m("confirmation_contact", of="contact_person"),)),
    Line("7", "investigating_authority", (_m("investigating_authority", of="authority"),)),
    Line("8", "prosecution_or_court", (_m("prosecution_or_court", of="court"),)),
    Line("9", "related_requests", (_m("related_requests", of="related_request"),)),
    Line("10", "domestic_legal_basis", (_m("legal_basis.domestic", Kind.NAME),)),
    Line("11", "international_legal_basis", (_m("legal_basis.international", of="ground"),)),
    Line("12", "offences", (_m("offences", of="offence"),)),
    Line("13", "facts_summary", (_m("facts_summary", Kind.TEXT),), _CASES),
    Line("14", "targets", (_m("targets", of="target"),), _TARGETED),
    Line("15", "custodians", (_m("targets", of="holder"),), _TARGETED),
    Line("16", "relationships", (_m("targets", of="relation"),), _TARGETED),
    Line("17", "necessity", (_m("necessity", of="necessity"),), _HOLDS),
    Line("18", "traffic_path", (_m("traffic_path_disclosure_requested", Kind.FLAG),), frozenset({T.PRESERVATION})),
    Line("19", "mla_intent", (_INTENT,), _HOLDS | {T.EVIDENCE_COLLECTION}),
    Line("20", "requested_period", (_m("requested_period_days", Kind.DAYS),), _HOLDS),
    Line("21", "urgency", _URGENCY),
    Line("22", "confidentiality", (_CONFIDENTIAL,)),
    Line("23", "special_procedures", (_SPECIAL,)),
    Line("24", "language", _LANGUAGE),
    Line("25", "signature", _SIGNATURE),
    Line(
        "26",
        "question",
        (
            _m("question", Kind.TEXT),
            _m("topics", Kind.CODE, "legal_topic"),
            _m("details", Kind.CODE, "provider_detail"),
            _m("sought", Kind.CODE, "location_detail"),
        ),
        optional=True,
    ),
    Line("27", "providers_sought", (_m("providers_sought", of="provider_sought"),), frozenset({T.PROVIDER_CONTACT})),
    Line(
        "28",
        "evidence",
        (_m("measure", Kind.CODE, "evidence_measure"), _m("evidence_sought", Kind.TEXT)),
        frozenset({T.EVIDENCE_COLLECTION}),
    ),
    Line("29", "suspect", (_m("suspect", of="suspect"),), frozenset({T.LOCATE_SUSPECT})),
    Line(
        "30",
        "letter",
        (
            _LETTER,
            _m("assistance_sought", Kind.TEXT),
            _m("central_authority_contact", of="reachable"),
            _m("advance_copy", of="advance_copy"),
        ),
        optional=True,
    ),
    Line(
        "31",
        "information",
        (
            _m("teaser", Kind.TEXT),
            _m("condition", of="offered_condition"),
            _m("information", of="information"),
        ),
        frozenset({T.SPONTANEOUS_INFORMATION}),
    ),
    _UNCERTAIN,
    Line("33", "other_information", (_OTHER,), optional=True),
    _SENSITIVE,
)
"""T-CY(2018)11 with its 25 sections; what other types ask for comes after them, so that no number ever changes."""

ASSISTANCE = (
    *COMMON[:8],
    Line("9", "related_assistance", (_m("related_requests", of="related_request"),)),
    Line("10", "related_preservation", (_m("related_requests", of="related_request"),)),
    Line("11", "domestic_legal_basis", (_m("legal_basis.domestic", Kind.NAME),)),
    Line("12", "offences", (_m("offences", of="offence"),)),
    Line("13", "facts_summary", (_m("facts_summary", Kind.TEXT),)),
    Line("14", "subscriber_information", (_m("assistance_sought", Kind.TEXT), _m("targets", of="target"))),
    Line(
        "15",
        "relevance_and_urgency",
        (_m("targets", of="relation"), *_URGENCY, _m("haste", Kind.CODE, "reason_for_haste")),
    ),
    Line("16", "confidentiality_and_language", (_CONFIDENTIAL, _SPECIAL, *_LANGUAGE)),
    Line("17", "signature", _SIGNATURE),
    Line("18", "international_legal_basis", (_m("legal_basis.international", of="ground"),)),
    Line("19", "letter", (_m("central_authority", of="authority"), _INTENT, _LETTER)),
    Line("20", "custodians", (_m("targets", of="holder"),), optional=True),
    _UNCERTAIN,
    Line("33", "other_information", (_OTHER,), optional=True),
    _SENSITIVE,
)
"""T-CY(2018)10 with its 17 sections, then what this network needs besides."""

DISCLOSURE = (
    Line("1", "date", (_DATE,)),
    Line("2", "reference", (_REFERENCE,)),
    Line("3", "request_status", _STATUS),
    Line("4", "requested_authority", (_m("requested_authority", of="authority"),)),
    Line("5", "requesting_authority", (_m("requesting_authority", of="authority"),)),
    Line("(a)", "competent_authority", (_m("investigating_authority", of="authority"), _m("issued_at", Kind.MOMENT))),
    Line("(b)", "protocol_statement", (_m("protocol_statement", Kind.FLAG),)),
    Line("(c)", "providers", (_m("providers", of="provider"),)),
    Line("(d)", "offences", (_m("offences", of="offence"),)),
    Line("(e)", "emergency", (_m("facts_summary", Kind.TEXT), _m("emergency", of="emergency"))),
    Line("(f)", "data_sought", (_m("targets", of="target"),)),
    Line("(g)", "special_procedures", (_SPECIAL,)),
    Line("(h)", "other_information", (_OTHER,)),
    Line("6", "confirmation_contact", (_m("confirmation_contact", of="contact_person"),), optional=True),
    Line("7", "prosecution_or_court", (_m("prosecution_or_court", of="court"),), optional=True),
    Line("8", "related_requests", (_m("related_requests", of="related_request"),), optional=True),
    Line("9", "domestic_legal_basis", (_m("legal_basis.domestic", Kind.NAME),)),
    Line("10", "international_legal_basis", (_m("legal_basis.international", of="ground"),)),
    Line("11", "custodians", (_m("targets", of="holder"),), optional=True),
    Line("12", "relationships", (_m("targets", of="relation"),)),
    Line("13", "urgency", (_m("urgency", of="urgency"),)),
    Line("14", "confidentiality", (_CONFIDENTIAL,)),
    Line("15", "oral_request", (_m("oral_request", of="oral_request"),)),
    Line("16", "post_formalities", (_m("post_formalities", of="post_formalities"),), optional=True),
    Line("17", "language", _LANGUAGE),
    Line("18", "signature", _SIGNATURE),
    _UNCERTAIN,
    _SENSITIVE,
)
"""CETS 224 art. 9(3), letter by letter, between what every request says."""

LAYOUTS: Mapping[RequestType, tuple[Line, ...]] = MappingProxyType(
    {T.EMERGENCY_DISCLOSURE: DISCLOSURE, T.MLA_INITIATION: ASSISTANCE}
)
"""Types with a layout of their own; the others have the common one."""


def layout_of(type: RequestType) -> tuple[Line, ...]:
    """The sections that a request of this type has."""
    lines = LAYOUTS.get(type, COMMON)
    return tuple(line for line in lines if line.types is None or type in line.types)
