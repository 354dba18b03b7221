"""What does not move on and why, row by row and way by way: for the operator and the monitor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select, update

from app.db.passages import Way
from app.db.tables_delivery import InboxState, Trouble, inbox, outbox, thread
from app.db.tables_passage import passage
from app.db.threads import ThreadKey
from app.domain.codes import Lane

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session

MAX_SHOWN_MISSING = 100
"""Numbers of one gap that are named; a longer one is counted."""


_OPEN = (outbox.c.left_at.is_(None), outbox.c.fleeting.is_(False))
"""What is under way and matters: heartbeats and their receipts replace each other and wait for nobody."""


@dataclass(frozen=True, slots=True)
class Unreceipted:
    """One message of ours without a receipt. Without `next_at` the broker confirmed the latest copy."""

    id: int
    way: Way
    type: str
    thread: str | None
    seq: int | None
    copies: int
    tries: int
    queued_at: datetime
    next_at: datetime | None
    confirmed_at: datetime | None
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class WayOut:
    """Everything unreceipted of one way. `confirmed_since`: since when the longest confirmed one has no receipt."""

    way: Way
    count: int
    untried: int
    confirmed: int
    troubles: dict[Trouble, int]
    oldest_at: datetime
    oldest_untried_at: datetime | None
    confirmed_since: datetime | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stuck:
    """A way on which nothing got out lately; nothing is tried before `until`."""

    rounds: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages of one thread that wait for others which have not come.

    `missing` names the first `MAX_SHOWN_MISSING`; `waiting` counts what waits behind the first of them, `since` is when
    the first of those came. `alarmed` is the missing number of which the desk was told last.
    """

    key: ThreadKey
    exchange_id: UUID | None
    lane: Lane
    missing: tuple[int, ...]
    missing_count: int
    waiting: int
    since: datetime
    alarmed: int | None


async def unreceipted(
    session: ReadSession, *, peer: str | None = None, limit: int, after: int = 0
) -> list[Unreceipted]:
    """Messages without a receipt in the order in which they were queued, from behind the row `after`."""
    columns = [outbox.c[name] for name in Unreceipted.__dataclass_fields__ if name in outbox.c]
    query = (
        select(outbox.c.peer, outbox.c.lane, outbox.c.copy, outbox.c.created_at, *columns)
        .where(*_OPEN, outbox.c.id > after)
        .order_by(outbox.c.id)
        .limit(limit)
    )
    if peer is not None:
        query = query.where(outbox.c.peer == peer)
    return [
        Unreceipted(
            id=row.id,
            way=Way(row.peer, Lane(row.lane)),
            type=row.type,
            thread=row.thread,
            seq=row.seq,
            copies=row.copy,
            tries=row.tries,
            queued_at=row.created_at,
            next_at=row.next_at,
            confirmed_at=row.confirmed_at,
            trouble=None if row.trouble is None else Trouble(row.trouble),
        )
        for row in await session.execute(query)
    ]


async def ways_out(session: ReadSession) -> list[WayOut]:
    """One line per peer and lane that has anything without a receipt."""
    met: dict[Way, dict[Trouble, int]] = {}
    troubled = (
        select(outbox.c.peer, outbox.c.lane, outbox.c.trouble, func.count().label("rows"))
        .where(*_OPEN, outbox.c.trouble.is_not(None))
        .group_by(outbox.c.peer, outbox.c.lane, outbox.c.trouble)
    )
    for row in await session.execute(troubled):
        met.setdefault(Way(row.peer, Lane(row.lane)), {})[Trouble(row.trouble)] = row.rows
    untried, confirmed = outbox.c.tries == 0, outbox.c.next_at.is_(None)
    query = (
        select(
            outbox.c.peer,
            outbox.c.lane,
            func.count().label("rows"),
            func.count().filter(untried).label("untried"),
            func.count().filter(confirmed).label("confirmed"),
            func.min(outbox.c.created_at).label("oldest_at"),
            func.min(outbox.c.created_at).filter(untried).label("oldest_untried_at"),
            func.min(outbox.c.confirmed_at).filter(confirmed).label("confirmed_since"),
            func.min(outbox.c.next_at).label("next_at"),
        )
        .where(*_OPEN)
        .group_by(outbox.c.peer, outbox.c.lane)
        .order_by(outbox.c.peer, outbox.c.lane)
    )
    return [
        WayOut(
            way=(way := Way(row.peer, Lane(row.lane))),
            count=row.rows,
            untried=row.untried,
            confirmed=row.confirmed,
            troubles=met.get(way, {}),
            oldest_at=row.oldest_at,
            oldest_untried_at=row.oldest_untried_at,
            confirmed_since=row.confirmed_since,
            next_at=row.next_at,
        )
        for row in await session.execute(query)
    ]


