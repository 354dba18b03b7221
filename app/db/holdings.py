"""Which numbers of the threads with a peer this node has, of its own and of the peer's; and what the peer lacks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, tuple_, update

from app.db.tables_delivery import LeftBy, inbox, outbox, thread
from app.domain.codes import ReceiptStatus

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session

IS_THERE = func.coalesce(
    outbox.c.receipt_status.is_not(None)
    & ~((outbox.c.receipt_status == ReceiptStatus.QUARANTINED.value) & (outbox.c.receipt_reason == "equivocation")),
    False,
)
"""Whether the peer has receipted just this text of ours, and not as the second one in a place that another text has."""


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """One number of ours in a thread: whether its text was signed, and whether the peer is known to have that text."""

    seq: int
    is_signed: bool
    is_there: bool


@dataclass(frozen=True, slots=True)
class TheirNumbers:
    """The peer's numbers in a thread: all up to `consumed`, and those that wait above."""

    consumed: int
    waiting: tuple[int, ...]


async def own_numbers(session: ReadSession, peer: str) -> dict[str, list[OwnNumber]]:
    """Every number of ours in every thread with this peer, ascending."""
    query = select(
        outbox.c.thread,
        outbox.c.seq,
        outbox.c.jws.is_not(None).label("is_signed"),
        IS_THERE.label("is_there"),
    ).where(outbox.c.peer == peer, outbox.c.thread.is_not(None))
    found: defaultdict[str, list[OwnNumber]] = defaultdict(list)
    for row in await session.execute(query.order_by(outbox.c.thread, outbox.c.seq)):
        found[row.thread].append(OwnNumber(row.seq, row.is_signed, row.is_there))
    return dict(found)


async def their_numbers(session: ReadSession, peer: str) -> dict[str, TheirNumbers]:
    """What of the peer we have in every thread with it; a quarantined message is there, too."""
    waiting: defaultdict[str, list[int]] = defaultdict(list)
    query = select(inbox.c.thread, inbox.c.seq).where(
        inbox.c.iss == peer, inbox.c.thread.is_not(None), inbox.c.applied_at.is_(None)
    )
    for row in await session.execute(query.order_by(inbox.c.seq)):
        waiting[row.thread].append(row.seq)
    rows = await session.execute(select(thread.c.id, thread.c.consumed_in).where(thread.c.peer == peer))
    return {row.id: TheirNumbers(row.consumed_in, tuple(waiting[row.id])) for row in rows}


async def texts_at(
    session: ReadSession, peer: str, places: Collection[tuple[str, int]], *, longest: int
) -> list[tuple[str, str]]:
    """Return (thread, signed text) of the peer's messages at these places, by place; none of more than `longest`."""
    query = (
        select(inbox.c.thread, inbox.c.jws)
        .where(
            inbox.c.iss == peer,
            tuple_(inbox.c.thread, inbox.c.seq).in_(places),
            func.length(inbox.c.jws) <= longest,
        )
        .order_by(inbox.c.thread, inbox.c.seq)
    )
    return [(row.thread, row.jws) for row in await session.execute(query)] if places else []


async def texts_of(session: ReadSession, peer: str, jtis: Collection[UUID], *, longest: int) -> list[tuple[str, str]]:
    """The same of messages that have a place in a thread, by their names."""
    query = (
        select(inbox.c.thread, inbox.c.jws)
        .where(
            inbox.c.iss == peer,
            inbox.c.jti.in_(jtis),
            inbox.c.thread.is_not(None),
            func.length(inbox.c.jws) <= longest,
        )
        .order_by(inbox.c.thread, inbox.c.seq)
    )
    return [(row.thread, row.jws) for row in await session.execute(query)] if jtis else []


async def peer_numbers_stored(session: ReadSession, peer: str) -> dict[str, list[int]]:
    """Every number of the peer of which we have the text, in every thread."""
    query = select(inbox.c.thread, inbox.c.seq).where(inbox.c.iss == peer, inbox.c.thread.is_not(None))
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row in await session.execute(query.order_by(inbox.c.thread, inbox.c.seq)):
        found[row.thread].append(row.seq)
    return dict(found)


async def queue_again(session: Session, peer: str, places: Collection[tuple[str, int]], *, now: datetime) -> int:
    """Let messages of ours that had left the outbox be published again, under the same text; returns how many."""
    mine = (
        select(outbox.c.id)
        .where(outbox.c.peer == peer, tuple_(outbox.c.thread, outbox.c.seq).in_(places))
        .order_by(outbox.c.id)
        .with_for_update()
    )
    if not places:
        return 0
    present = (
        select(thread.c.lane)
        .where(thread.c.peer == outbox.c.peer, thread.c.id == outbox.c.thread)
        .correlate(outbox)
        .scalar_subquery()
    )
    again = await session.execute(
        update(outbox)
        .where(outbox.c.id.in_(mine))
        .values(
            left_at=None,
            left_by=None,
            receipted_at=None,
            receipt_status=None,
            receipt_reason=None,
            tries=0,
            next_at=now,
            # That of the thread as it is now: its tier may have been raised since this left.
            lane=func.coalesce(present, outbox.c.lane),
        )
    )
    return int(again.rowcount)


async def take_as_there(session: Session, peer: str, places: Collection[tuple[str, int]], *, now: datetime) -> None:
    """End messages of ours whose places the peer says are taken: chunks of files, which no peer returns."""
    mine = (
        select(outbox.c.id)
        .where(outbox.c.peer == peer, tuple_(outbox.c.thread, outbox.c.seq).in_(places), outbox.c.left_at.is_(None))
        .order_by(outbox.c.id)
        .with_for_update()
    )
    if places:
        await session.execute(
            update(outbox).where(outbox.c.id.in_(mine)).values(left_at=now, left_by=LeftBy.SUPERSEDED)
        )
