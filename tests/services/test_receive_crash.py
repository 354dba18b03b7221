"""A crash anywhere leaves nothing half done; a message that breaks us stops itself and its own thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.db.engine import begin
from app.domain.codes import Lane
from app.services.keep import keep
from app.services.quarantine import quarantine_crashed, quarantine_unopened
from app.services.receive import receive
from app.services.retry_quarantined import retry_quarantined
from app.services.settle import find_unsettled, settle
from tests.services.test_receive_refusals import receipted
from tests.support.peer import new_id
from tests.support.station import Fault

if TYPE_CHECKING:
    from tests.support.peer import Peer
    from tests.support.station import Station


class PowerCut(Exception):
    """The process ends here."""


async def take_without_commit(station: Station, raw: bytes) -> None:
    """Receive one delivery up to its commit, and no further."""
    async with begin(station.engine) as session:
        batch = [station.arrive(raw)]
        await receive(session, station.node, batch, effects=station.effects, now=station.clock())
        raise PowerCut


async def test_a_crash_before_the_commit_leaves_nothing(station: Station, aurelia: Peer) -> None:
    """When the process dies before its commit, the redelivered batch is new: one effect, one receipt."""
    thread = new_id()
    raw = aurelia.close(aurelia.say_next(thread))
    with pytest.raises(PowerCut):
        await take_without_commit(station, raw)
    assert await station.rows("SELECT count(*) FROM inbox") == [(0,)]
    taken = await station.take(raw)
    assert taken.tally.new == 1
    assert await station.effects_of(thread) == [1]
    assert await receipted(station) == [("XA", "stored", None)]


async def test_a_crash_after_the_commit_brings_a_duplicate(station: Station, aurelia: Peer) -> None:
    """When the process dies between commit and acknowledgement, the redelivery has no effect and is receipted again."""
    thread = new_id()
    raw = aurelia.close(aurelia.say_next(thread))
    await station.take(raw)
    await station.take(raw)
    assert await station.effects_of(thread) == [1]
    assert len(await receipted(station)) == 2


async def test_poison_stops_its_own_thread_only(station: Station, aurelia: Peer) -> None:
    """Of a batch whose one message raises, all others have their effect; it and what follows it in its thread wait."""
    thread, other = new_id(), new_id()
    texts = [aurelia.say_next(thread), aurelia.say_next(thread, body={"poison": True}), aurelia.say_next(thread)]
    texts += [aurelia.say_next(other), aurelia.say_next(other)]
    raws = [aurelia.close(said) for said in texts]
    with pytest.raises(Fault):
        await station.take(*raws)
    await station.take_singly(*raws)
    assert await station.fates_of(thread) == [(1, "applied", None), (2, "quarantined", "crashed"), (3, "held", None)]
    assert await station.effects_of(thread) == [1], "what the poison had written was rolled back"
    assert await station.effects_of(other) == [1, 2]
    assert (await receipted(station))[-1] == ("XA", "quarantined", "crashed")


async def test_poison_that_waited_is_found(station: Station, aurelia: Peer) -> None:
    """When an innocent message fills the gap before a poisonous one, only the poisonous one is stopped."""
    thread = new_id()
    first = aurelia.close(aurelia.say_next(thread))
    await station.take(aurelia.close(aurelia.say_next(thread, body={"poison": True})))
    with pytest.raises(Fault):
        await station.take(first)
    await station.take_singly(first)
    assert await station.fates_of(thread) == [(1, "applied", None), (2, "quarantined", "crashed")]


async def test_a_duplicate_of_poison_is_told_the_same(station: Station, aurelia: Peer) -> None:
    """A copy of a stopped message is not tried again; its receipt says quarantined."""
    thread = new_id()
    raw = aurelia.close(aurelia.say_next(thread, body={"poison": True}))
    await station.take_singly(raw)
    await station.take(raw)
    assert [status for _, status, _ in await receipted(station)] == ["stored", "quarantined", "quarantined"]


async def test_a_new_release_may_take_what_broke_the_old(station: Station, aurelia: Peer) -> None:
    """A stopped message has its turn again after a new release, and only then."""
    thread = new_id()
    raws = [aurelia.close(aurelia.say_next(thread, body={"poison": True})), aurelia.close(aurelia.say_next(thread))]
    await station.take_singly(*raws)
    for crashed, released in ((False, 0), (True, 1)):
        async with begin(station.engine) as session:
            done = await retry_quarantined(session, effects=station.effects, crashed=crashed, now=station.clock())
        assert done == released
    assert [fate for _, fate, _ in await station.fates_of(thread)] == ["held", "held"]


async def test_a_crash_between_storing_and_settling_is_swept(station: Station, aurelia: Peer) -> None:
    """What was stored and receipted when the process died has its effect at the next sweep, in order and once."""
    thread = new_id()
    call = aurelia.say("test-call/1")
    batch = [station.arrive(aurelia.close(said)) for said in (aurelia.say_next(thread), aurelia.say_next(thread), call)]
    async with begin(station.engine) as session:
        await keep(session, station.node, batch, effects=station.effects, now=station.clock())
    assert await station.rows("SELECT count(*) FROM effect") == [(0,)]
    assert await station.sweep() == 3
    assert await station.effects_of(thread) == [1, 2]
    assert await station.sweep() == 0


async def test_two_sweeps_settle_once(station: Station, aurelia: Peer) -> None:
    """Messages that two sweeps found have one effect each: the second finds them taken."""
    thread = new_id()
    batch = [station.arrive(aurelia.close(said)) for said in (aurelia.say_next(thread), aurelia.say("test-call/1"))]
    async with begin(station.engine) as session:
        await keep(session, station.node, batch, effects=station.effects, now=station.clock())
        found = await find_unsettled(session)
    for expected in (2, 0):
        async with begin(station.engine) as session:
            done = await settle(session, station.node, found, effects=station.effects, now=station.clock())
        assert len(done) == expected
    assert await station.rows("SELECT count(*) FROM effect") == [(2,)]


async def test_stopping_what_is_settled_changes_nothing(station: Station, aurelia: Peer) -> None:
    """A supervisor that comes too late to stop a message finds it applied and leaves it."""
    thread = new_id()
    batch = [station.arrive(aurelia.close(aurelia.say_next(thread)))]
    async with begin(station.engine) as session:
        (due,) = (await keep(session, station.node, batch, effects=station.effects, now=station.clock())).due
        await settle(session, station.node, [due], effects=station.effects, now=station.clock())
    async with begin(station.engine) as session:
        await quarantine_crashed(session, station.node, due, now=station.clock())
    assert await station.fates_of(thread) == [(1, "applied", None)]


async def test_bytes_that_kill_are_put_aside_unopened(station: Station) -> None:
    """What the broker has had back too often is kept without being touched, with a fact and without a receipt."""
    async with begin(station.engine) as session:
        for lane in Lane:
            await quarantine_unopened(session, station.node, b"deadly", lane=lane, now=station.clock())
    assert await station.rows("SELECT raw, reason, times FROM quarantine") == [(b"deadly", "unopened", 2)]
    assert await station.rows("SELECT count(*) FROM audit_pending") == [(1,)]