async def stuck_ways(session: ReadSession, *, now: datetime) -> dict[Way, Stuck]:
    """The ways that are left alone at this moment because nothing got out on them."""
    query = select(passage.c.peer, passage.c.lane, passage.c.stuck, passage.c.stuck_until).where(
        passage.c.stuck > 0, passage.c.stuck_until > now
    )
    return {Way(row.peer, Lane(row.lane)): Stuck(row.stuck, row.stuck_until) for row in await session.execute(query)}


async def heard_on(session: ReadSession) -> dict[Way, datetime]:
    """When the latest receipt came on each way, of whatever it spoke."""
    query = select(passage.c.peer, passage.c.lane, passage.c.heard_at).where(passage.c.heard_at.is_not(None))
    return {Way(row.peer, Lane(row.lane)): row.heard_at for row in await session.execute(query)}


async def gaps(session: ReadSession, *, passing_over: Collection[str] = ()) -> list[Gap]:
    """Every thread in which something waits for a number that is not there, the longest waiting first.

    What waits behind a quarantined message alone is no gap. Peers in `passing_over` are left out: while their resync
    is awaited, everything of theirs waits.
    """
    waiting = (
        select(
            thread.c.peer,
            thread.c.id,
            thread.c.exchange_id,
            thread.c.lane,
            thread.c.consumed_in,
            thread.c.gap_alarmed,
            func.array_agg(inbox.c.seq).label("seqs"),
            func.array_agg(inbox.c.received_at).label("times"),
        )
        .join(inbox, and_(inbox.c.iss == thread.c.peer, inbox.c.thread == thread.c.id))
        .where(inbox.c.applied_at.is_(None), inbox.c.state.in_([InboxState.HELD.value, InboxState.QUARANTINED.value]))
        .where(thread.c.peer.not_in(list(passing_over)))
        .group_by(thread.c.peer, thread.c.id)
        .having(func.max(inbox.c.seq) - thread.c.consumed_in > func.count())
    )
    found = []
    for row in await session.execute(waiting):
        missing = sorted(set(range(row.consumed_in + 1, max(row.seqs))) - set(row.seqs))
        behind = [at for seq, at in zip(row.seqs, row.times, strict=True) if seq > missing[0]]
        gap = Gap(
            key=ThreadKey(row.id, row.peer),
            exchange_id=row.exchange_id,
            lane=Lane(row.lane),
            missing=tuple(missing[:MAX_SHOWN_MISSING]),
            missing_count=len(missing),
            waiting=len(behind),
            since=min(behind),
            alarmed=row.gap_alarmed,
        )
        found.append(gap)
    return sorted(found, key=lambda gap: (gap.since, gap.key))


async def mark_alarmed(session: Session, gap: Gap) -> bool:
    """Remember that the desk is told of this gap; False if it was told, or the gap was filled, meanwhile."""
    told = await session.execute(
        update(thread)
        .where(thread.c.peer == gap.key.peer, thread.c.id == gap.key.id, thread.c.consumed_in < gap.missing[0])
        .where(thread.c.gap_alarmed.is_distinct_from(gap.missing[0]))
        .values(gap_alarmed=gap.missing[0])
    )
    return int(told.rowcount) == 1


async def stopped_threads(session: ReadSession) -> dict[str, int]:
    """How many messages of each peer wait behind a quarantined one of their thread."""
    ahead = inbox.alias("ahead")
    behind = (
        select(inbox.c.iss, func.count().label("rows"))
        .where(inbox.c.applied_at.is_(None), inbox.c.state == InboxState.HELD.value)
        .where(
            select(ahead.c.jti)
            .where(
                ahead.c.iss == inbox.c.iss,
                ahead.c.thread == inbox.c.thread,
                ahead.c.seq < inbox.c.seq,
                ahead.c.state == InboxState.QUARANTINED.value,
                ahead.c.applied_at.is_(None),
            )
            .exists()
        )
        .group_by(inbox.c.iss)
    )
    return {row.iss: row.rows for row in await session.execute(behind)}
