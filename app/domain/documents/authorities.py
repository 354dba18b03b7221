"""Who asks, who is asked, who holds the data, and where the case is kept (T-CY form, sections 4 to 9)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from app.domain.instants import NoInstant, named_zone
from app.domain.shape import (
    Country,
    Day,
    LanguageTag,
    Line,
    LongLine,
    Mailbox,
    Moment,
    ShortText,
    Stated,
    Strict,
    Telephone,
    Text,
    fault,
)

MAX_LISTED = 20

_DAY_NAMES = "(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_OPENING = f"{_DAY_NAMES}(?:-{_DAY_NAMES})? {_CLOCK}-(?:{_CLOCK}|24:00)"
_ZONE = re.compile(r"[A-Za-z]+(?:/[A-Za-z0-9_+-]+)*")


def _is_zone(name: str) -> str:
    if _ZONE.fullmatch(name) is None:
        raise fault("bad_time_zone", "Write the name of a zone in the IANA database.")
    try:
        named_zone(name)
    except NoInstant as wrong:
        raise fault(wrong.code, wrong.detail) from wrong
    return name


OfficeHours = Annotated[str, StringConstraints(max_length=200, pattern=f"^{_OPENING}(?:, {_OPENING}){{0,9}}$")]
TimeZone = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(_is_zone)]


class ReplyMeans(StrEnum):
    """How an answer is best sent."""

    NETWORK = "NETWORK"
    EMAIL = "EMAIL"
    TELEPHONE = "TELEPHONE"
    FAX = "FAX"
    OTHER = "OTHER"


class Authority(Strict):
    """An authority and the person in it who answers for the request (form, sections 4 to 7)."""

    organisation: Line
    person_in_charge: Line
    address: Annotated[LongLine, Field(description="postal address")]
    telephone: Telephone
    cell_phone: Telephone | None = None
    email: Mailbox
    fax: Telephone | None = None
    office_hours: OfficeHours | None = None
    time_zone: TimeZone | None = None
    response_by_expedited_means_preferred: bool | None = None
    response_preferred_means: Annotated[ReplyMeans, Field(strict=False)] | None = None
    response_preferred_means_text: Line | None = None


class RequestedAuthority(Strict):
    """The contact point addressed, as the form prints it."""

    organisation: Line
    address: LongLine | None = None
    telephone: Telephone | None = None
    email: Mailbox | None = None


class ContactPerson(Strict):
    """Whom to ask for a further confirmation (form, section 6)."""

    name: Line
    job_title: Line | None = None
    function: Line | None = None
    telephone: Telephone
    cell_phone: Telephone | None = None
    email: Mailbox | None = None


class Court(Strict):
    """Prosecution and court with their case numbers (form, section 8)."""

    office: Line | None = None
    case_number: Line | None = None
    court: Line | None = None
    court_case_number: Line | None = None
    decisions: Annotated[list[LongLine], Field(max_length=MAX_LISTED)] = Field(default_factory=list)


class RelatedRequest(Strict):
    """An earlier request in the same matter (form, section 9)."""

    kind: Literal["MLA", "PRESERVATION", "OTHER"]
    date: Day
    reference: Line
    requester_contact: LongLine | None = None
    responder_contact: LongLine | None = None
    channel: Line | None = None


class Provider(Strict):
    """Who holds the data: name and address (CETS 224 art. 9(3)(c))."""

    name: Line
    address: LongLine
    country: Country
    contact: LongLine | None = None


class Translation(Strict):
    """A translation that accompanies the request: here in full, or as an attachment of this name."""

    language: LanguageTag
    text: Text | None = None
    file_name: Line | None = None
    machine_translation: bool


class OralRequest(Strict):
    """The request as first made by voice; writing follows within 24 hours (CETS 224 art. 9(4))."""

    made_at: Moment
    by: Line
    to: Line


class Attestation(Strict):
    """Who stands for the truth of the request."""

    name: Line
    function: Line
    on: Day | None = None


class Letter(Strict):
    """A letter of request: it travels outside, between central authorities; here is only what finds it."""

    reference: Line
    date: Day
    authority: Annotated[Line, Field(description="the authority that sends it")]
    channel: Line | None = None


class ReachableContact(Strict):
    """Somebody of the central authority who can be reached at this hour (CETS 224 art. 10)."""

    authority: Line
    name: Line
    function: Line
    telephone: Telephone
    email: Mailbox
    until: Annotated[Moment | None, Field(description="how long this person can be reached")] = None


class AdvanceCopy(Strict):
    """How an advance copy of the results may travel, as the two sides have agreed (CETS 224 art. 10)."""

    channel: Annotated[ReplyMeans, Field(strict=False)]
    text: ShortText | None = None


class PostFormalities(Strict):
    """The undertaking to repeat the request afterwards in the form that the other state wants (CETS 224 art. 9(5))."""

    undertaken: Stated
    authority: Line
    planned_date: Day
    text: ShortText | None = None
