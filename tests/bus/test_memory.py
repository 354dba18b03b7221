"""What only the in-process bus promises, and the mishaps that it can play."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from app.bus.broker import NotTaken, OutcomeUnknown
from app.bus.memory import MemoryBus
from app.domain.codes import Lane
from tests.support.bus import Desk, consuming, eventually, send, short_pauses, wall_clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.bus.broker import Delivery
    from app.bus.memory import MemoryBroker

SHORT_S = 0.1


@pytest.fixture
def bus() -> MemoryBus:
    """A bus of its own."""
    return MemoryBus(clock=wall_clock, pauses=short_pauses())


@pytest.fixture
def xa(bus: MemoryBus) -> MemoryBroker:
    """An impatient XA."""
    return bus.connect("XA", publish_timeout_s=SHORT_S)


@pytest.fixture
def xt(bus: MemoryBus) -> MemoryBroker:
    """Its counterpart."""
    return bus.connect("XT")


class Gate:
    """A trouble that holds every batch until it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    async def __call__(self, _: Sequence[Delivery]) -> None:
        await self.opened.wait()


async def test_confirmed_means_that_the_handle_has_returned(bus: MemoryBus, xt: MemoryBroker) -> None:
    """While the receiver's handle is at work the publication is under way; it returns when the handle has."""
    xa, gate = bus.connect("XA"), Gate()
    desk = Desk(gate)
    async with consuming(xt, Lane.URGENT, desk.handle):
        publishing = asyncio.create_task(xa.publish(Lane.URGENT, "XT", b"x"))
        await eventually(lambda: desk.calls == 1)
        assert not publishing.done()
        gate.opened.set()
        await publishing
        assert desk.bodies == [b"x"]


async def test_nobody_consuming_is_not_taken_at_once(xa: MemoryBroker, xt: MemoryBroker) -> None:
    """There is no queue to wait in: a receiver that does not consume is told to the publisher, without delay."""
    async with asyncio.timeout(SHORT_S / 2):
        with pytest.raises(NotTaken):
            await xa.publish(Lane.URGENT, "XT", b"x")


async def test_a_receiver_that_stops_tells_those_who_wait(bus: MemoryBus, xt: MemoryBroker) -> None:
    """What was in nobody's hand when the last consumer stopped ends as `NotTaken`, and does not arrive later."""
    xa, gate, later = bus.connect("XA"), Gate(), Desk()
    busy = Desk(gate)
    async with consuming(xt, Lane.URGENT, busy.handle):
        first = asyncio.create_task(xa.publish(Lane.URGENT, "XT", b"in hand"))
        await eventually(lambda: busy.calls == 1)
        second = asyncio.create_task(xa.publish(Lane.URGENT, "XT", b"waiting"))
        await asyncio.wait({second}, timeout=SHORT_S)
        asyncio.get_running_loop().call_later(SHORT_S, gate.opened.set)
    await first
    with suppress(NotTaken):
        await second
    async with consuming(xt, Lane.URGENT, later.handle):
        await send(xa, "XT", b"next")
    assert busy.bodies in ([b"in hand"], [b"in hand", b"waiting"])
    assert later.bodies == [b"next"]


async def test_an_outcome_that_is_late_is_unknown(xa: MemoryBroker, xt: MemoryBroker) -> None:
    """A handle slower than the publisher's patience: `OutcomeUnknown`, although it is taken in the end."""
    gate = Gate()
    desk = Desk(gate)
    async with consuming(xt, Lane.URGENT, desk.handle):
        with pytest.raises(OutcomeUnknown):
            await xa.publish(Lane.URGENT, "XT", b"slow")
        gate.opened.set()
        await desk.has(1)


async def test_who_publishes_to_a_cut_off_contact_point_learns_nothing(
    bus: MemoryBus, xa: MemoryBroker, xt: MemoryBroker
) -> None:
    """`pause` makes a publication end as `OutcomeUnknown`; what nobody had in hand is gone when the line is back."""
    desk = Desk()
    async with consuming(xt, Lane.URGENT, desk.handle):
        bus.pause("XT")
        with pytest.raises(OutcomeUnknown):
            await xa.publish(Lane.URGENT, "XT", b"into the dark")
        bus.resume("XT")
        await send(xa, "XT", b"light")
    assert desk.bodies == [b"light"]


