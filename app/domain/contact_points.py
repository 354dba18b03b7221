"""What the network knows of one contact point: every field of its directory entry (domain.md 3.5).

`ContactPointProfile` is what a state writes about itself; `ContactPoint` is the profile together with its keys. The
result of the last test call is not here: each node measures its own and shows it in its monitoring.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.domain.codes import Instrument  # noqa: TC001 - pydantic reads it at run time
from app.domain.countries import is_country
from app.domain.directory_codes import (
    AgencyKind,
    Capability,
    ContactKind,
    LanguageLevel,
    LanguageUse,
    Network,
    PartyKind,
    PreservationKind,
    UserNotification,
    Visibility,
)
from app.domain.instants import NoInstant, named_zone
from app.domain.key_records import Entry, KeyRecord, KeyUse, Line, UtcTime
from app.domain.office_hours import Hours  # noqa: TC001 - pydantic reads it at run time

CODE_PATTERN = r"^[A-Z]{2}(-[A-Z0-9]{2,12})?$"
STALE_AFTER = timedelta(days=180)
"""An entry not verified for so long carries a warning."""


def _is_time_zone(name: str) -> str:
    try:
        named_zone(name)
    except NoInstant as fault:
        raise ValueError("is not a time zone of the IANA database") from fault
    return name


Code = Annotated[str, StringConstraints(pattern=CODE_PATTERN)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
Mail = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^\s@\x00-\x1f]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$")]
LanguageTag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Note = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+$")]
TimeZone = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$"), AfterValidator(_is_time_zone)]
MessageName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.-]{0,47}/[1-9][0-9]{0,3}$")]
Suite = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,15}$")]
Days = Annotated[int, Field(ge=0, le=3650)]


class Name(Entry):
    """A name as its owners write it, in which language, and in English."""

    native: Line
    language: LanguageTag
    english: Line


class Membership(Entry):
    """In which network, first and last day included."""

    network: Network
    since: date
    until: date | None = None


class PostalAddress(Entry):
    """Lines as on an envelope, without the country."""

    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=6)]
    postal_code: Line | None = None
    city: Line
    country: Country


class Telephone(Entry):
    """A number in E.164 form; the lowest `priority` is called first."""

    number: Phone
    label: Line
    priority: Annotated[int, Field(ge=1, le=99)]
    languages: Annotated[tuple[LanguageTag, ...], Field(min_length=1)]


class Mailbox(Entry):
    """A functional mailbox, never a person's; `encryption_key_ref` names the OpenPGP or S/MIME key to use with it."""

    address: Mail
    purpose: Line
    encryption_key_ref: Line | None = None


class NodeEndpoint(Entry):
    """Where the node is reached, and the name its TLS certificate must bear."""

    url: Annotated[str, StringConstraints(max_length=500, pattern=r"^(https|amqps)://[^\s]+$")]
    tls_identity: Line


class Language(Entry):
    """A language, how well and for what; without `hours`, whenever the contact point can be reached."""

    tag: LanguageTag
    level: LanguageLevel
    uses: Annotated[tuple[LanguageUse, ...], Field(min_length=1)]
    hours: Line | None = None


class Capabilities(Entry):
    """What the contact point does itself, measure by measure (art. 35(1)(a) to (c); CETS 224 art. 9)."""

    advice: Capability
    preservation: Capability
    traffic_path_disclosure: Capability
    evidence_collection: Capability
    legal_information: Capability
    locate_suspect: Capability
    emergency_disclosure: Capability


class PreservationPower(Entry):
    """By whose order, on which provision, for how many days, and how often and long it can be extended."""

    kind: PreservationKind
    citation: Line
    default_days: Days
    extension_days: Days
    max_extensions: Annotated[int, Field(ge=0, le=100)]


class Statement(Entry):
    """A reservation or declaration to an instrument, first and last day included."""

    instrument: Instrument
    article: Line
    text: Note
    since: date
    until: date | None = None


