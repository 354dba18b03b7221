"""Who is to be told of what: channels, the notifications themselves, and how far the feed was read for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, and_, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.db.events import Position, end_of_feed
from app.db.tables_clocks import ChannelKind, NotificationState, channel, notice_position, notification
from app.db.tables_domestic import request
from app.db.tables_exchange import exchange
from app.domain.codes import Tier
from app.domain.deadlines import Audience, Subject

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from uuid import UUID

    from app.db.engine import ReadSession, Session

_NAME = "notify"


@dataclass(frozen=True, slots=True)
class Channel:
    """Messages for `audience` about these tiers go to `target`; a webhook's secret is in `secret_file`."""

    id: UUID
    kind: ChannelKind
    target: str
    audience: Audience
    tiers: tuple[Tier, ...]
    secret_file: str | None
    created_at: datetime
    stopped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one address about one event; `kind` None where there was no channel to send it through."""

    id: UUID
    event_id: int
    event_at: datetime
    event: str
    audience: Audience
    kind: ChannelKind | None
    target: str
    channel_id: UUID | None
    title: str
    body: str
    created_at: datetime
    tries: int = 0
    secret_file: str | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """What a notification may say of a request or an exchange."""

    reference: str
    type: str
    tier: Tier
    state: str
    requesting: str | None
    requested: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How notifying goes: what waits, since when, and what alarms have not been made good since."""

    pending: int
    oldest_at: datetime | None
    alarmed: int


async def add_channel(session: Session, new: Channel) -> bool:
    """False, and nothing done, if this audience is told there already."""
    values = {
        "id": new.id,
        "kind": new.kind,
        "target": new.target,
        "audience": new.audience,
        "tiers": [str(tier) for tier in new.tiers],
        "secret_file": new.secret_file,
        "created_at": new.created_at,
        "stopped_at": None,
    }
    statement = insert(channel).values(values).on_conflict_do_nothing(index_elements=["kind", "target", "audience"])
    return (await session.execute(statement.returning(channel.c.id))).one_or_none() is not None


async def channels(session: ReadSession) -> list[Channel]:
    """All of them, those included that the other end has stopped."""
    return [_channel(row) for row in await session.execute(select(channel).order_by(channel.c.id))]


async def remove_channel(session: Session, channel_id: UUID) -> bool:
    """False if there is none. What is still to be sent through it is tried no more: its secret is gone with it."""
    found = await session.execute(delete(channel).where(channel.c.id == channel_id).returning(channel.c.id))
    return found.one_or_none() is not None


async def stop_channel(session: Session, channel_id: UUID, *, now: datetime) -> None:
    """The other end wants no more of it (410); only an operator adds it again."""
    await session.execute(update(channel).where(channel.c.id == channel_id).values(stopped_at=now))


async def matter_of(session: ReadSession, kind: Subject, subject: UUID) -> Matter | None:
    """What may be said of that request or exchange; None if it is not there."""
    table = request if kind is Subject.REQUEST else exchange
    row = (await session.execute(select(table).where(table.c.id == subject))).one_or_none()
    if row is None:
        return None
    if kind is Subject.REQUEST:
        return Matter(row.reference, row.type, Tier(row.tier), row.state, None, row.requested)
    return Matter(row.request_reference, row.type, Tier(row.tier), row.state, row.requesting, row.requested)


async def lock_position(session: Session) -> Position | None:
    """How far the feed was read, locked for this transaction; None if another process reads on at this moment.

    The first time of all it is the present end; so it is after a restore onto another server, whose numbers are others.
    """
    query = select(notice_position).where(notice_position.c.name == _NAME)
    row = (await session.execute(query.with_for_update(skip_locked=True))).one_or_none()
    if row is None:
        end = await end_of_feed(session)
        new = insert(notice_position).values(name=_NAME, txid=end.txid, id=end.id)
        await session.execute(new.on_conflict_do_nothing(index_elements=["name"]))
        return None
    if await _is_of_another_server(session, row.txid):
        end = await end_of_feed(session)
        await move_position(session, end)
        return end
    return Position(row.txid, row.id)


async def read_position(session: ReadSession) -> Position | None:
    """The same without locking it; None where `lock_position` would begin at the present end."""
    query = select(notice_position).where(notice_position.c.name == _NAME)
    row = (await session.execute(query)).one_or_none()
    if row is None or await _is_of_another_server(session, row.txid):
        return None
    return Position(row.txid, row.id)


async def move_position(session: Session, to: Position) -> None:
    """Everything up to `to` has been turned into notifications, in this transaction."""
    where = notice_position.c.name == _NAME
    await session.execute(update(notice_position).where(where).values(txid=to.txid, id=to.id))


