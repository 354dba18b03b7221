"""Attempts to publish, one row each, written before the attempt and closed by what became of it.

`began_at`, `confirmed_at` and `receipted_at` of one lane and peer are the evidence by which a later publication whose
receipt is known proves an earlier one lost: the queues are first-in-first-out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, DateTime, Integer, Text, bindparam, column, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.passages import Way
from app.db.tables_delivery import publication
from app.domain.codes import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.db.engine import Session
    from app.db.outbox import Begun
    from app.db.tables_delivery import Trouble


@dataclass(frozen=True, slots=True)
class Ended:
    """One finished attempt: confirmed at a moment, or the trouble it met."""

    outbox_id: int
    copy: int
    confirmed_at: datetime | None
    trouble: Trouble | None


_IDS = bindparam("ids", type_=ARRAY(BigInteger))
_COPIES = bindparam("copies", type_=ARRAY(Integer))
_PEERS = bindparam("peers", type_=ARRAY(Text))
_MOMENTS = bindparam("moments", type_=ARRAY(DateTime(timezone=True)))
_TROUBLES = bindparam("troubles", type_=ARRAY(Text))


async def begin(session: Session, begun: Sequence[Begun], lane: Lane, *, now: datetime) -> None:
    """Record the attempts; to be committed before the first byte goes to the broker."""
    if not begun:
        return
    new = (
        func.unnest(_IDS, _COPIES, _PEERS)
        .table_valued(column("id", BigInteger), column("copy", Integer), column("peer", Text))
        .render_derived(name="new")
    )
    rows = select(new.c.id, new.c.copy, new.c.peer, literal(lane.value, Text), literal(now, DateTime(timezone=True)))
    await session.execute(
        insert(publication).from_select(["outbox_id", "copy", "peer", "lane", "began_at"], rows),
        {
            "ids": [one.letter.id for one in begun],
            "copies": [one.copy for one in begun],
            "peers": [one.letter.peer for one in begun],
        },
    )


async def end(session: Session, ended: Sequence[Ended]) -> None:
    """Record how attempts ended; one whose relay died stays open for ever, which says just that.

    Call it with the rows of the outbox locked, as those do who note receipts: then neither waits for the other.
    """
    if not ended:
        return
    one = (
        func.unnest(_IDS, _COPIES, _MOMENTS, _TROUBLES)
        .table_valued(
            column("id", BigInteger),
            column("copy", Integer),
            column("confirmed_at", DateTime(timezone=True)),
            column("trouble", Text),
        )
        .render_derived(name="ended")
    )
    statement = (
        update(publication)
        .where(publication.c.outbox_id == one.c.id, publication.c.copy == one.c.copy)
        .values(confirmed_at=one.c.confirmed_at, trouble=one.c.trouble)
    )
    await session.execute(
        statement,
        {
            "ids": [one.outbox_id for one in ended],
            "copies": [one.copy for one in ended],
            "moments": [one.confirmed_at for one in ended],
            "troubles": [one.trouble and one.trouble.value for one in ended],
        },
    )


async def receipt_known(session: Session, copies: Sequence[tuple[int, int]], *, now: datetime) -> dict[Way, datetime]:
    """Note that receipts for these copies (outbox id, copy) have come; return the latest beginning per way.

    Of the copies whose receipts became known just now, that is: the first receipt of a copy counts. Copies that were
    never made do nothing. Call it with the rows of the outbox locked.
    """
    if not copies:
        return {}
    said = (
        func.unnest(_IDS, _COPIES)
        .table_valued(column("id", BigInteger), column("copy", Integer))
        .render_derived(name="said")
    )
    statement = (
        update(publication)
        .where(
            publication.c.outbox_id == said.c.id,
            publication.c.copy == said.c.copy,
            publication.c.receipted_at.is_(None),
        )
        .values(receipted_at=now)
        .returning(publication.c.peer, publication.c.lane, publication.c.began_at)
    )
    values = {"ids": [row for row, _ in copies], "copies": [number for _, number in copies]}
    latest: dict[Way, datetime] = {}
    for row in await session.execute(statement, values):
        way = Way(row.peer, Lane(row.lane))
        latest[way] = max(row.began_at, latest.get(way, row.began_at))
    return latest