class FormalConfirmation(Entry):
    """Whether a request by expedited means must be confirmed formally (art. 25(3)), and within how many days."""

    required: bool
    days: Days | None = None

    @model_validator(mode="after")
    def _has_a_term(self) -> Self:
        if self.required != (self.days is not None):
            raise ValueError("days goes with required: true, and only with it")
        return self


class Contact(Entry):
    """A role that can be reached, not a person."""

    role: Line
    phone: Phone
    email: Mail


class CentralAuthority(Entry):
    """The authority for mutual assistance (art. 27(2)); `phone_24_7` serves CETS 224 art. 10."""

    name: Name
    address: PostalAddress
    contact: Contact
    same_agency: bool
    phone_24_7: Phone | None = None


class ContactPointProfile(Entry):
    """A directory entry without its keys: what a state says of its own contact point."""

    code: Code
    party_kind: PartyKind
    country: Country
    country_name: Name
    networks: Annotated[tuple[Membership, ...], Field(min_length=1)]
    agency_name: Name
    agency_kind: AgencyKind
    contact_kind: ContactKind
    ask_for: Line | None = None
    call_back_minutes: Annotated[int, Field(ge=1, le=240)] | None = None
    postal_address: PostalAddress
    phones: Annotated[tuple[Telephone, ...], Field(min_length=1)]
    fax: tuple[Phone, ...] = ()
    emails: Annotated[tuple[Mailbox, ...], Field(min_length=1)]
    node_endpoint: NodeEndpoint | None = None
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    time_zone: TimeZone
    hours: Hours
    duty_roster_ref: Line
    capabilities: Capabilities
    preservation_power: PreservationPower
    user_notification_rule: UserNotification
    data_retention_note: Note | None = None
    reservations: tuple[Statement, ...]
    declarations: tuple[Statement, ...]
    requires_formal_confirmation: FormalConfirmation
    central_authorities: Annotated[tuple[CentralAuthority, ...], Field(min_length=1)]
    incident_contact: Contact
    escalation: Annotated[tuple[Contact, ...], Field(min_length=2)]
    reads: Annotated[tuple[MessageName, ...], Field(min_length=1)]
    suites: Annotated[tuple[Suite, ...], Field(min_length=1)]
    last_verified_at: UtcTime
    verified_by: Line
    next_review_at: UtcTime
    visibility: Visibility

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        networks = [membership.network for membership in self.networks]
        priorities = [phone.priority for phone in self.phones]
        wrong = {
            "country must be the first two letters of code": self.country != self.code[:2],
            "country must be a code of ISO 3166-1, in which the United Kingdom is GB": not is_country(self.country),
            "a network is listed twice": len(set(networks)) != len(networks),
            "two phones have the same priority": len(set(priorities)) != len(priorities),
            "a SWITCHBOARD needs ask_for and call_back_minutes": self.contact_kind is ContactKind.SWITCHBOARD
            and (self.ask_for is None or self.call_back_minutes is None),
            "next_review_at must lie after last_verified_at": self.next_review_at <= self.last_verified_at,
        }
        for sentence, is_so in wrong.items():
            if is_so:
                raise ValueError(sentence)
        return self

    def is_member(self, network: Network, *, on: date) -> bool:
        """Whether the contact point belongs to `network` on that day."""
        return any(m.network is network and m.since <= on and (m.until is None or on <= m.until) for m in self.networks)

    def is_stale(self, now: datetime) -> bool:
        """Whether nobody has verified the entry for more than 180 days."""
        return now - self.last_verified_at > STALE_AFTER


class ContactPoint(ContactPointProfile):
    """A complete directory entry. It can be written to and believed: it has at least one sig and one enc key."""

    keys: Annotated[tuple[KeyRecord, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_keys_for_the_exchange(self) -> Self:
        for use in (KeyUse.SIG, KeyUse.ENC):
            if all(key.use is not use for key in self.keys):
                raise ValueError(f"{self.code} publishes no key for use {use}")
        return self
