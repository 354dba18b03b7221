"""What every broker must do, run unchanged against RabbitMQ and the in-process bus."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from app.bus.broker import BATCH, NotTaken, TryLater, Unroutable
from app.domain.codes import Lane
from app.errors import LogBroken
from tests.support.bus import Desk, MemoryRig, RabbitRig, consuming, eventually, send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from app.bus.broker import Delivery
    from tests.support.bus import Rig
    from tests.support.rabbit import Vhost


@pytest.fixture
async def memory_rig() -> AsyncIterator[Rig]:
    """An in-process bus."""
    async with MemoryRig() as opened:
        yield opened


@pytest.fixture
async def rabbit_rig(make_vhost: Callable[..., Awaitable[Vhost]]) -> AsyncIterator[Rig]:
    """A vhost of RabbitMQ."""
    async with RabbitRig(await make_vhost("XA", "XT")) as opened:
        yield opened


@pytest.fixture(params=["memory_rig", "rabbit_rig"], ids=["memory", "rabbit"])
def rig(request: pytest.FixtureRequest) -> Rig:
    """Each kind of broker in turn."""
    chosen: Rig = request.getfixturevalue(request.param)
    return chosen


async def test_a_confirmed_publication_is_taken_exactly_once(rig: Rig) -> None:
    """What was published, confirmed, handed over and acknowledged is not handed over again, to nobody."""
    xa, xt, desk, later = await rig.connect("XA"), await rig.connect("XT"), Desk(), Desk()
    async with consuming(xt, Lane.URGENT, desk.handle):
        await xa.publish(Lane.URGENT, "XT", b"one")
        await desk.has(1)
    async with consuming(xt, Lane.URGENT, later.handle):
        await xa.publish(Lane.URGENT, "XT", b"two")
        await later.has(1)
    assert (desk.bodies, later.bodies) == ([b"one"], [b"two"])


async def test_a_delivery_says_what_the_broker_knows(rig: Rig) -> None:
    """Address, sender, lane and history come with each body."""
    xa, xt, desk = await rig.connect("XA"), await rig.connect("XT"), Desk()
    async with consuming(xt, Lane.ROUTINE, desk.handle):
        await xa.publish(Lane.ROUTINE, "XT", b"\x00\xff")
        await desk.has(1)
    [got] = desk.taken
    assert (got.body, got.routing_key, got.sender, got.lane) == (b"\x00\xff", "XT.XA.routine", "XA", Lane.ROUTINE)
    assert (got.redelivered, got.delivery_count, got.dead) == (False, 0, False)


@pytest.mark.parametrize("nobody", ["XS", "xt", "XT.XA", "#", ""])
async def test_an_unknown_contact_point_is_unroutable(rig: Rig, nobody: str) -> None:
    """A code without a queue, or that is none, is told at once, and harms no publication after it."""
    xa, xt, desk = await rig.connect("XA"), await rig.connect("XT"), Desk()
    with pytest.raises(Unroutable):
        await xa.publish(Lane.URGENT, nobody, b"lost")
    async with consuming(xt, Lane.URGENT, desk.handle):
        await xa.publish(Lane.URGENT, "XT", b"found")
        await desk.has(1)
    assert desk.bodies == [b"found"]


async def test_a_lane_keeps_its_order(rig: Rig) -> None:
    """Publications begun one after the other arrive in that order, even when all are under way at once."""
    xa, xt, desk = await rig.connect("XA"), await rig.connect("XT"), Desk()
    bodies = [str(number).encode() for number in range(120)]
    async with consuming(xt, Lane.ROUTINE, desk.handle):
        await asyncio.gather(*(xa.publish(Lane.ROUTINE, "XT", body) for body in bodies))
        await desk.has(len(bodies))
    assert desk.bodies == bodies


async def test_urgent_does_not_wait_for_a_stuck_routine_handle(rig: Rig) -> None:
    """The lanes share nothing: with routine stuck in its handle, urgent is published, taken and confirmed."""
    xa, xt, urgent = await rig.connect("XA"), await rig.connect("XT"), Desk()
    released = asyncio.Event()

    async def wait(_: Sequence[Delivery]) -> None:
        await released.wait()

    routine = Desk(wait)
    async with consuming(xt, Lane.ROUTINE, routine.handle), consuming(xt, Lane.URGENT, urgent.handle):
        under_way = [asyncio.create_task(send(xa, "XT", b"slow", lane=Lane.ROUTINE)) for _ in range(60)]
        await eventually(lambda: routine.calls == 1)
        async with asyncio.timeout(5):
            await xa.publish(Lane.URGENT, "XT", b"quick")
            await urgent.has(1)
        assert routine.taken == []
        released.set()
        await asyncio.gather(*under_way)


async def test_batches_are_bounded_and_serial(rig: Rig) -> None:
    """A handle gets at most `BATCH` deliveries, and no second call while it is at work."""
    xa, xt = await rig.connect("XA"), await rig.connect("XT")
    released = asyncio.Event()

    async def wait(_: Sequence[Delivery]) -> None:
        await released.wait()

    desk = Desk(wait)
    async with consuming(xt, Lane.URGENT, desk.handle):
        under_way = [asyncio.create_task(xa.publish(Lane.URGENT, "XT", b"x")) for _ in range(130)]
        await eventually(lambda: desk.calls == 1)
        released.set()
        await asyncio.gather(*under_way)
        await desk.has(130)
    assert max(map(len, desk.batches)) <= BATCH
    assert len(desk.batches) < 130, "what is in hand goes in one call"
    assert desk.most_at_once == 1


async def test_try_later_brings_everything_again(rig: Rig) -> None:
    """A node in trouble of its own gets the same deliveries again, in order, and none is counted as guilty."""
    refusals = 3

    async def refuse(_: Sequence[Delivery]) -> None:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise TryLater("the database is away")

    xa, xt, desk = await rig.connect("XA"), await rig.connect("XT"), Desk(refuse)
    async with consuming(xt, Lane.URGENT, desk.handle):
        await send(xa, "XT", b"1", b"2", b"3")
        await desk.has(3)
    assert desk.bodies == [b"1", b"2", b"3"]
    assert {delivery.delivery_count for delivery in desk.taken} == {0}
    assert desk.calls > len(desk.batches)


async def test_a_failing_handle_gets_its_batch_again(rig: Rig) -> None:
    """A handle that fails has taken nothing: all comes again, marked and counted."""
    failures = 1

    async def fail(_: Sequence[Delivery]) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise ZeroDivisionError

    xa, xt, desk = await rig.connect("XA"), await rig.connect("XT"), Desk(fail)
    async with consuming(xt, Lane.URGENT, desk.handle):
        await send(xa, "XT", b"once")
        await desk.has(1)
        await eventually(lambda: xt.status().last_error == "ZeroDivisionError")
    [got] = desk.taken
    assert (got.body, got.redelivered, got.delivery_count) == (b"once", True, 1)


async def test_poison_comes_alone_after_its_first_blow(rig: Rig) -> None:
    """Only the delivery that brings the handle down is counted again; its neighbours were returned with it once."""

    async def choke(batch: Sequence[Delivery]) -> None:
        if any(delivery.body == b"poison" and delivery.delivery_count < 3 for delivery in batch):
            raise ZeroDivisionError

    xa, xt, desk = await rig.connect("XA"), await rig.connect("XT"), Desk(choke)
    bodies = [b"a", b"b", b"poison", b"c", b"d"]
    async with consuming(xt, Lane.URGENT, desk.handle):
        await asyncio.gather(*(send(xa, "XT", body) for body in [b"opener", *bodies]))
        await desk.has(len(bodies) + 1)
    counts = {delivery.body: delivery.delivery_count for delivery in desk.taken}
    assert counts.pop(b"poison") == 3
    assert max(counts.values()) <= 1
    assert set(counts) == {b"opener", b"a", b"b", b"c", b"d"}


async def test_what_comes_back_too_often_is_handed_over_as_dead(rig: Rig) -> None:
    """Beyond the broker's limit a delivery arrives once more, marked dead, beside the live ones of the routine lane."""

    async def choke(batch: Sequence[Delivery]) -> None:
        if not any(delivery.dead for delivery in batch):
            raise ZeroDivisionError

    xa, xt, broken, routine = await rig.connect("XA"), await rig.connect("XT"), Desk(choke), Desk()
    async with consuming(xt, Lane.URGENT, broken.handle), consuming(xt, Lane.ROUTINE, routine.handle):
        await eventually(lambda: xt.status().dead_letters)
        publishing = asyncio.create_task(asyncio.wait_for(xa.publish(Lane.URGENT, "XT", b"killer"), 3))
        await routine.has(1)
        await asyncio.gather(publishing, return_exceptions=True)
    [got] = routine.taken
    assert (got.body, got.sender, got.lane, got.dead) == (b"killer", "XA", Lane.URGENT, True)
    assert broken.calls == 21
    assert broken.taken == []


