"""What a receipt is compared with, and what it ends: rows of the outbox seen from the answer's side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Text, bindparam, case, func, or_, select, update

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
    """A row that a receipt speaks of. `status` is what an earlier receipt said."""

    id: int
    jti: UUID
    peer: str
    thread: str | None
    jws_hash: str | None
    status: ReceiptStatus | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What one entry of a receipt changes for its row."""

    id: int
    status: ReceiptStatus
    reason: str | None


async def lock_sent(session: Session, jtis: Collection[UUID]) -> dict[UUID, Sent]:
    """Lock the rows of these messages, in the order of their ids as everybody does; unknown ones are left out."""
    query = (
        select(outbox.c.id, outbox.c.jti, outbox.c.peer, outbox.c.thread, outbox.c.jws_hash, outbox.c.receipt_status)
        .where(outbox.c.jti.in_(jtis))
        .order_by(outbox.c.id)
        .with_for_update()
    )
    return {
        row.jti: Sent(
            row.id,
            row.jti,
            row.peer,
            row.thread,
            row.jws_hash,
            None if row.receipt_status is None else ReceiptStatus(row.receipt_status),
        )
        for row in await session.execute(query)
    }


async def earlier_hashes(session: ReadSession, jtis: Collection[UUID]) -> set[tuple[UUID, str]]:
    """Return the names of texts that newer signatures have replaced: a receipt for one of them still counts."""
    query = select(signed_text.c.jti, signed_text.c.inner_hash).where(signed_text.c.jti.in_(jtis))
    return {(row.jti, row.inner_hash) for row in await session.execute(query)}


async def end_rows(session: Session, taken: Sequence[Taken], *, now: datetime) -> None:
    """Store what the peer did with each message; the rows leave the outbox. `held` never replaces another status.

    (Receipts overtake each other: one that says `held` may come after the one that says `stored`.)
    """
    new_status, new_reason = bindparam("new_status", type_=Text), bindparam("new_reason", type_=Text)
    news = or_(outbox.c.receipt_status.is_(None), new_status != ReceiptStatus.HELD.value)
    statement = (
        update(outbox)
        .where(outbox.c.id == bindparam("row"))
        .values(
            receipted_at=func.coalesce(outbox.c.receipted_at, now),
            receipt_status=case((news, new_status), else_=outbox.c.receipt_status),
            receipt_reason=case((news, new_reason), else_=outbox.c.receipt_reason),
            left_at=func.coalesce(outbox.c.left_at, now),
            left_by=func.coalesce(outbox.c.left_by, LeftBy.RECEIPT.value),
        )
    )
    rows = [
        {"row": one.id, "new_status": one.status.value, "new_reason": one.reason}
        for one in sorted(taken, key=lambda one: one.id)
    ]
    if rows:
        await session.execute(statement, rows)


async def hasten_thread(session: Session, peer: str, thread: str, *, now: datetime) -> None:
    """Make all unreceipted messages of a thread with a gap due on the urgent lane, those under way a little later."""
    await _make_urgent(session, (outbox.c.peer == peer) & (outbox.c.thread == thread), now=now)


async def hasten_exchange(session: Session, exchange_id: UUID, *, now: datetime) -> None:
    """Make all unreceipted messages of an exchange, its attachments included, due on the urgent lane."""
    await _make_urgent(session, outbox.c.exchange_id == exchange_id, now=now)


async def hasten_troubled(session: Session, *, lane: Lane | None = None, peer: str | None = None, now: datetime) -> int:
    """Make due what the latest attempt did not get to the broker, all or of one lane or peer; returns how many.

    For the moment the broker is back, and for an operator: nothing has to sit out the rest of a long pause.
    """
    which = outbox.c.trouble.is_not(None) & (outbox.c.next_at > now)
    if lane is not None:
        which &= outbox.c.lane == lane
    if peer is not None:
        which &= outbox.c.peer == peer
    result = await session.execute(update(outbox).where(outbox.c.id.in_(_locked(which))).values(next_at=now))
    return int(result.rowcount)


async def slow_down_exchange(session: Session, exchange_id: UUID) -> None:
    """Let what an exchange still has in the outbox go on the routine lane from its next copy on."""
    mine = _locked((outbox.c.exchange_id == exchange_id) & (outbox.c.lane == Lane.URGENT))
    await session.execute(update(outbox).where(outbox.c.id.in_(mine)).values(lane=Lane.ROUTINE))


async def _make_urgent(session: Session, which: ColumnElement[bool], *, now: datetime) -> None:
    under_way = func.greatest(now, outbox.c.began_at + MISSING_GRACE)
    due = case((outbox.c.lane == Lane.URGENT, under_way), else_=now)
    await session.execute(
        update(outbox)
        .where(outbox.c.id.in_(_locked(which)))
        .values(lane=Lane.URGENT, next_at=func.least(outbox.c.next_at, due))
    )


def _locked(which: ColumnElement[bool]) -> Select[tuple[int]]:
    return select(outbox.c.id).where(which, outbox.c.left_at.is_(None)).order_by(outbox.c.id).with_for_update()
