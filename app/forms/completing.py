"""What the contact point adds to the sections of a document: what the directory says, and whether it was signed."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.domain.directory_codes import LanguageUse
from app.domain.fallback import check_of, groups_of
from app.domain.office_hours import spell_interval
from app.forms.afterwards import describe_file
from app.forms.values import Day, Field, Moment, Name, Part, Plain, Section, Sentence, Tongue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from app.domain.contact_points import ContactPointProfile
    from app.domain.contact_points import Name as Named
    from app.domain.mla_export import Authority, PriorPreservation
    from app.forms.cases import Case, Enclosure, Side

READING = frozenset({LanguageUse.WRITTEN, LanguageUse.FORMS})
"""What a contact point's language must be good for, for a form in it to be read there."""

ENCLOSURES = "34"
"""Number of the section of files, in every layout."""


ISSUED = "request.issued_at"
ISSUED_NUMBER = 11
"""After the members of an authority, where a document's own word on it stands."""

LAST_OF_LANGUAGE: Mapping[str, int] = MappingProxyType({"language": 2, "confidentiality_and_language": 6})
"""How many numbers the members of a document take in the sections that speak of its language."""


def complete(case: Case, section: Section) -> Section:
    """The section with what the contact point adds to it; what the document says stays as it says it."""
    completing = _COMPLETING.get(section.key)
    return section if completing is None else completing(case, section)


def languages_read(point: ContactPointProfile) -> tuple[str, ...]:
    """Primary subtags of the languages in which the contact point reads letters or forms, in its own order."""
    return tuple(dict.fromkeys(primary(one.tag) for one in point.languages if READING & set(one.uses)))


def primary(tag: str) -> str:
    """`pt` of `pt-BR`: languages are compared by it (domain.md 5.5)."""
    return tag.partition("-")[0].lower()


def list_enclosures(enclosures: Iterable[Enclosure]) -> Section:
    """The files that go with the request, each with the digest that it is known by."""
    parts = tuple(
        Part(
            "enclosure",
            f"{ENCLOSURES}.{index}",
            tuple(describe_file(one)),
        )
        for index, one in enumerate(enclosures, start=1)
    )
    return Section(ENCLOSURES, "enclosures", parts=parts)


def _date(case: Case, section: Section) -> Section:
    """The day on which it was filed, on the calendar of the requesting side, unless the document gives one."""
    if section.fields:
        return section
    zone = "UTC" if case.requesting.point is None else case.requesting.point.time_zone
    return replace(section, fields=(Field("", (Day(case.filed_at.astimezone(ZoneInfo(zone)).date()),)),))


def _reference(case: Case, section: Section) -> Section:
    """The agency's own reference, ours, and the exchange's id as it is read aloud when the line is down."""
    stem = section.number
    own = tuple(replace(field, key="request.own_reference", number=f"{stem}.1") for field in section.fields)
    ours = (Field("request.reference", (Plain(case.reference),), f"{stem}.2"),) if case.reference else ()
    if case.exchange_id is None:
        return replace(section, fields=(*own, *ours))
    groups = " ".join(groups_of(case.exchange_id))
    told = (
        Field("request.exchange_id", (Plain(str(case.exchange_id)),), f"{stem}.3"),
        Field("request.read_aloud", (Plain(f"{groups} / {check_of(case.exchange_id)}"),), f"{stem}.4"),
    )
    return replace(section, fields=(*own, *ours, *told))


def _issued(case: Case, section: Section) -> Section:
    """CETS 224 art. 9(3)(a) wants a date: that of the signature, or of the filing, unless the document gives one."""
    if any(field.key == ISSUED for field in section.fields):
        return section
    issued = Field(ISSUED, (Moment(case.signed_at or case.filed_at),), f"{section.number}.{ISSUED_NUMBER}")
    return replace(section, fields=(*section.fields, issued))


def _requested(case: Case, section: Section) -> Section:
    return _authority(case, case.requested, section)


def _requesting(case: Case, section: Section) -> Section:
    return _authority(case, case.requesting, section)


def _authority(case: Case, side: Side, section: Section) -> Section:
    """The contact point as its directory entry has it, unless the document names an authority."""
    return section if section.fields else replace(section, fields=authority_fields(side, section.number, now=case.now))


