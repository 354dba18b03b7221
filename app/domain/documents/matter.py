"""What it is about: legal basis, offence, urgency, necessity, intention, confidentiality, marking, emergency."""

# ruff: noqa: TC001 - pydantic reads the annotations at run time

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from app.domain.codes import Handling, Instrument, Pap, Tier, Tlp
from app.domain.exchange_codes import ThreatKind
from app.domain.shape import (
    Article,
    Day,
    Line,
    LongLine,
    Moment,
    ShortText,
    Strict,
    Substance30,
    Substance50,
    Substance100,
    Text,
    fault,
)

MAX_ARTICLES = 20
MAX_OFFENCES = 20

OneTier = Annotated[Tier, Field(strict=False)]
OneInstrument = Annotated[Instrument, Field(strict=False)]
OneTlp = Annotated[Tlp, Field(strict=False)]
OnePap = Annotated[Pap, Field(strict=False)]
OneHandling = Annotated[Handling, Field(strict=False)]
"""In a strict model an enumeration would refuse its own text."""


class RequestStatus(StrEnum):
    """NEW, or EXTENSION of a preservation that is still running."""

    NEW = "NEW"
    EXTENSION = "EXTENSION"


class Ground(Strict):
    """An instrument and the articles relied on; a treaty between two states is named by its title."""

    instrument: OneInstrument
    articles: Annotated[list[Article], Field(max_length=MAX_ARTICLES)] = Field(default_factory=list)
    title: LongLine | None = None


class LegalBasis(Strict):
    """The ground at home, and the instruments between the two states."""

    domestic: LongLine | None = None
    international: Annotated[
        list[Ground],
        Field(min_length=1, max_length=6, description="instrument between the two states (form, section 11)"),
    ]


class Offence(Strict):
    """An offence under investigation; arts. 2 to 11 are named, everything else is OTHER (V-5)."""

    title: Line
    national_provision: LongLine
    ets185_article: Literal["2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "OTHER"]
    max_penalty_years: Annotated[float, Field(ge=0, le=200)] | None = None
    penalty_note: LongLine | None = None
    attempt_or_complicity: Literal["ATTEMPT", "AIDING", "NONE"] | None = None
    conduct_description: Text


class Urgency(Strict):
    """The tier and the facts behind it (TRI-10)."""

    tier: OneTier
    reasons: Text
    expected_loss_at: Moment | None = None


class NecessityReason(StrEnum):
    """Why the data would be lost without a preservation."""

    SHORT_RETENTION = "SHORT_RETENTION"
    SUSPECT_MAY_DELETE = "SUSPECT_MAY_DELETE"
    SERVICE_CLOSING = "SERVICE_CLOSING"
    LOG_ROTATION = "LOG_ROTATION"
    ACCOUNT_DELETION_PENDING = "ACCOUNT_DELETION_PENDING"
    OTHER = "OTHER"


class Necessity(Strict):
    """Why the preservation is necessary: art. 29(2)(e)."""

    reason: Annotated[NecessityReason, Field(strict=False)]
    text: Substance30
    expected_loss_at: Moment | None = None


class MlaMeasure(StrEnum):
    """What the letter of request will ask for (art. 29(1), art. 31)."""

    SEARCH = "SEARCH"
    SEIZURE = "SEIZURE"
    DISCLOSURE = "DISCLOSURE"
    SUBSCRIBER_INFORMATION = "SUBSCRIBER_INFORMATION"


class MlaIntent(Strict):
    """The intention to submit a request for mutual assistance: art. 29(2)(f)."""

    intends: bool
    measure: Annotated[MlaMeasure, Field(strict=False)]
    authority: Line
    planned_date: Day


class Confidentiality(Strict):
    """Who may not learn of the request, and what would happen if they did (art. 27(8))."""

    keep_confidential: bool
    do_not_notify_user: bool
    tip_off_risk: ShortText | None = None


def _not_clear(tlp: Tlp) -> Tlp:
    if tlp is Tlp.CLEAR:
        raise fault("C-MARKING", "A request names at least the person in charge: personal data are never TLP:CLEAR.")
    return tlp


class Marking(Strict):
    """Who may see it (TLP), what may be done with it (PAP), what it may be used for (handling codes)."""

    tlp: Annotated[OneTlp, AfterValidator(_not_clear)]
    pap: OnePap
    handling: Annotated[list[OneHandling], Field(min_length=1, max_length=4)]
    handling_text: Annotated[ShortText | None, Field(validate_default=True)] = None

    @field_validator("handling_text", mode="after")
    @classmethod
    def _says_what_h3_means(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is None and Handling.H3 in info.data.get("handling", ()):
            raise fault("C-MARKING", "H3 means another restriction: write it down.")
        return text


class Emergency(Strict):
    """The risk to a person, and what the data have to do with it (CETS 224 arts. 3 and 9(3)(e))."""

    threat_kind: Annotated[ThreatKind, Field(strict=False)]
    persons_at_risk: ShortText
    facts: Substance100
    link_to_data: Substance50
    imminent_until: Moment | None = None


class ReasonForHaste(StrEnum):
    """Art. 31(3): when an answer to a letter of request is expedited."""

    VULNERABLE_DATA = "VULNERABLE_DATA"
    AGREED_IN_INSTRUMENT = "AGREED_IN_INSTRUMENT"


class UncertainReason(StrEnum):
    """Why nobody can say in which state the data lie."""

    CLOUD = "CLOUD"
    SEVERAL_STATES = "SEVERAL_STATES"
    PROVIDER_DOES_NOT_SAY = "PROVIDER_DOES_NOT_SAY"
    OTHER = "OTHER"


class LocationUncertain(Strict):
    """Data whose place is unknown or changes: the state is asked in which their custodian is established."""

    reason: Annotated[UncertainReason, Field(strict=False)]
    text: Substance30
