"""Threads: the two counters with a peer, and the row lock under which everything of a thread happens.

Lock order for every command of the node: thread rows first (several: by id, then peer), then rows of the exchange, then
the outbox. Who keeps to it cannot deadlock with the receiver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, bindparam, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_delivery import thread
from app.domain.codes import Lane

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Select

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True, order=True)
class ThreadKey:
    """A thread with one peer. Sorts in the order in which rows are locked."""

    id: str
    peer: str


@dataclass(frozen=True, slots=True)
class Thread:
    """`opened_by` is the code that opened it, None while nobody has or the opening was not its peer's to make.

    `consumed_in` is the highest number of the peer below which nothing is missing and nothing waits.
    """

    key: ThreadKey
    exchange_id: UUID | None
    opened_by: str | None
    lane: Lane
    next_out: int
    consumed_in: int


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one outgoing message in its thread, and the lane of the thread at this moment."""

    seq: int
    prev: UUID | None
    lane: Lane


@dataclass(frozen=True, slots=True)
class NewThread:
    """What a thread row is born with. A `lane` of None means: that of the row if there is one, else routine."""

    key: ThreadKey
    exchange_id: UUID | None
    opened_by: str | None
    lane: Lane | None


_COLUMNS = (
    thread.c.peer,
    thread.c.id,
    thread.c.exchange_id,
    thread.c.opened_by,
    thread.c.lane,
    thread.c.next_out,
    thread.c.consumed_in,
)


async def lock(session: Session, keys: Collection[ThreadKey]) -> dict[ThreadKey, Thread]:
    """Lock these rows in the order that lets no two transactions wait for each other; absent ones are left out."""
    query = (
        select(*_COLUMNS)
        .where(tuple_(thread.c.id, thread.c.peer).in_([(key.id, key.peer) for key in keys]))
        .order_by(thread.c.id, thread.c.peer)
        .with_for_update()
    )
    return await _load(session, query) if keys else {}


async def load(session: ReadSession, key: ThreadKey) -> Thread | None:
    """Read one thread without locking it."""
    query = select(*_COLUMNS).where(thread.c.id == key.id, thread.c.peer == key.peer)
    return (await _load(session, query)).get(key)


async def ensure(session: Session, rows: Iterable[NewThread], *, now: datetime) -> None:
    """Create the rows that do not exist, in lock order; what exists is neither changed nor locked."""
    values = [
        {
            "peer": row.key.peer,
            "id": row.key.id,
            "exchange_id": row.exchange_id,
            "opened_by": row.opened_by,
            "lane": str(row.lane or Lane.ROUTINE),
            "next_out": 1,
            "consumed_in": 0,
            "created_at": now,
        }
        for row in sorted(rows, key=lambda row: row.key)
    ]
    if values:
        # One statement for whatever number of rows: it is compiled once, not for each number anew.
        await session.execute(
            insert(thread).on_conflict_do_nothing(index_elements=[thread.c.peer, thread.c.id]), values
        )


async def take_place(session: Session, row: NewThread, jti: UUID, *, now: datetime) -> Place:
    """Give `jti` the next outgoing number and remember it as the last; creates and locks the row."""
    new = insert(thread).values(
        peer=row.key.peer,
        id=row.key.id,
        exchange_id=row.exchange_id,
        opened_by=row.opened_by,
        lane=row.lane or Lane.ROUTINE,
        next_out=2,
        last_out=jti,
        consumed_in=0,
        created_at=now,
    )
    upsert = new.on_conflict_do_update(
        index_elements=[thread.c.peer, thread.c.id],
        set_={
            "next_out": thread.c.next_out + 1,
            "last_out": new.excluded.last_out,
            "last_out_but_one": thread.c.last_out,
            "opened_by": func.coalesce(thread.c.opened_by, new.excluded.opened_by),
            "lane": func.coalesce(bindparam("lane_given", row.lane, type_=Text), thread.c.lane),
        },
    ).returning(thread.c.next_out, thread.c.last_out_but_one, thread.c.lane)
    taken = (await session.execute(upsert)).one()
    return Place(taken.next_out - 1, taken.last_out_but_one, Lane(taken.lane))


async def move(session: Session, moved: Iterable[Thread]) -> None:
    """Store the incoming counter and the opener of locked threads. A counter never goes back, an opener never changes.

    From then on an opened thread belongs to its peer and us; the database refuses its id to any further peer.
    """
    statement = (
        update(thread)
        .where(
            thread.c.peer == bindparam("of_peer"),
            thread.c.id == bindparam("of_id"),
            thread.c.consumed_in <= bindparam("up_to"),
        )
        .values(
            consumed_in=bindparam("up_to"),
            opened_by=func.coalesce(thread.c.opened_by, bindparam("opener", type_=Text)),
        )
    )
    rows = [
        {"of_peer": one.key.peer, "of_id": one.key.id, "up_to": one.consumed_in, "opener": one.opened_by}
        for one in sorted(moved, key=lambda one: one.key)
    ]
    if rows:
        await session.execute(statement, rows)


async def owners(session: ReadSession, ids: Collection[str]) -> dict[str, str]:
    """Return with which peer each of these threads was opened, by either side; unopened ones are left out."""
    if not ids:
        return {}
    query = select(thread.c.id, thread.c.peer).where(thread.c.id.in_(ids), thread.c.opened_by.is_not(None))
    return {row.id: row.peer for row in await session.execute(query)}


async def belongs_elsewhere(session: ReadSession, key: ThreadKey) -> bool:
    """Tell whether this id was opened by, or towards, another peer than the one of `key`."""
    return (await owners(session, [key.id])).get(key.id, key.peer) != key.peer


async def set_lane(session: Session, exchange_id: UUID, lane: Lane) -> None:
    """Let what is queued from now on in all threads of this exchange take `lane`; locks them."""
    mine = select(thread.c.id).where(thread.c.exchange_id == exchange_id)
    await session.execute(mine.order_by(thread.c.id, thread.c.peer).with_for_update())
    await session.execute(update(thread).where(thread.c.exchange_id == exchange_id).values(lane=lane))


async def _load(session: ReadSession, query: Select[Any]) -> dict[ThreadKey, Thread]:
    rows = await session.execute(query)
    threads = (
        Thread(
            ThreadKey(row.id, row.peer), row.exchange_id, row.opened_by, Lane(row.lane), row.next_out, row.consumed_in
        )
        for row in rows
    )
    return {one.key: one for one in threads}
