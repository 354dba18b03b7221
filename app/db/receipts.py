"""What a receipt is compared with, and what it ends: rows of the outbox seen from the answer's side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Text, Uuid, bindparam, case, column, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from app.db import passages
from app.db.outbox import may_leave
from app.db.tables_delivery import LeftBy, outbox, signed_text
from app.domain.codes import Lane, ReceiptStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Select

    from app.db.engine import ReadSession, Session

MISSING_GRACE = timedelta(seconds=5)
"""A copy that began less than this ago is still on its way: a peer that misses it need not be sent another yet."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A row that a receipt speaks of. `status` and `reason` are what an earlier receipt said."""

    id: int
    jti: UUID
    peer: str
    thread: str | None
    type: str
    jws_hash: str | None
    status: ReceiptStatus | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What the peer did with the message of a row, after everything it has said of it."""

    id: int
    status: ReceiptStatus
    reason: str | None


_JTIS = bindparam("jtis", type_=ARRAY(Uuid))
_GAPS = bindparam("gaps", type_=ARRAY(Uuid))


async def lock_sent(
    session: Session, jtis: Collection[UUID], *, gaps: Collection[UUID], exchanges: Collection[UUID] = ()
) -> dict[UUID, Sent]:
    """Lock the rows of these messages, in the order of their ids as everybody does; unknown ones are left out.

    Receipts for `gaps` say that something before these messages is missing. What is unreceipted of their threads, and
    of `exchanges`, is locked with the others, in the same order: to lock it afterwards could wait for somebody who
    waits for us.
    """
    before = await _unreceipted(session, gaps=gaps, exchanges=exchanges)
    columns = (
        outbox.c.id,
        outbox.c.jti,
        outbox.c.peer,
        outbox.c.thread,
        outbox.c.type,
        outbox.c.jws_hash,
        outbox.c.receipt_status,
        outbox.c.receipt_reason,
    )
    which = outbox.c.jti == func.any(_JTIS)
    if before:
        which = or_(which, outbox.c.id == func.any(bindparam("ids", list(before), type_=ARRAY(BigInteger))))
    rows = await session.execute(
        select(*columns).where(which).order_by(outbox.c.id).with_for_update(), {"jtis": list(jtis)}
    )
    return {
        row.jti: Sent(
            row.id,
            row.jti,
            row.peer,
            row.thread,
            row.type,
            row.jws_hash,
            None if row.receipt_status is None else ReceiptStatus(row.receipt_status),
            row.receipt_reason,
        )
        for row in rows
        if row.id not in before or row.jti in jtis
    }


async def _unreceipted(session: ReadSession, *, gaps: Collection[UUID], exchanges: Collection[UUID]) -> set[int]:
    """What is still in the outbox of the threads of these messages, and of these exchanges."""
    found: set[int] = set()
    if exchanges:
        of_them = outbox.c.exchange_id == func.any(bindparam("exchanges", list(exchanges), type_=ARRAY(Uuid)))
        found |= set((await session.execute(select(outbox.c.id).where(of_them, outbox.c.left_at.is_(None)))).scalars())
    if gaps:
        behind, earlier = outbox.alias("behind"), outbox.alias("earlier")
        query = (
            select(earlier.c.id)
            .join(behind, (earlier.c.peer == behind.c.peer) & (earlier.c.thread == behind.c.thread))
            .where(behind.c.jti == func.any(_GAPS), behind.c.thread.is_not(None), earlier.c.left_at.is_(None))
        )
        found |= set((await session.execute(query, {"gaps": list(gaps)})).scalars())
    return found


async def earlier_hashes(session: ReadSession, jtis: Collection[UUID]) -> set[tuple[UUID, str]]:
    """Return the names of texts that newer signatures have replaced: a receipt for one of them still counts."""
    query = select(signed_text.c.jti, signed_text.c.inner_hash).where(signed_text.c.jti == func.any(_JTIS))
    return {(row.jti, row.inner_hash) for row in await session.execute(query, {"jtis": list(jtis)})}


async def end_rows(session: Session, taken: Sequence[Taken], *, now: datetime) -> None:
    """Store what the peer did with each message, at most once per row; the rows leave the outbox. They are locked."""
    if not taken:
        return
    said = (
        func.unnest(
            bindparam("ids", [one.id for one in taken], type_=ARRAY(BigInteger)),
            bindparam("states", [one.status.value for one in taken], type_=ARRAY(Text)),
            bindparam("reasons", [one.reason for one in taken], type_=ARRAY(Text)),
        )
        .table_valued(column("id", BigInteger), column("status", Text), column("reason", Text))
        .render_derived(name="said")
    )
    await session.execute(
        update(outbox)
        .where(outbox.c.id == said.c.id)
        .values(
            receipted_at=func.coalesce(outbox.c.receipted_at, now),
            receipt_status=said.c.status,
            receipt_reason=said.c.reason,
            left_at=func.coalesce(outbox.c.left_at, now),
            left_by=func.coalesce(outbox.c.left_by, LeftBy.RECEIPT.value),
        )
    )


async def hasten_thread(session: Session, peer: str, thread: str, *, now: datetime) -> None:
    """Make all unreceipted messages of a thread with a gap due on the urgent lane, those under way a little later."""
    await _make_urgent(session, (outbox.c.peer == peer) & (outbox.c.thread == thread), now=now)


async def hasten_exchange(session: Session, exchange_id: UUID, *, now: datetime) -> None:
    """Make all unreceipted messages of an exchange, its attachments included, due on the urgent lane."""
    await _make_urgent(session, outbox.c.exchange_id == exchange_id, now=now)


async def hasten_troubled(session: Session, *, lane: Lane | None = None, peer: str | None = None, now: datetime) -> int:
    """Make due what the latest attempt did not get to the broker, all or of one lane or peer; returns how many.

    For the moment the broker is back, and for an operator: nothing has to sit out the rest of a long pause, neither of
    its own nor of its way.
    """
    which = outbox.c.trouble.is_not(None) & (outbox.c.next_at > now)
    if lane is not None:
        which &= outbox.c.lane == lane
    if peer is not None:
        which &= outbox.c.peer == peer
    result = await session.execute(update(outbox).where(outbox.c.id.in_(_locked(which))).values(next_at=now))
    await passages.free_stuck(session, lane=lane, peer=peer)
    return int(result.rowcount)


async def hasten_oldest(session: Session, *, peer: str | None = None, now: datetime) -> int:
    """Make due the oldest confirmed message per peer and lane, all or of one peer; returns how many.

    A probe that does not wait for its time, at the word of an operator. It does not count as one: the others come as
    they would have come.
    """
    waiting = outbox.c.left_at.is_(None) & outbox.c.next_at.is_(None) & may_leave()
    if peer is not None:
        waiting &= outbox.c.peer == peer
    oldest = (
        select(func.min(outbox.c.id)).where(waiting).group_by(outbox.c.peer, outbox.c.published_lane).scalar_subquery()
    )
    mine = _locked(outbox.c.id.in_(oldest) & outbox.c.next_at.is_(None))
    result = await session.execute(update(outbox).where(outbox.c.id.in_(mine)).values(next_at=now))
    return int(result.rowcount)


async def slow_down_exchange(session: Session, exchange_id: UUID) -> None:
    """Let what an exchange still has in the outbox go on the routine lane from its next copy on."""
    mine = _locked((outbox.c.exchange_id == exchange_id) & (outbox.c.lane == Lane.URGENT))
    await session.execute(update(outbox).where(outbox.c.id.in_(mine)).values(lane=Lane.ROUTINE))


async def _make_urgent(session: Session, which: ColumnElement[bool], *, now: datetime) -> None:
    # `least` and `greatest` pass over NULL: a confirmed row, which has no time, gets this one.
    under_way = func.greatest(now, outbox.c.began_at + MISSING_GRACE)
    due = case((outbox.c.lane == Lane.URGENT, under_way), else_=now)
    await session.execute(
        update(outbox)
        .where(outbox.c.id.in_(_locked(which)))
        .values(lane=Lane.URGENT, next_at=func.least(outbox.c.next_at, due))
    )


def _locked(which: ColumnElement[bool]) -> Select[tuple[int]]:
    return select(outbox.c.id).where(which, outbox.c.left_at.is_(None)).order_by(outbox.c.id).with_for_update()
