"""Requests that a risk to a person carries: disclosure of data, notice of a letter (CETS 224 arts. 9 and 10)."""

# ruff: noqa: TC001 - pydantic reads the annotations at run time

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.domain.documents.authorities import (
    MAX_LISTED,
    AdvanceCopy,
    Attestation,
    Letter,
    OralRequest,
    PostFormalities,
    Provider,
    ReachableContact,
)
from app.domain.documents.filing import CaseFiling, OpenFiling
from app.domain.documents.matter import Confidentiality, Emergency
from app.domain.documents.targets import MAX_TARGETS, Target
from app.domain.shape import Moment, Stated, Text


class EmergencyDisclosure(CaseFiling):
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
    post_formalities: PostFormalities | None = None
    attestation: Annotated[Attestation, Field(description="who attests to the request")]


class EmergencyMlaNotice(OpenFiling):
    """Notice of an emergency letter of request, which itself goes between central authorities, CETS 224 art. 10."""

    type: Literal["EMERGENCY_MLA_NOTICE"]
    letter: Annotated[Letter, Field(description="reference of the letter of request, art. 10")]
    assistance_sought: Annotated[Text, Field(description="what the letter asks for, art. 10")]
    central_authority_contact: Annotated[
        ReachableContact, Field(description="who of the central authority can be reached now, art. 10")
    ]
    emergency: Annotated[Emergency, Field(description="the facts that show the emergency, art. 10")]
    advance_copy: Annotated[AdvanceCopy, Field(description="the channel agreed for an advance copy, art. 10")]
    confidentiality: Annotated[Confidentiality, Field(description="confidentiality, art. 27(8)")]
