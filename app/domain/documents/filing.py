"""What every request says, whatever it asks for (form, sections 1 to 11 and 21 to 25)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from app.domain.documents.authorities import (
    MAX_LISTED,
    Attestation,
    Authority,
    ContactPerson,
    Court,
    RelatedRequest,
    RequestedAuthority,
    Translation,
)
from app.domain.documents.matter import (
    MAX_OFFENCES,
    Emergency,
    LegalBasis,
    LocationUncertain,
    Marking,
    Offence,
    RequestStatus,
    Urgency,
)
from app.domain.shape import ContactPointCode, Day, LanguageTag, Line, OwnReference, Strict, Substance50, Text

ExchangeId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]


class Filing(Strict):
    """Who asks whom, how urgently, on which legal basis and in which language."""

    type: str
    requested: Annotated[ContactPointCode, Field(description="code of the contact point addressed")]
    date: Day | None = None
    reference: Annotated[OwnReference, Field(description="the agency's own reference (form, section 2)")]
    request_status: Annotated[RequestStatus, Field(strict=False, description="NEW or EXTENSION (form, section 3)")]
    previous_reference: Line | None = None
    urgency: Annotated[Urgency, Field(description="tier and its reasons (form, section 21)")]
    requested_authority: RequestedAuthority | None = None
    requesting_authority: Authority | None = None
    confirmation_contact: ContactPerson | None = None
    investigating_authority: Annotated[
        Authority, Field(description="the authority that seeks it, art. 29(2)(a) (form, section 7)")
    ]
    prosecution_or_court: Court | None = None
    related_requests: Annotated[list[RelatedRequest], Field(max_length=MAX_LISTED)] = Field(default_factory=list)
    legal_basis: Annotated[LegalBasis, Field(description="legal basis (form, sections 10 and 11)")]
    emergency: Emergency | None = None
    location_uncertain: Annotated[
        LocationUncertain | None,
        Field(description="that nobody knows in which state the data lie; the custodian's seat decides whom to ask"),
    ] = None
    derived_from: Annotated[
        ExchangeId | None,
        Field(description="the exchange in which another state gave what this passes on; it is not told abroad"),
    ] = None
    special_procedures: Text | None = None
    other_information: Text | None = None
    language: Annotated[LanguageTag, Field(description="language of the request (form, section 24)")]
    translations: Annotated[list[Translation], Field(max_length=MAX_LISTED)] = Field(default_factory=list)
    attestation: Attestation | None = None
    marking: Marking | None = None
    contains_sensitive: Annotated[
        bool,
        Field(description="whether it tells sensitive data; it is then no more open than TLP:AMBER+STRICT, art. 14(4)"),
    ] = False
    is_test: bool = False


class CaseFiling(Filing):
    """A request out of a specific criminal investigation: it names offence and facts (arts. 29(2)(b), 35(1))."""

    offences: Annotated[
        list[Offence],
        Field(min_length=1, max_length=MAX_OFFENCES, description="the offence under investigation, art. 29(2)(b)"),
    ]
    facts_summary: Annotated[Substance50, Field(description="brief summary of the facts, art. 29(2)(b)")]


class OpenFiling(Filing):
    """A request that needs no case of its own yet: offence and facts may be stated, so that the answer fits them."""

    offences: Annotated[list[Offence], Field(max_length=MAX_OFFENCES)] = Field(default_factory=list)
    facts_summary: Substance50 | None = None