async def test_status_tells_the_truth(rig: Rig) -> None:
    """Connected and consuming are what they are at this moment; a reconnection and its cause can be seen afterwards."""
    xt = await rig.connect("XT")
    before = xt.status()
    assert (before.connected, before.consuming, before.reconnects) == (True, dict.fromkeys(Lane, False), 0)
    async with consuming(xt, Lane.URGENT, Desk().handle):
        assert xt.status().consuming == {Lane.URGENT: True, Lane.ROUTINE: False}
        await rig.cut("XT")
        await eventually(lambda: not xt.status().connected and not any(xt.status().consuming.values()))
        assert xt.status().since > before.since
        await rig.mend("XT")
        await eventually(lambda: xt.status().connected and xt.status().consuming[Lane.URGENT])
        assert xt.status().reconnects > 0
    assert not any(xt.status().consuming.values())


async def test_consuming_goes_on_after_an_outage(rig: Rig) -> None:
    """One call of `consume` outlives a cut line: what is published afterwards arrives."""
    xa, xt, desk = await rig.connect("XA"), await rig.connect("XT"), Desk()
    async with consuming(xt, Lane.URGENT, desk.handle):
        await send(xa, "XT", b"before")
        await desk.has(1)
        await rig.cut("XT")
        await eventually(lambda: not xt.status().consuming[Lane.URGENT])
        await rig.mend("XT")
        await send(xa, "XT", b"after")
        await eventually(lambda: b"after" in desk.bodies)
    assert desk.bodies[0] == b"before"