async def test_a_line_cut_after_the_commit_delivers_twice(bus: MemoryBus, xa: MemoryBroker, xt: MemoryBroker) -> None:
    """The receiver committed, its confirmation was lost: the publisher does not know, the receiver sees it again."""
    gate = Gate()
    desk = Desk(gate)
    async with consuming(xt, Lane.URGENT, desk.handle):
        publishing = asyncio.create_task(xa.publish(Lane.URGENT, "XT", b"x"))
        await eventually(lambda: desk.calls == 1)
        bus.pause("XT")
        gate.opened.set()
        with pytest.raises(OutcomeUnknown):
            await publishing
        bus.resume("XT")
        await desk.has(2)
    assert [(got.body, got.redelivered) for got in desk.taken] == [(b"x", False), (b"x", True)]


async def test_drop_confirms_and_loses(bus: MemoryBus, xa: MemoryBroker, xt: MemoryBroker) -> None:
    """The next publication is confirmed and never delivered; the one after it is."""
    desk = Desk()
    bus.drop(1)
    async with consuming(xt, Lane.URGENT, desk.handle):
        await xa.publish(Lane.URGENT, "XT", b"lost")
        await xa.publish(Lane.URGENT, "XT", b"found")
    assert desk.bodies == [b"found"]


async def test_duplicate_delivers_twice(bus: MemoryBus, xa: MemoryBroker, xt: MemoryBroker) -> None:
    """The next publication arrives twice, the one after it once."""
    desk = Desk()
    bus.duplicate(1)
    async with consuming(xt, Lane.URGENT, desk.handle):
        await send(xa, "XT", b"twice", b"once")
        await desk.has(3)
    assert desk.bodies == [b"twice", b"twice", b"once"]


async def test_reorder_hands_a_batch_over_backwards(bus: MemoryBus, xt: MemoryBroker) -> None:
    """The next batch of two or more comes in the wrong order, the one after it in the right one."""
    xa, gate = bus.connect("XA"), Gate()
    desk = Desk(gate)
    bus.reorder(1)
    async with consuming(xt, Lane.URGENT, desk.handle):
        under_way = [asyncio.create_task(xa.publish(Lane.URGENT, "XT", b"opener"))]
        await eventually(lambda: desk.calls == 1)
        under_way += [asyncio.create_task(xa.publish(Lane.URGENT, "XT", body)) for body in (b"1", b"2", b"3")]
        await asyncio.wait(under_way, timeout=SHORT_S)
        gate.opened.set()
        await asyncio.gather(*under_way)
        await asyncio.gather(*(xa.publish(Lane.URGENT, "XT", body) for body in (b"4", b"5")))
    assert desk.bodies == [b"opener", b"3", b"2", b"1", b"4", b"5"]


async def test_purge_empties_the_queues(bus: MemoryBus, xt: MemoryBroker) -> None:
    """What waits is lost and its publishers do not know; what is in hand is not touched."""
    xa, gate = bus.connect("XA"), Gate()
    desk = Desk(gate)
    async with consuming(xt, Lane.URGENT, desk.handle):
        in_hand = asyncio.create_task(xa.publish(Lane.URGENT, "XT", b"in hand"))
        await eventually(lambda: desk.calls == 1)
        waiting = asyncio.create_task(xa.publish(Lane.URGENT, "XT", b"waiting"))
        await asyncio.wait({waiting}, timeout=SHORT_S)
        assert bus.purge("XT") == 1
        with pytest.raises(OutcomeUnknown):
            await waiting
        gate.opened.set()
        await in_hand
    assert desk.bodies == [b"in hand"]


async def test_the_bus_holds_only_what_somebody_waits_for(bus: MemoryBus, xt: MemoryBroker) -> None:
    """A thousand publications given up leave nothing behind: the bus cannot grow while a receiver is stuck."""
    xa, gate = bus.connect("XA", publish_timeout_s=0.02), Gate()
    desk = Desk(gate)
    async with consuming(xt, Lane.URGENT, desk.handle):
        for _ in range(20):
            given_up = await asyncio.gather(
                *(xa.publish(Lane.URGENT, "XT", b"x") for _ in range(50)), return_exceptions=True
            )
            assert {type(outcome) for outcome in given_up} <= {OutcomeUnknown, NotTaken}
        assert not bus.places["XT"].boxes[Lane.URGENT].waiting
        gate.opened.set()
