"""Two real nodes and a courier that loses, repeats, reorders and lies: in the end each message had its effect once."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.codes import Lane, MessageType
from app.services.send import Outgoing
from tests.envelope.parties import AURELIA, KITANO
from tests.support.courier import LossyCourier
from tests.support.peer import Clock, new_id
from tests.support.station import Station, open_station

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.support.postgres import Database

HEALING_ROUNDS = 12
NAMES = ("open", "act", "answer", "relay", "deliver", "deliver", "wait")
STEPS = st.lists(st.sampled_from(NAMES), min_size=8, max_size=30)


@pytest.fixture
async def pair(make_database: Callable[[], Awaitable[Database]]) -> AsyncIterator[tuple[Station, Station]]:
    """XA and XT, each with its own database, on one clock."""
    clock = Clock()
    async with AsyncExitStack() as stack:
        opened = []
        for mine, other in ((AURELIA, KITANO), (KITANO, AURELIA)):
            database = await make_database()
            urls = (database.url, database.owner_url)
            opened.append(await stack.enter_async_context(open_station(mine, other, urls=urls, clock=clock)))
        yield opened[0], opened[1]


class World:
    """Both nodes, the courier between them, and the threads they have opened."""

    def __init__(self, ours: Station, theirs: Station, dice: random.Random) -> None:
        self.stations = {station.code: station for station in (ours, theirs)}
        self.ours, self.theirs, self.dice = ours, theirs, dice
        self.courier = LossyCourier(dice)
        self.threads: list[str] = []

    async def step(self, name: str) -> None:
        """Do one thing."""
        match name:
            case "open":
                self.threads.append(new_id())
                await self._put(self.ours, "XT", MessageType.EXCHANGE_OPEN, self.threads[-1])
            case "act":
                await self._put(self.ours, "XT", MessageType.EXCHANGE_ACTION, self.dice.choice(self.threads))
            case "answer":
                await self._answer(self.dice.choice(self.threads))
            case "relay":
                for station in self.stations.values():
                    await station.relay(self.courier)
            case "deliver":
                await self.deliver(5)
            case "wait":
                self.ours.clock.now += timedelta(seconds=self.dice.choice((1, 6, 20)))

    async def deliver(self, most: int) -> None:
        """Hand some of what is under way to whom it is for, in batches of one lane."""
        for (to, lane), parcels in groupby(self.courier.take(most), key=lambda parcel: (parcel.to, parcel.lane)):
            await self.stations[to].take(*(parcel.body for parcel in parcels), lane=lane)

    async def heal(self) -> int:
        """Let an honest courier and the back-off work until nothing is owed; returns the rounds it took."""
        self.courier.honest = True
        for number in range(HEALING_ROUNDS):
            if not sum([await station.unreceipted() for station in self.stations.values()]):
                return number
            self.ours.clock.now += timedelta(hours=2)
            for _ in range(2):
                await self.step("relay")
                await self.deliver(10_000)
        message = "something is still owed"
        raise AssertionError(message)

    async def _answer(self, thread: str) -> None:
        if await self.theirs.effects_of(thread):
            await self._put(self.theirs, "XA", MessageType.EXCHANGE_STATE, thread)

    async def _put(self, station: Station, peer: str, type_: MessageType, thread: str) -> None:
        lane = self.dice.choice((None, *Lane))
        await station.put(Outgoing(peer, type_, {"n": self.dice.random()}, thread=thread, lane=lane))

    async def check(self) -> None:
        """Compare what each side sent with the effects it had on the other: all of it, once, in order."""
        for sender, receiver in ((self.ours, self.theirs), (self.theirs, self.ours)):
            query = "SELECT thread, seq, jti FROM outbox WHERE thread IS NOT NULL ORDER BY thread, seq"
            sent = await sender.rows(query)
            had = await receiver.rows("SELECT thread, seq, jti FROM effect ORDER BY thread, id")
            assert had == sent
            assert await receiver.rows("SELECT 1 FROM quarantine") == []


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS, seed=st.integers(0, 2**16))
async def test_any_schedule_converges(pair: tuple[Station, Station], steps: list[str], seed: int) -> None:
    """After any sequence of acts, losses, copies and reorderings, an honest hour makes both sides agree."""
    for station in pair:
        await station.wipe()
    world = World(*pair, random.Random(seed))
    for step in ["open", *steps]:
        await world.step(step)
    await world.heal()
    await world.check()


async def test_without_resend_a_purged_bus_loses(pair: tuple[Station, Station]) -> None:
    """(Control) A sender that believes the broker's confirmation loses what the broker loses; ours does not."""
    ours, theirs = pair
    for believes in (True, False):
        for station in pair:
            await station.wipe()
        world = World(ours, theirs, random.Random(3))
        world.courier.honest = True
        for _ in range(3):
            await world.step("open")
        await ours.relay(world.courier)
        if believes:
            await ours.change("UPDATE outbox SET left_at = now(), left_by = 'confirm' WHERE copy > 0")
        world.courier.under_way.clear()
        await world.heal()
        effects = await theirs.rows("SELECT count(*) FROM effect")
        assert effects == [(0 if believes else 3,)]


async def test_a_lost_receipt_is_asked_for_again(pair: tuple[Station, Station]) -> None:
    """When the receipt is lost, the message goes out again, is a duplicate, and is receipted again."""
    ours, theirs = pair
    world = World(ours, theirs, random.Random(3))
    world.courier.honest = True
    for step in ("open", "relay", "deliver"):
        await world.step(step)
    await theirs.relay(world.courier)
    world.courier.under_way.clear()
    assert await ours.unreceipted() == 1
    assert await theirs.unreceipted() == 0
    assert await world.heal() == 1
    assert await theirs.rows("SELECT state, duplicates FROM inbox") == [("applied", 1)]
    assert await ours.rows("SELECT copy, receipted_at IS NOT NULL FROM publication ORDER BY copy") == [
        (1, False),
        (2, True),
    ]
    await world.check()


async def test_a_crash_before_publishing_heals(pair: tuple[Station, Station]) -> None:
    """What was committed and never published, or leased by a relay that died, goes out when another relay comes."""
    ours, theirs = pair
    world = World(ours, theirs, random.Random(3))
    await world.step("open")
    await ours.change("UPDATE outbox SET next_at = next_at + interval '30 seconds', tries = 1")
    world.courier.honest = True
    await world.step("relay")
    assert world.courier.under_way == []
    await world.heal()
    await world.check()
