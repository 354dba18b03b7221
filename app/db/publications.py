"""Attempts to publish, one row each, written before the attempt and closed by what became of it.

`began_at`, `confirmed_at` and `receipted_at` of one lane and peer are the evidence by which a later publication whose
receipt is known proves an earlier one lost: the queues are first-in-first-out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, update

from app.db.tables_delivery import publication

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.db.engine import Session
    from app.db.outbox import Begun
    from app.db.tables_delivery import Trouble
    from app.domain.codes import Lane


@dataclass(frozen=True, slots=True)
class Ended:
    """One finished attempt: confirmed at a moment, or the trouble it met."""

    outbox_id: int
    copy: int
    confirmed_at: datetime | None
    trouble: Trouble | None


async def begin(session: Session, begun: Sequence[Begun], lane: Lane, *, now: datetime) -> None:
    """Record the attempts; to be committed before the first byte goes to the broker."""
    rows = [
        {"outbox_id": one.letter.id, "copy": one.copy, "peer": one.letter.peer, "lane": str(lane), "began_at": now}
        for one in begun
    ]
    if rows:
        await session.execute(insert(publication), rows)


async def end(session: Session, ended: Sequence[Ended]) -> None:
    """Record how attempts ended; one whose relay died stays open for ever, which says just that."""
    statement = (
        update(publication)
        .where(publication.c.outbox_id == bindparam("row"), publication.c.copy == bindparam("number"))
        .values(confirmed_at=bindparam("at"), trouble=bindparam("why"))
    )
    rows = [
        {"row": one.outbox_id, "number": one.copy, "at": one.confirmed_at, "why": one.trouble}
        for one in sorted(ended, key=lambda one: (one.outbox_id, one.copy))
    ]
    if rows:
        await session.execute(statement, rows)


async def receipt_known(session: Session, copies: Sequence[tuple[int, int]], *, now: datetime) -> None:
    """Note that receipts for these copies (outbox id, copy) have come. The first counts; unknown copies do nothing."""
    statement = (
        update(publication)
        .where(publication.c.outbox_id == bindparam("row"), publication.c.copy == bindparam("number"))
        .values(receipted_at=func.coalesce(publication.c.receipted_at, now))
    )
    if copies:
        await session.execute(statement, [{"row": row, "number": number} for row, number in sorted(copies)])