async def test_a_cut_off_publisher_knows_that_nothing_was_sent(rig: Rig) -> None:
    """Without a connection a publication ends as `NotTaken` within its deadline, and works again afterwards."""
    xa, xt, desk = await rig.connect("XA", publish_timeout_s=0.5), await rig.connect("XT"), Desk()
    async with consuming(xt, Lane.URGENT, desk.handle):
        await rig.cut("XA")
        await eventually(lambda: not xa.status().connected)
        async with asyncio.timeout(5):
            with pytest.raises(NotTaken):
                await xa.publish(Lane.URGENT, "XT", b"never")
        await rig.mend("XA")
        await send(xa, "XT", b"now")
        await desk.has(1)
    assert desk.bodies == [b"now"]


async def test_a_second_consumer_waits_for_its_turn(rig: Rig) -> None:
    """Two nodes of one contact point never share a lane: the second takes over when the first stops."""
    xa, first, second = await rig.connect("XA"), await rig.connect("XT"), await rig.connect("XT")
    active, standby = Desk(), Desk()
    async with AsyncExitStack() as later:
        async with consuming(first, Lane.URGENT, active.handle):
            # A consumer begins with one delivery at a time and registers anew after the first good one; until it has,
            # the place is free. Once a second delivery came, it is taken.
            await send(xa, "XT", b"zeroth", b"first")
            await active.has(2)
            stopping = asyncio.Event()
            waiting = asyncio.create_task(second.consume(Lane.URGENT, standby.handle, stopping))
            later.push_async_callback(asyncio.wait_for, waiting, 5)
            later.callback(stopping.set)
            await send(xa, "XT", b"second")
            await active.has(3)
        await send(xa, "XT", b"third")
        await standby.has(1)
    assert (active.bodies, standby.bodies) == ([b"zeroth", b"first", b"second"], [b"third"])


