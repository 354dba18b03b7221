"""What is under way, what waits and since when: questions of the monitor. Reads only, from partial indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from app.db.tables_delivery import InboxState, Trouble, inbox, outbox
from app.db.tables_passage import passage
from app.domain.codes import Lane

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import ReadSession


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What one peer has not receipted on one lane. `troubles` counts the rows by what their latest attempt met.

    Of `depth` rows `unsigned` have never been published, and `confirmed` are with the broker, which no clock makes due.
    `next_at` is when the first of the others is published again, None if there is none. `silent` probes have had no
    answer, the next is not before `probe_at`; nothing at all leaves before `stuck_until`.
    """

    peer: str
    lane: Lane
    depth: int
    unsigned: int
    confirmed: int
    oldest_at: datetime
    next_at: datetime | None
    troubles: dict[Trouble, int]
    silent: int = 0
    probe_at: datetime | None = None
    stuck_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """What of one peer waits for its turn, or for a person, and since when."""

    peer: str
    state: InboxState
    depth: int
    oldest_at: datetime


async def outgoing(session: ReadSession) -> list[Outgoing]:
    """Return one line per peer and lane that has anything in the outbox."""
    troubles: dict[tuple[str, str], dict[Trouble, int]] = {}
    met = (
        select(outbox.c.peer, outbox.c.lane, outbox.c.trouble, func.count().label("rows"))
        .where(outbox.c.left_at.is_(None), outbox.c.trouble.is_not(None))
        .group_by(outbox.c.peer, outbox.c.lane, outbox.c.trouble)
    )
    for row in await session.execute(met):
        troubles.setdefault((row.peer, row.lane), {})[Trouble(row.trouble)] = row.rows
    query = (
        select(
            outbox.c.peer,
            outbox.c.lane,
            func.count().label("depth"),
            func.count().filter(outbox.c.jws.is_(None)).label("unsigned"),
            func.count().filter(outbox.c.next_at.is_(None)).label("confirmed"),
            func.min(outbox.c.created_at).label("oldest_at"),
            func.min(outbox.c.next_at).label("next_at"),
        )
        .where(outbox.c.left_at.is_(None))
        .group_by(outbox.c.peer, outbox.c.lane)
        .order_by(outbox.c.peer, outbox.c.lane)
    )
    ways = {(row.peer, row.lane): row for row in await session.execute(select(passage))}
    lines: list[Outgoing] = []
    for row in await session.execute(query):
        key = (row.peer, row.lane)
        counts = (row.depth, row.unsigned, row.confirmed, row.oldest_at, row.next_at, troubles.get(key, {}))
        way = ways.get(key)
        rests = () if way is None else (way.silent, way.probe_at, way.stuck_until)
        lines.append(Outgoing(row.peer, Lane(row.lane), *counts, *rests))
    return lines


async def incoming(session: ReadSession) -> list[Incoming]:
    """Return one line per peer and state for what is held or quarantined."""
    query = (
        select(
            inbox.c.iss, inbox.c.state, func.count().label("depth"), func.min(inbox.c.received_at).label("oldest_at")
        )
        .where(inbox.c.applied_at.is_(None))
        .group_by(inbox.c.iss, inbox.c.state)
        .order_by(inbox.c.iss, inbox.c.state)
    )
    return [Incoming(row.iss, InboxState(row.state), row.depth, row.oldest_at) for row in await session.execute(query)]


async def duplicates(session: ReadSession) -> dict[str, int]:
    """Return how many copies of known messages came, per peer, since the node was set up."""
    query = (
        select(inbox.c.iss, func.sum(inbox.c.duplicates).label("copies"))
        .where(inbox.c.duplicates > 0)
        .group_by(inbox.c.iss)
    )
    return {row.iss: row.copies for row in await session.execute(query)}