async def add(session: Session, new: Notification, *, failed: str | None = None) -> bool:
    """Write it, to be sent at once, or as `failed` from the start; False if this event has told this address before."""
    ends = {"state": NotificationState.PENDING, "next_at": new.created_at}
    if failed is not None:
        ended = {"ended_at": new.created_at, "alarmed_at": new.created_at, "trouble": failed}
        ends = {"state": NotificationState.FAILED, **ended}
    values = {
        "id": new.id,
        "event_id": new.event_id,
        "event_at": new.event_at,
        "event": new.event,
        "audience": new.audience,
        "kind": new.kind,
        "target": new.target,
        "channel_id": new.channel_id,
        "title": new.title,
        "body": new.body,
        "tries": 0,
        "created_at": new.created_at,
        **ends,
    }
    statement = insert(notification).values(values).on_conflict_do_nothing()
    return (await session.execute(statement.returning(notification.c.id))).one_or_none() is not None


async def are_due(session: ReadSession, *, now: datetime) -> bool:
    """Whether `claim` would find anything, if nobody else takes it first; it costs no lock."""
    query = select(notification.c.id).where(notification.c.next_at <= now).order_by(notification.c.next_at).limit(1)
    return (await session.execute(query)).first() is not None


async def claim(session: Session, *, now: datetime, lease: timedelta, limit: int) -> list[Notification]:
    """Take what is due for `lease`: counted as tried, and nobody else's until then."""
    due = select(notification.c.id).where(notification.c.next_at <= now).order_by(notification.c.next_at).limit(limit)
    free = due.with_for_update(skip_locked=True).cte("free")
    taken = (
        update(notification)
        .where(notification.c.id == free.c.id)
        .values(tries=notification.c.tries + 1, next_at=now + lease)
        .returning(notification)
    )
    rows = (await session.execute(taken)).all()
    files = {one.id: one.secret_file for one in await channels(session)} if rows else {}
    return [_notification(row, files.get(row.channel_id)) for row in rows]


async def mark_sent(session: Session, one: Notification, *, now: datetime) -> None:
    """Somebody took it; not if the lease had run out and another process has it in hand."""
    values = {"state": NotificationState.SENT, "next_at": None, "ended_at": now, "trouble": None}
    await session.execute(update(notification).where(_still_ours(one)).values(values))


async def mark_troubled(
    session: Session, one: Notification, *, trouble: str, next_at: datetime | None, now: datetime
) -> bool:
    """It was not taken and is due again at `next_at`; None ends it as failed. False if it is not ours any more."""
    values: dict[str, Any] = {"trouble": trouble, "next_at": next_at}
    if next_at is None:
        values |= {"state": NotificationState.FAILED, "ended_at": now}
    found = await session.execute(update(notification).where(_still_ours(one)).values(values))
    return bool(found.rowcount)


async def mark_alarmed(session: Session, one: Notification, *, now: datetime) -> bool:
    """Whether this is the first alarm about it; there is one only."""
    where = and_(notification.c.id == one.id, notification.c.alarmed_at.is_(None))
    found = await session.execute(update(notification).where(where).values(alarmed_at=now))
    return bool(found.rowcount)


async def target_of(session: ReadSession, notification_id: UUID) -> str | None:
    """Where a notification was to go."""
    query = select(notification.c.target).where(notification.c.id == notification_id)
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def standing(session: ReadSession, *, since: datetime) -> Standing:
    """What waits, and the alarms since then after which nothing was taken at the same address."""
    later = notification.alias("later")
    made_good = (
        select(later.c.id)
        .where(later.c.target == notification.c.target, later.c.ended_at > notification.c.alarmed_at)
        .where(later.c.state == NotificationState.SENT)
    )
    pending = notification.c.state == NotificationState.PENDING
    alarmed = and_(
        notification.c.alarmed_at > since,
        notification.c.state != NotificationState.SENT,
        or_(pending, ~made_good.exists()),
    )
    counted = (
        func.count().filter(pending),
        func.min(notification.c.created_at).filter(pending),
        func.count().filter(alarmed),
    )
    row = (await session.execute(select(*counted))).one()
    return Standing(row[0], row[1], row[2])


async def _is_of_another_server(session: ReadSession, txid: int) -> bool:
    """Whether the position lies beyond every transaction of this server: going on from it would be silence for ever."""
    newest = text("SELECT (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint")
    return bool(txid >= (await session.execute(newest)).scalar_one())


def _still_ours(one: Notification) -> Any:  # noqa: ANN401 - a condition of SQL
    return and_(
        notification.c.id == one.id,
        notification.c.tries == one.tries,
        notification.c.state == NotificationState.PENDING,
    )


def _channel(row: Row[Any]) -> Channel:
    return Channel(
        id=row.id,
        kind=ChannelKind(row.kind),
        target=row.target,
        audience=Audience(row.audience),
        tiers=tuple(Tier(tier) for tier in row.tiers),
        secret_file=row.secret_file,
        created_at=row.created_at,
        stopped_at=row.stopped_at,
    )


def _notification(row: Row[Any], secret_file: str | None) -> Notification:
    return Notification(
        id=row.id,
        event_id=row.event_id,
        event_at=row.event_at,
        event=row.event,
        audience=Audience(row.audience),
        kind=None if row.kind is None else ChannelKind(row.kind),
        target=row.target,
        channel_id=row.channel_id,
        title=row.title,
        body=row.body,
        created_at=row.created_at,
        tries=row.tries,
        secret_file=secret_file,
    )
