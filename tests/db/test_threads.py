"""The thread row: two counters that never go back, one owner that never changes, one order of locking."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import uuid_utils

from app.db import threads
from app.db.engine import begin, reading
from app.db.threads import NewThread, Place, Thread, ThreadKey
from app.domain.codes import Lane

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncEngine

ID = "019a9f5e-7c00-7000-8000-00000000000a"
OURS = ThreadKey(ID, "XA")
THEIRS = ThreadKey(ID, "XS")


def fresh() -> UUID:
    """An id."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


async def ensure(engine: AsyncEngine, now: datetime, *rows: NewThread) -> None:
    """Create these threads."""
    async with begin(engine) as session:
        await threads.ensure(session, rows, now=now)


async def test_creating_changes_nothing_that_is_there(engine: AsyncEngine, now: datetime) -> None:
    """A thread that exists keeps its lane, its owner and its counters when it is created again."""
    await ensure(engine, now, NewThread(OURS, UUID(ID), "XA", Lane.URGENT))
    await ensure(engine, now, NewThread(OURS, None, None, None), NewThread(THEIRS, None, None, None))
    async with reading(engine) as session:
        assert await threads.load(session, OURS) == Thread(OURS, UUID(ID), "XA", Lane.URGENT, 1, 0)


async def test_places_are_chained(engine: AsyncEngine, now: datetime) -> None:
    """Each message gets the next number and learns which one was before it."""
    jtis = [fresh() for _ in range(3)]
    row = NewThread(OURS, UUID(ID), None, None)
    async with begin(engine) as session:
        places = [await threads.take_place(session, row, jti, now=now) for jti in jtis]
    previous = [None, *jtis]
    assert places == [Place(seq, previous[seq - 1], Lane.ROUTINE) for seq in (1, 2, 3)]


async def test_a_counter_never_goes_back(engine: AsyncEngine, now: datetime) -> None:
    """Storing a lower number of consumed messages, or another opener, changes nothing."""
    await ensure(engine, now, NewThread(OURS, None, None, None))
    for consumed, opener in ((4, "XA"), (2, "XA"), (5, "XT")):
        async with begin(engine) as session:
            await threads.move(session, [Thread(OURS, None, opener, Lane.ROUTINE, 1, consumed)])
    async with reading(engine) as session:
        assert await threads.load(session, OURS) == Thread(OURS, None, "XA", Lane.ROUTINE, 1, 5)


async def test_whose_an_id_is(engine: AsyncEngine, now: datetime) -> None:
    """An id belongs to the peer with whom it was opened; a row that nobody opened claims nothing."""
    await ensure(engine, now, NewThread(OURS, None, "XT", None), NewThread(THEIRS, None, None, None))
    async with reading(engine) as session:
        assert await threads.owners(session, [ID, "other"]) == {ID: "XA"}
        assert await threads.belongs_elsewhere(session, THEIRS)
        assert not await threads.belongs_elsewhere(session, OURS)
        assert not await threads.belongs_elsewhere(session, ThreadKey("other", "XS"))


async def test_locks_are_taken_in_one_order(engine: AsyncEngine, now: datetime) -> None:
    """Four transactions that lock the same twelve threads, each naming them in its own order, all come through."""
    keys = [ThreadKey(str(fresh()), peer) for peer in ("XA", "XS") for _ in range(6)]
    await ensure(engine, now, *(NewThread(key, None, None, None) for key in keys))

    async def lock(shift: int) -> int:
        async with begin(engine) as session:
            return len(await threads.lock(session, keys[shift:] + keys[:shift]))

    async with asyncio.timeout(10):
        assert await asyncio.gather(*(lock(shift) for shift in range(4))) == [12] * 4


async def test_absent_threads_are_left_out(engine: AsyncEngine) -> None:
    """Locking what does not exist locks nothing and is no error."""
    async with begin(engine) as session:
        assert await threads.lock(session, [OURS]) == {}
        assert await threads.lock(session, []) == {}
        assert await threads.owners(session, []) == {}