async def test_stopping_is_prompt_and_finishes_what_is_in_hand(rig: Rig) -> None:
    """A stop ends an idle consumer at once, and a busy one after its batch is committed and acknowledged."""
    xa, xt, later = await rig.connect("XA"), await rig.connect("XT"), Desk()
    stopping, released = asyncio.Event(), asyncio.Event()

    async def wait(_: Sequence[Delivery]) -> None:
        await released.wait()

    busy = Desk(wait)
    running = asyncio.create_task(xt.consume(Lane.URGENT, busy.handle, stopping))
    await eventually(lambda: xt.status().consuming[Lane.URGENT])
    publishing = asyncio.create_task(xa.publish(Lane.URGENT, "XT", b"in hand"))
    await eventually(lambda: busy.calls == 1)
    stopping.set()
    released.set()
    async with asyncio.timeout(5):
        await running
        await publishing
    async with consuming(xt, Lane.URGENT, later.handle):
        await send(xa, "XT", b"next")
        await later.has(1)
    assert (busy.bodies, later.bodies) == ([b"in hand"], [b"next"])


async def test_a_node_that_stops_in_trouble_leaves_its_batch_to_the_next(rig: Rig) -> None:
    """Stopped while it says `TryLater`, a consumer takes nothing with it: the next one gets what was in hand."""

    async def refuse(_: Sequence[Delivery]) -> None:
        raise TryLater("the database is away")

    xa, xt, refusing, later = await rig.connect("XA"), await rig.connect("XT"), Desk(refuse), Desk()
    async with consuming(xt, Lane.URGENT, refusing.handle):
        publishing = asyncio.create_task(send(xa, "XT", b"x"))
        await eventually(lambda: refusing.calls > 1)
    async with consuming(xt, Lane.URGENT, later.handle):
        await later.has(1)
        await publishing
    assert later.bodies == [b"x"]


async def test_a_cancelled_publisher_is_cancelled(rig: Rig) -> None:
    """An ordered cancellation is not taken for a fault of the broker, and harms no publication after it."""
    xa, xt, desk = await rig.connect("XA"), await rig.connect("XT"), Desk()
    await rig.cut("XA")
    await eventually(lambda: not xa.status().connected)
    publishing = asyncio.create_task(xa.publish(Lane.URGENT, "XT", b"given up"))
    await asyncio.wait({publishing}, timeout=0.05)
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing
    await rig.mend("XA")
    async with consuming(xt, Lane.URGENT, desk.handle):
        await send(xa, "XT", b"next")
        await desk.has(1)
    assert desk.bodies == [b"next"]


async def test_a_broken_log_ends_the_consumption(rig: Rig) -> None:
    """The one fault that must stop the process is not taken for something that passes."""

    async def see_it(_: Sequence[Delivery]) -> None:
        raise LogBroken("log_broken", "the tree has moved backwards")

    xa, xt, desk = await rig.connect("XA"), await rig.connect("XT"), Desk(see_it)
    async with consuming(xt, Lane.ROUTINE, desk.handle) as running:
        publishing = asyncio.create_task(xa.publish(Lane.ROUTINE, "XT", b"x"))
        with pytest.raises(LogBroken):
            await asyncio.wait_for(running, 5)
        publishing.cancel()


async def test_closing_leaves_nothing_behind(rig: Rig) -> None:
    """After `aclose` no task of the broker runs, and a publication says that nothing was sent."""
    before = asyncio.all_tasks()
    xt = await rig.connect("XT")
    async with consuming(xt, Lane.ROUTINE, Desk().handle), consuming(xt, Lane.URGENT, Desk().handle):
        pass
    await xt.aclose()
    await eventually(lambda: {task for task in asyncio.all_tasks() if not task.done()} <= before)
    assert not xt.status().connected
    with pytest.raises(NotTaken):
        await xt.publish(Lane.URGENT, "XA", b"too late")
