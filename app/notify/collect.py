"""The feed of events, read in order and turned into notifications: each event once, whoever reads and however often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import uuid_utils

from app.db import events, notifications
from app.db.events import Event, Scope
from app.db.notifications import Notification
from app.db.tables_clocks import ChannelKind
from app.domain.deadlines import Audience, Subject
from app.notify.faults import Trouble
from app.notify.on_call import NOBODY_CALLED, Called, find_called
from app.notify.wording import FAILED, word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.events import StoredEvent
    from app.db.notifications import Channel, Matter
    from app.domain.codes import Tier
    from app.domain.contact_points import ContactPoint
    from app.notify.means import Means
    from app.notify.wording import Words

ROUND = 200
EVERYTHING = Scope(everything=True)

_DESK = (Audience.DESK,)
_OPERATOR = (Audience.DESK, Audience.OPERATOR)

AUDIENCES: Mapping[str, tuple[Audience, ...]] = {
    "request.filed": _DESK,
    "exchange.delivered": _DESK,
    "exchange.gap_alarmed": _OPERATOR,
    "contact_point.gap_alarmed": _OPERATOR,
    "contact_point.test_call": _DESK,
    "contact_point.test_call_missed": _DESK,
    "contact_point.unverified": (*_OPERATOR, Audience.REGISTRAR),
    "contact_point.incident": _OPERATOR,
    "contact_point.key_revoked_late": _OPERATOR,
    "quarantine.proposed": _OPERATOR,
    FAILED: _OPERATOR,
    "roster.warning": (Audience.DESK, Audience.SUPERVISOR),
    # Where the roster fails they are called instead of whoever is missing: they should know of it before.
    "roster.error": (Audience.DESK, Audience.SUPERVISOR, Audience.ESCALATION),
}
"""Events that people are told of outside the feed, beside everything about the end of holds. Those of the clocks name
their audience themselves."""

MUST_BE_TOLD = frozenset({Audience.SECOND_CONTACT, Audience.ESCALATION, Audience.SUPERVISOR, Audience.REGISTRAR})
"""Who does not sit at the desk and reads no feed: that there is no way to tell them is an alarm in itself."""

_OF_CLOCKS = frozenset({"request.overdue", "exchange.overdue", "escalation.second_contact", "escalation.registrar"})


@dataclass(frozen=True, slots=True)
class Teller:
    """Who tells: the contact point, its own directory entry, which names its escalation contacts, and its means."""

    code: str
    point: ContactPoint | None
    means: Means


class Recipient(NamedTuple):
    """One address, why it is told, and through which channel; mail to the directory's contacts needs no channel.

    `kind` None stands for nobody at all.
    """

    kind: ChannelKind | None
    target: str
    audience: Audience
    channel_id: UUID | None


async def has_news(session: ReadSession) -> bool:
    """Whether `collect` would find anything to read; it costs no lock."""
    position = await notifications.read_position(session)
    if position is None:
        return True
    return bool(await events.events_after(session, position, scope=EVERYTHING, limit=1))


async def collect(session: Session, teller: Teller, *, now: datetime) -> bool:
    """Read on in the feed, write what it makes necessary, move the position; True while there may be more.

    Commit point: position and notifications are one transaction. A crash before it leaves both as they were; after it
    each event has been turned into its notifications and will not be again.
    """
    position = await notifications.lock_position(session)
    if position is None:
        return False
    found = await events.events_after(session, position, scope=EVERYTHING, limit=ROUND)
    known = [one for one in await notifications.channels(session) if one.stopped_at is None] if found else []
    for event in found:
        await _turn(session, teller, event, channels=known, now=now)
    if found:
        await notifications.move_position(session, found[-1].position)
    return len(found) == ROUND


async def _turn(
    session: Session, teller: Teller, event: StoredEvent, *, channels: Sequence[Channel], now: datetime
) -> None:
    audiences = audiences_of(event)
    if not audiences:
        return
    matter = await _matter(session, event)
    tier = None if matter is None else matter.tier
    called = await find_called(session, audiences, at=event.at)
    found = list(recipients(teller, audiences, tier, channels=channels, called=called))
    already = await _already_in_vain(session, event)
    for one in found:
        if one.target != already:
            words = word(event, matter, one.audience, code=teller.code, link=teller.means.link)
            await notifications.add(session, _notification(event, one, words=words, now=now))
    told = {one.audience for one in found}
    for audience in audiences:
        if audience in MUST_BE_TOLD and audience not in told:
            await _alarm_nobody(session, event, audience, now=now)


def audiences_of(event: StoredEvent) -> tuple[Audience, ...]:
    """Who has to be told of an event: nobody of most of them."""
    if event.event.kind.startswith("hold."):
        concerned = Audience.CENTRAL_AUTHORITY.value in str(event.event.data.get("to")).split()
        return (*_DESK, Audience.CENTRAL_AUTHORITY) if concerned else _DESK
    if event.event.kind not in _OF_CLOCKS:
        return AUDIENCES.get(event.event.kind, ())
    named = str(event.event.data.get("audience") or "").split(",")
    return tuple(audience for audience in Audience if audience.value in named)


def recipients(
    teller: Teller,
    audiences: Iterable[Audience],
    tier: Tier | None,
    *,
    channels: Sequence[Channel],
    called: Called = NOBODY_CALLED,
) -> Iterator[Recipient]:
    """Every address once: the operator's channels, and by mail whom the roster and the own directory entry name.

    The first of the escalation contacts is the second after the desk itself where the roster names none who can be
    reached; the central authority is that for mutual assistance. What has no tier goes through every channel.
    """
    seen: set[str] = set()
    for audience in audiences:
        configured = [
            Recipient(one.kind, one.target, audience, one.id)
            for one in channels
            if one.audience is audience and (tier is None or tier in one.tiers)
        ]
        for one in (*configured, *_by_mail(teller, audience, called)):
            if one.target not in seen:
                seen.add(one.target)
                yield one


def _by_mail(teller: Teller, audience: Audience, called: Called) -> Iterator[Recipient]:
    if teller.means.mail is None:
        return
    on_duty = called.address(audience)
    if on_duty is not None:
        yield Recipient(ChannelKind.MAIL, on_duty, audience, None)
    if teller.point is None or (audience is Audience.SECOND_CONTACT and not called.default):
        return
    contacts = {
        Audience.SECOND_CONTACT: teller.point.escalation[:1],
        Audience.ESCALATION: teller.point.escalation,
        Audience.CENTRAL_AUTHORITY: (teller.point.central_authorities[0].contact,),
    }
    for contact in contacts.get(audience, ()):
        yield Recipient(ChannelKind.MAIL, contact.email, audience, None)


async def _matter(session: ReadSession, event: StoredEvent) -> Matter | None:
    if event.event.subject_kind not in set(Subject):
        return None
    return await notifications.matter_of(session, Subject(event.event.subject_kind), UUID(event.event.subject_id))


async def _already_in_vain(session: ReadSession, event: StoredEvent) -> str | None:
    """The address that an alarm is about: it is not told of its own failure."""
    if event.event.kind != FAILED:
        return None
    return await notifications.target_of(session, UUID(event.event.subject_id))


def _notification(event: StoredEvent, to: Recipient, *, words: Words | None, now: datetime) -> Notification:
    return Notification(
        id=UUID(bytes=uuid_utils.uuid7().bytes),
        event_id=event.position.id,
        event_at=event.at,
        event=event.event.kind,
        audience=to.audience,
        kind=to.kind,
        target=to.target,
        channel_id=to.channel_id,
        title="" if words is None else words.title,
        body="" if words is None or to.kind is None else words.body_for(to.kind),
        created_at=now,
    )


async def _alarm_nobody(session: Session, event: StoredEvent, audience: Audience, *, now: datetime) -> None:
    """Nobody of this audience can be told: kept as a failure, and announced."""
    failure = _notification(event, Recipient(None, audience.value, audience, None), words=None, now=now)
    if await notifications.add(session, failure, failed=Trouble.NO_CHANNEL):
        await announce_failure(session, failure, Trouble.NO_CHANNEL, now=now)


async def announce_failure(session: Session, one: Notification, trouble: Trouble, *, now: datetime) -> None:
    """Tell the feed, and through it everybody who can still be told, that somebody was not told."""
    data = {
        "channel": None if one.kind is None else one.kind.value,
        "audience": one.audience.value,
        "trouble": trouble.value,
        "event": one.event,
    }
    failed = Event(kind=FAILED, subject_kind="notification", subject_id=str(one.id), agency_id=None, data=data)
    await events.append_event(session, failed, now=now)
