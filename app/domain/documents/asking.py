"""Requests for knowledge: advice, law, providers, and where data are (ETS 185 art. 35; UN convention arts. 41, 42)."""

# ruff: noqa: TC001 - pydantic reads the annotations at run time

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from app.domain.documents.authorities import MAX_LISTED
from app.domain.documents.filing import CaseFiling, OpenFiling
from app.domain.documents.matter import Confidentiality
from app.domain.documents.targets import MAX_TARGETS, Target
from app.domain.shape import Country, Line, ShortText, Strict, Text


class LegalTopic(StrEnum):
    """What a question about foreign law is about."""

    POWERS = "POWERS"
    COMPETENT_AUTHORITY = "COMPETENT_AUTHORITY"
    OFFENCES_AND_PENALTIES = "OFFENCES_AND_PENALTIES"
    DATA_RETENTION = "DATA_RETENTION"
    USER_NOTIFICATION = "USER_NOTIFICATION"
    FORM_OF_REQUESTS = "FORM_OF_REQUESTS"
    OTHER = "OTHER"


class ProviderDetail(StrEnum):
    """What is to be known of a provider."""

    LAW_ENFORCEMENT_CONTACT = "LAW_ENFORCEMENT_CONTACT"
    EMERGENCY_LINE = "EMERGENCY_LINE"
    ADDRESS = "ADDRESS"
    FORM_OF_REQUESTS = "FORM_OF_REQUESTS"
    DATA_RETENTION = "DATA_RETENTION"
    USER_NOTIFICATION = "USER_NOTIFICATION"


class LocationDetail(StrEnum):
    """What is to be located: who holds the data, or where they are stored."""

    PROVIDER = "PROVIDER"
    DATA = "DATA"


class ProviderSought(Strict):
    """A provider as far as the agency knows it; its seat is part of the question."""

    name: Line
    service: Line | None = None
    country: Country | None = None
    known: Annotated[
        ShortText | None, Field(description="what is known of it: addresses of pages, earlier contacts")
    ] = None


class TechnicalAdvice(CaseFiling):
    """Advice from the experts of the other side, ETS 185 art. 35(1)(a)."""

    type: Literal["TECHNICAL_ADVICE"]
    question: Annotated[Text, Field(description="what is asked, art. 35(1)(a)")]
    targets: Annotated[list[Target], Field(max_length=MAX_TARGETS)] = Field(default_factory=list)
    confidentiality: Confidentiality | None = None


class LegalInformation(OpenFiling):
    """What the law of the other state permits and who orders it, ETS 185 art. 35(1)(c)."""

    type: Literal["LEGAL_INFORMATION"]
    question: Annotated[Text, Field(description="what is asked of the law there, art. 35(1)(c)")]
    topics: Annotated[
        list[Annotated[LegalTopic, Field(strict=False)]],
        Field(min_length=1, max_length=len(LegalTopic), description="what the question is about"),
    ]
    confidentiality: Confidentiality | None = None


class ProviderContact(OpenFiling):
    """How a provider of the other state is reached, and how it wants to be asked."""

    type: Literal["PROVIDER_CONTACT"]
    providers_sought: Annotated[
        list[ProviderSought], Field(min_length=1, max_length=MAX_LISTED, description="the providers to be reached")
    ]
    details: Annotated[
        list[Annotated[ProviderDetail, Field(strict=False)]],
        Field(min_length=1, max_length=len(ProviderDetail), description="what is to be known of them"),
    ]
    question: Text | None = None
    confidentiality: Confidentiality | None = None


class DataLocationQuery(CaseFiling):
    """Where the data or their provider are, before anything is requested, UN convention arts. 41(3) and 42(2)."""

    type: Literal["DATA_LOCATION_QUERY"]
    targets: Annotated[
        list[Target], Field(min_length=1, max_length=MAX_TARGETS, description="the data to be located, art. 42(2)")
    ]
    sought: Annotated[
        list[Annotated[LocationDetail, Field(strict=False)]],
        Field(min_length=1, max_length=len(LocationDetail), description="whether provider or data are to be located"),
    ]
    question: Text | None = None
    confidentiality: Confidentiality | None = None
