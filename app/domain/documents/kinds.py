"""The documents an agency can file, one model per type. They are the shape; what the law adds is in `rules`."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from app.domain.codes import RequestType
from app.domain.documents.authorities import (
    MAX_LISTED,
    Attestation,
    Authority,
    ContactPerson,
    Court,
    OralRequest,
    Provider,
    RelatedRequest,
    RequestedAuthority,
    Translation,
)
from app.domain.documents.matter import (
    MAX_OFFENCES,
    Confidentiality,
    Emergency,
    LegalBasis,
    Marking,
    MlaIntent,
    Necessity,
    Offence,
    RequestStatus,
    Urgency,
)
from app.domain.documents.targets import MAX_TARGETS, Target
from app.domain.shape import (
    ContactPointCode,
    Day,
    LanguageTag,
    Line,
    Moment,
    OwnReference,
    Stated,
    Strict,
    Substance50,
    Text,
)
from app.domain.wire import MAX_HOLD_DAYS, MIN_HOLD_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping


class Filing(Strict):
    """What every request says, whatever it asks for (form, sections 1 to 14 and 21 to 25)."""

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
    offences: Annotated[
        list[Offence],
        Field(min_length=1, max_length=MAX_OFFENCES, description="the offence under investigation, art. 29(2)(b)"),
    ]
    facts_summary: Annotated[Substance50, Field(description="brief summary of the facts, art. 29(2)(b)")]
    emergency: Emergency | None = None
    special_procedures: Text | None = None
    other_information: Text | None = None
    language: Annotated[LanguageTag, Field(description="language of the request (form, section 24)")]
    translations: Annotated[list[Translation], Field(max_length=MAX_LISTED)] = Field(default_factory=list)
    attestation: Attestation | None = None
    marking: Marking | None = None
    is_test: bool = False


class Preservation(Filing):
    """Expedited preservation of stored data, ETS 185 art. 29, with art. 30."""

    type: Literal["PRESERVATION"]
    targets: Annotated[
        list[Target],
        Field(min_length=1, max_length=MAX_TARGETS, description="the data to be preserved, art. 29(2)(c)"),
    ]
    necessity: Annotated[Necessity, Field(description="why the preservation is necessary, art. 29(2)(e)")]
    traffic_path_disclosure_requested: Annotated[bool, Field(description="whether art. 30 is asked for")]
    mla_intent: Annotated[MlaIntent, Field(description="the intention to submit a request, art. 29(2)(f)")]
    requested_period_days: Annotated[
        int | None, Field(ge=MIN_HOLD_DAYS, le=MAX_HOLD_DAYS, description="at least 60 days, art. 29(7)")
    ] = None
    confidentiality: Annotated[Confidentiality, Field(description="confidentiality, art. 27(8) (form, section 22)")]


class TechnicalAdvice(Filing):
    """Advice from the experts of the other side, ETS 185 art. 35(1)(a)."""

    type: Literal["TECHNICAL_ADVICE"]
    question: Annotated[Text, Field(description="what is asked, art. 35(1)(a)")]
    targets: Annotated[list[Target], Field(max_length=MAX_TARGETS)] = Field(default_factory=list)
    confidentiality: Confidentiality | None = None


class EmergencyDisclosure(Filing):
    """Immediate disclosure of stored data to avert a risk to a person, CETS 224 art. 9(3)."""

    type: Literal["EMERGENCY_DISCLOSURE"]
    issued_at: Moment | None = None
    protocol_statement: Annotated[
        Stated, Field(description="that it is made under the Second Additional Protocol, art. 9(3)(b)")
    ]
    providers: Annotated[
        list[Provider],
        Field(min_length=1, max_length=MAX_LISTED, description="the providers, with address, art. 9(3)(c)"),
    ]
    emergency: Annotated[Emergency, Field(description="the facts that show the emergency, art. 9(3)(e)")]
    targets: Annotated[
        list[Target], Field(min_length=1, max_length=MAX_TARGETS, description="the data sought, art. 9(3)(f)")
    ]
    confidentiality: Annotated[Confidentiality, Field(description="confidentiality, art. 27(8)")]
    oral_request: OralRequest | None = None
    attestation: Annotated[Attestation, Field(description="who attests to the request")]


@dataclass(frozen=True, slots=True)
class Kind:
    """A type's model, and the same model with nothing required: it reads what a faulty document still holds."""

    model: type[Filing]
    lenient: type[BaseModel]


def _kind(model: type[Filing]) -> Kind:
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if field.is_required():
            optional = copy(field)
            optional.default = None
            fields[name] = (field.annotation, optional)
    return Kind(model, create_model(f"Lenient{model.__name__}", __base__=model, **fields))


KINDS: Mapping[RequestType, Kind] = MappingProxyType(
    {
        RequestType.PRESERVATION: _kind(Preservation),
        RequestType.TECHNICAL_ADVICE: _kind(TechnicalAdvice),
        RequestType.EMERGENCY_DISCLOSURE: _kind(EmergencyDisclosure),
    }
)
