"""The letter of the requested side to a provider: preserve these data, tell nobody (domain.md 3.4 and 6.11).

It is made by picking out. What the requesting side wrote of its case (the facts, the offence, who investigates, why it
is urgent, which state asks at all) has no place in it, so that nothing has to be struck out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from app.domain.wire import MIN_HOLD_DAYS
from app.errors import Refused, Unknown
from app.forms.cases import Form
from app.forms.completing import authority_fields
from app.forms.composing import clocks_of, letterhead_of, names_of
from app.forms.laying import fields_of
from app.forms.values import Amount, Code, Day, Field, Moment, Name, Part, Plain, Section, Sentence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from app.domain.exchange.values import Exchange
    from app.forms.cases import Side

LEFT_OUT = frozenset({"observation.clock_source"})
"""Fields of a target that say something of the requesting side's own investigation."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the letter is made from: an exchange opened towards us, its document, and who we are."""

    exchange: Exchange
    document: Mapping[str, Any]
    own: Side
    now: datetime


@dataclass(frozen=True, slots=True)
class Addressee:
    """A provider and the targets it holds, counted from 0."""

    name: str | None
    custodian: object
    targets: tuple[int, ...]


def addressees_of(document: Mapping[str, Any]) -> tuple[Addressee, ...]:
    """Every provider that the request names, in its order; targets without one go together."""
    found: dict[str | None, Addressee] = {}
    for index, target in enumerate(_targets(document)):
        custodian = target.get("custodian") if isinstance(target, dict) else None
        name = custodian.get("name") if isinstance(custodian, dict) else None
        key = name.casefold() if isinstance(name, str) else None
        known = found.get(key)
        if known is None:
            found[key] = Addressee(name if isinstance(name, str) else None, custodian, (index,))
        else:
            found[key] = Addressee(known.name, known.custodian, (*known.targets, index))
    return tuple(found.values())


def compose_letter(order: Order, *, place: int) -> Form:
    """The letter to the provider at that place, counted from 1.

    Raises Unknown where there is no such provider, Refused `letter_not_possible` where the request names no data yet.
    """
    addressees = addressees_of(order.document)
    if not addressees:
        raise Refused("letter_not_possible", "The request that names the data has not arrived yet.")
    if not 0 < place <= len(addressees):
        raise Unknown("not_found", "The request names fewer providers.")
    sections = _sections(order, addressees[place - 1])
    side = order.own
    return Form(
        title="titles.PROVIDER_LETTER",
        reference=order.exchange.b_reference or "",
        letterhead=letterhead_of(side),
        sections=sections,
        clocks=clocks_of(side),
        names=names_of(side),
        printed_at=order.now,
        printed_by=side.code,
        is_test=order.document.get("is_test") is True,
    )


def _sections(order: Order, to: Addressee) -> tuple[Section, ...]:
    point = order.own.point
    ours = order.exchange.b_reference
    power = None if point is None else point.preservation_power
    basis = () if power is None else (Code("power", power.kind), Name(power.citation, "en"))
    return (
        Section("1", "date", (Field("", (Day(_today(order)),)),)),
        Section("2", "reference", (Field("letter.our_reference", (Plain(ours),), "2.1"),) if ours else ()),
        Section("3", "letter_authority", authority_fields(order.own, "3", now=order.now)),
        Section(
            "4", "letter_basis", (Field("letter.power", basis[:1], "4.1"), Field("letter.citation", basis[1:], "4.2"))
        ),
        Section("5", "letter_provider", _provider(order, to)),
        Section("6", "letter_order", (Field("", (Sentence("preserve_order"),)),)),
        Section("7", "letter_targets", parts=_parts(order, to)),
        Section("8", "letter_period", _period(order, to)),
        Section("9", "letter_secrecy", (Field("", (Sentence("non_disclosure"),)),)),
        Section("10", "letter_contact", _contact(order)),
    )


def _provider(order: Order, to: Addressee) -> tuple[Field, ...]:
    return fields_of("custodian", to.custodian, language=_language(order.document))


def _parts(order: Order, to: Addressee) -> tuple[Part, ...]:
    """The targets of this provider, numbered anew: how many the request has besides is none of its business."""
    targets = _targets(order.document)
    parts = []
    for number, index in enumerate(to.targets, start=1):
        fields = fields_of("target", targets[index], language=_language(order.document))
        parts.append(Part("target", f"7.{number}", tuple(one for one in fields if one.key not in LEFT_OUT)))
    return tuple(parts)


def _period(order: Order, to: Addressee) -> tuple[Field, ...]:
    """Until the end of the hold where there is one; else the days asked for, never fewer than sixty (art. 29(7))."""
    ends = [
        hold.expires_at
        for hold in order.exchange.holds
        if hold.expires_at is not None and (not hold.targets or set(hold.targets) & set(to.targets))
    ]
    if ends:
        return (Field("letter.until", (Moment(max(ends)),), "8.1"),)
    point = order.own.point
    usual = MIN_HOLD_DAYS if point is None else point.preservation_power.default_days
    days = max(MIN_HOLD_DAYS, order.exchange.asked.requested_days or usual)
    return (Field("letter.days", (Amount(days, "day"),), "8.1"),)


def _contact(order: Order) -> tuple[Field, ...]:
    point = order.own.point
    if point is None:
        return ()
    phones = sorted(point.phones, key=lambda one: one.priority)
    return (
        Field("authority.telephone", tuple(Plain(one.number) for one in phones), "10.1"),
        Field("authority.email", (Plain(point.emails[0].address),), "10.2"),
    )


def _targets(document: Mapping[str, Any]) -> list[Any]:
    found = document.get("targets")
    return found if isinstance(found, list) else []


def _language(document: Mapping[str, Any]) -> str | None:
    found = document.get("language")
    return found if isinstance(found, str) else None


def _today(order: Order) -> date:
    """The day on the calendar of whoever writes: at night it is not that of UTC."""
    zone = "UTC" if order.own.point is None else order.own.point.time_zone
    return order.now.astimezone(ZoneInfo(zone)).date()
