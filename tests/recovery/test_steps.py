"""A step that dies before its commit is taken again; two that take one at the same moment take it once."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from app.db import recoveries
from app.db.engine import begin
from app.domain.codes import Lane, MessageType
from app.services.recovery.answer import answer_list, find_answerable
from app.services.recovery.bring_on import bring_on, end_recoveries
from app.services.send import Outgoing
from tests.recovery.steps import ask_of, closed, listing, lost, returned, step, tell
from tests.support.peer import new_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.db.engine import Session
    from tests.support.peer import Peer
    from tests.support.station import Station

OUTBOX = "SELECT type, thread, seq, left_by FROM outbox WHERE type <> 'receipt/1' ORDER BY id"


class Died(Exception):
    """The process ended between a step and its commit."""


@asynccontextmanager
async def dying(station: Station) -> AsyncIterator[Session]:
    """A transaction whose process dies before it is committed."""
    with suppress(Died):
        async with begin(station.engine) as session:
            yield session
            raise Died


async def dies(station: Station, peer: str) -> None:
    """Take the next step with this peer and die before the commit."""
    async with dying(station) as session:
        assert await bring_on(session, station.node, peer, now=station.clock())


async def test_each_step_of_the_restored_node_may_be_taken_again(station: Station, aurelia: Peer, kitano: Peer) -> None:
    """Asking and finishing leave nothing when they die, and the same as ever when they are taken again."""
    thread = new_id()
    await station.take(returned(aurelia, kitano.say("void/1", {}, thread=thread, seq=2)))
    before = await station.rows(OUTBOX)
    await dies(station, "XA")
    assert await station.rows(OUTBOX) == before
    assert await step(station, "XA")
    assert not await step(station, "XA")
    await tell(station, aurelia, "answer", listing(thread), id=await ask_of(station, "XA"))
    await dies(station, "XA")
    assert await closed(station) == ["XA", "XS"]
    assert await lost(station) == []
    assert await step(station, "XA")
    assert not await step(station, "XA")
    assert await closed(station) == ["XS"]
    assert await lost(station) == [(thread, 1, "voided")]
    rows = await station.rows(OUTBOX)
    assert [row for row in rows if row[1] == thread] == [
        ("void/1", thread, 2, "receipt"),
        ("void/1", thread, 1, None),
    ]
    assert sum(row[0] == "resync/1" for row in rows) == 2


async def test_an_answer_may_be_given_again(station: Station, aurelia: Peer) -> None:
    """A peer that dies while it answers has queued nothing; the answer it then gives is the only one."""
    thread = new_id()
    await station.take(aurelia.close(aurelia.say_next(thread, "void/1")))
    await station.put(Outgoing("XA", MessageType.EXCHANGE_STATE, {}, thread=thread, lane=Lane.URGENT))
    await tell(station, aurelia, "ask")
    before = await station.rows(OUTBOX)
    async with dying(station) as session:
        (key,) = await find_answerable(session, now=station.clock())
        assert await answer_list(session, station.node, key, now=station.clock())
    assert await station.rows(OUTBOX) == before
    async with begin(station.engine) as session:
        assert await answer_list(session, station.node, key, now=station.clock())
    async with begin(station.engine) as session:
        assert not await answer_list(session, station.node, key, now=station.clock())
    assert len(await station.rows(OUTBOX)) == len(before) + 3


async def test_while_one_takes_a_step_no_other_does(station: Station) -> None:
    """The turn is one process's until its transaction ends."""
    async with begin(station.engine) as one, begin(station.engine) as other:
        assert await recoveries.try_turn(one)
        assert not await recoveries.try_turn(other)
    async with begin(station.engine) as session:
        assert await recoveries.try_turn(session)


async def test_a_recovery_ends_with_its_last_peer_and_its_new_epoch(
    station: Station, aurelia: Peer, kitano: Peer
) -> None:
    """Neither open peers nor the new log alone are enough, whichever comes last; it ends once."""

    async def end() -> bool:
        async with begin(station.engine) as session:
            return await end_recoveries(session, station.node, now=station.clock())

    await station.take(returned(aurelia, kitano.say("void/1", {}, thread=new_id(), seq=1)))
    assert not await end()
    await station.change("UPDATE recovering_peer SET done_at = now()")
    assert not await end()
    await station.change("UPDATE recovery SET reopened_at = now()")
    assert await end()
    assert not await end()
