"""Requests on the way to mutual assistance: evidence, a suspect, the letter itself (ETS 185 arts. 27, 31, 35)."""

# ruff: noqa: TC001 - pydantic reads the annotations at run time

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from app.domain.documents.authorities import Authority, Letter
from app.domain.documents.filing import CaseFiling
from app.domain.documents.matter import Confidentiality, MlaIntent, ReasonForHaste
from app.domain.documents.targets import MAX_TARGETS, Target
from app.domain.identifiers import Person
from app.domain.shape import Country, Line, LongLine, Moment, ShortText, Strict, Substance30, Text


class EvidenceMeasure(StrEnum):
    """What is to be done for the evidence; the last two are coercive and need a letter of request."""

    SUBSCRIBER_INFORMATION = "SUBSCRIBER_INFORMATION"
    PUBLIC_RECORDS = "PUBLIC_RECORDS"
    VOLUNTARY_STATEMENT = "VOLUNTARY_STATEMENT"
    DISCLOSURE = "DISCLOSURE"
    SEARCH = "SEARCH"
    SEIZURE = "SEIZURE"


class Whereabouts(Strict):
    """Where the person was last, as far as is known."""

    country: Country
    place: LongLine | None = None
    at: Moment | None = None


class Warrant(Strict):
    """An order of arrest: its circulation is Interpol's, not this network's."""

    authority: Line
    number: Line


class Suspect(Strict):
    """Who is sought, with no more about the person than is needed to find them."""

    person: Person | None = None
    description: Annotated[Substance30, Field(description="who is sought, as far as known")]
    ground_of_suspicion: Annotated[Substance30, Field(description="why this person is suspected, TRI-09")]
    last_known: Whereabouts | None = None
    danger: ShortText | None = None
    warrant: Warrant | None = None


class EvidenceCollection(CaseFiling):
    """Collection of evidence, facilitated or done directly, ETS 185 arts. 35(1)(c) and 31."""

    type: Literal["EVIDENCE_COLLECTION"]
    measure: Annotated[EvidenceMeasure, Field(strict=False, description="what is to be done, art. 35(1)(c)")]
    evidence_sought: Annotated[Substance30, Field(description="which evidence is sought, and what it would prove")]
    targets: Annotated[
        list[Target], Field(min_length=1, max_length=MAX_TARGETS, description="where the evidence is, art. 31")
    ]
    mla_intent: MlaIntent | None = None
    letter: Letter | None = None
    confidentiality: Annotated[Confidentiality, Field(description="confidentiality, art. 27(8)")]


class LocateSuspect(CaseFiling):
    """Locating a suspect, facilitated or done directly, ETS 185 art. 35(1)(c)."""

    type: Literal["LOCATE_SUSPECT"]
    suspect: Annotated[Suspect, Field(description="who is to be located, art. 35(1)(c)")]
    targets: Annotated[list[Target], Field(max_length=MAX_TARGETS)] = Field(default_factory=list)
    confidentiality: Annotated[Confidentiality, Field(description="confidentiality, art. 27(8)")]


class MlaInitiation(CaseFiling):
    """The beginning of mutual assistance: the central authorities are brought together, ETS 185 art. 35(2)(b)."""

    type: Literal["MLA_INITIATION"]
    assistance_sought: Annotated[Text, Field(description="what the letter of request asks for, arts. 27 and 31")]
    central_authority: Annotated[Authority, Field(description="the authority that sends the letter, art. 27(2)")]
    mla_intent: Annotated[MlaIntent, Field(description="measure and planned date of the letter, art. 27")]
    letter: Letter | None = None
    haste: Annotated[
        ReasonForHaste | None, Field(strict=False, description="why the answer is to be expedited, art. 31(3)")
    ] = None
    targets: Annotated[list[Target], Field(max_length=MAX_TARGETS)] = Field(default_factory=list)
    confidentiality: Annotated[Confidentiality, Field(description="confidentiality, art. 27(8)")]