def authority_fields(side: Side, number: str, *, now: datetime) -> tuple[Field, ...]:
    """A contact point as its directory entry has it, under the numbers that an authority's members have.

    The hours are those when somebody is there; the offset is that of `now`.
    """
    point = side.point
    if point is None:
        return (Field("authority.organisation", (Plain(side.code),), f"{number}.1"),)
    phone = min(point.phones, key=lambda one: one.priority)
    address = point.postal_address
    lines = [*address.lines, " ".join(filter(None, [address.postal_code, address.city]))]
    fax = tuple(Plain(one) for one in point.fax)
    hours = tuple(Plain(spell_interval(one)) for one in point.hours.staffed)
    return (
        Field("authority.organisation", (*_both(point.agency_name), Plain(side.code)), f"{number}.1"),
        Field("authority.address", (Name(", ".join(lines), point.agency_name.language),), f"{number}.3"),
        Field("authority.telephone", (Plain(phone.number),), f"{number}.4"),
        Field("authority.email", (Plain(point.emails[0].address),), f"{number}.5"),
        *((Field("authority.fax", fax, f"{number}.6"),) if fax else ()),
        *((Field("authority.office_hours", hours, f"{number}.7"),) if hours else ()),
        Field("authority.time_zone", (Plain(point.time_zone), Plain(offset_of(now, point.time_zone))), f"{number}.8"),
    )


def offset_of(now: datetime, zone: str) -> str:
    """How far a zone is from UTC at that moment, as in +09:00."""
    offset = now.astimezone(ZoneInfo(zone)).strftime("%z")
    return f"{offset[:3]}:{offset[3:5]}"


def _both(name: Named) -> tuple[Name, ...]:
    native = Name(name.native, name.language)
    return (native,) if name.native == name.english else (native, Name(name.english, "en"))


def _language(case: Case, section: Section) -> Section:
    """Whether the addressee reads the language of the request, or a translation of it: the directory says so."""
    if case.requested.point is None or not section.fields:
        return section
    read = languages_read(case.requested.point)
    given = {primary(value.tag) for field in section.fields for value in field.values if isinstance(value, Tongue)}
    attached = {
        primary(value.tag)
        for part in section.parts
        for field in part.fields
        for value in field.values
        if isinstance(value, Tongue)
    }
    found = (
        "language_read" if given & set(read) else "translation_read" if attached & set(read) else "language_not_read"
    )
    last = LAST_OF_LANGUAGE[section.key]
    told = (
        Field("request.languages_read", tuple(Tongue(tag) for tag in read), f"{section.number}.{last + 1}"),
        Field("request.language_check", (Sentence(found),), f"{section.number}.{last + 2}"),
    )
    return replace(section, fields=(*section.fields, *told))


def _signature(case: Case, section: Section) -> Section:
    """That the contact point signed it under its key and when, or that nobody has signed it yet."""
    stem = section.number
    if case.signed_at is None:
        return replace(
            section, fields=(*section.fields, Field("request.signature", (Sentence("not_signed"),), f"{stem}.4"))
        )
    signed = (
        Field("request.signature", (Sentence("signed"), Plain(case.requesting.code)), f"{stem}.4"),
        Field("request.signed_at", (Moment(case.signed_at),), f"{stem}.5"),
    )
    return replace(section, fields=(*section.fields, *signed))


def _earlier(case: Case, section: Section) -> Section:
    """Section 10 of a letter of request: holds that this node knows of, beside what the agency wrote."""
    before = len(section.parts)
    parts = tuple(
        Part("earlier_hold", f"{section.number}.{before + index}", tuple(_five_items(one)))
        for index, one in enumerate(case.earlier, start=1)
    )
    return replace(section, parts=(*section.parts, *parts))


def _five_items(earlier: PriorPreservation) -> Iterator[Field]:
    """Date, reference, who requested, who executed, and the channel; no more (T-CY(2018)10, 10)."""
    references = tuple(Plain(text) for text in (earlier.reference.ticket, earlier.reference.request) if text)
    yield Field("related_request.date", (Day(earlier.date),))
    yield Field("related_request.reference", references)
    yield Field("related_request.requester_contact", tuple(_contact(earlier.requested_by)))
    yield Field("related_request.responder_contact", tuple(_contact(earlier.executed_by)))
    yield Field("related_request.channel", (Sentence("network_channel"), Plain(earlier.channel.exchange_id)))


def _contact(authority: Authority) -> Iterator[Name | Plain]:
    for name in (authority.organisation, authority.person, authority.agency):
        if name:
            yield Name(name)
    yield Plain(f"{authority.contact_point} {authority.telephone} {authority.email}")


_COMPLETING: Mapping[str, Callable[[Case, Section], Section]] = MappingProxyType(
    {
        "date": _date,
        "reference": _reference,
        "requested_authority": _requested,
        "requesting_authority": _requesting,
        "competent_authority": _issued,
        "language": _language,
        "confidentiality_and_language": _language,
        "signature": _signature,
        "related_preservation": _earlier,
    }
)
