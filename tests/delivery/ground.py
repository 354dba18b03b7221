"""Two nodes on a real broker and real databases, worked by the loops that a process would run, on a clock of the test.

The clock runs with the machine's and can be put forward. What a node does with its loops, `workers.py` does elsewhere:
here they are bare, so that a test can stop one side, one lane or one rule of it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.bus.relay import ROUND, Relay, relay_once
from app.db.engine import begin
from app.domain.codes import Lane, MessageType
from app.services.send import Outgoing, put
from tests.envelope.parties import AURELIA, KITANO, NOW
from tests.support.bus import RabbitRig, consuming, until
from tests.support.peer import Clock, new_id
from tests.support.station import Station, open_station

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from app.bus.broker import Broker, Delivery
    from tests.support.postgres import Database
    from tests.support.rabbit import Vhost

IN_ONE = 200
"""Messages that one transaction queues."""

LOOK_S = 0.1
"""Seconds between two looks at a database."""


@dataclass(slots=True)
class RunningClock(Clock):
    """The time of day: the machine's seconds since the test began, and whatever the test puts it forward by."""

    now: datetime = NOW
    begun: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        return self.now + timedelta(seconds=time.monotonic() - self.begun)


@dataclass
class Side:
    """One node and its way to the broker. `woken` is set by each batch taken, as the workers' bell is."""

    station: Station
    broker: Broker
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, batch: Sequence[Delivery]) -> None:
        """Take deliveries and wake the relays."""
        await self.station.handle(batch)
        self.woken.set()

    async def publish_all(self, *lanes: Lane) -> int:
        """Rounds of the relay on these lanes, or on both, until nothing is due; returns how many rows were claimed."""
        claimed = 0
        for lane in lanes or tuple(Lane):
            while True:
                done = await relay_once(self.relay(), lane)
                claimed += done.claimed
                if done.claimed < ROUND:
                    break
        return claimed

    def relay(self) -> Relay:
        """What its relays work with."""
        station = self.station
        return Relay(station.engine, self.broker, station.sealing, station.clock, lambda: 0.5)

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[None]:
        """Take what comes on both lanes."""
        async with consuming(self.broker, Lane.URGENT, self.handle), consuming(self.broker, Lane.ROUTINE, self.handle):
            yield

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[None]:
        """Publish what is due on both lanes, each in a loop of its own."""
        stopping = asyncio.Event()
        tasks = [asyncio.create_task(self._keep_relaying(lane, stopping)) for lane in Lane]
        try:
            yield
        finally:
            stopping.set()
            self.woken.set()
            await asyncio.gather(*tasks)

    async def _keep_relaying(self, lane: Lane, stopping: asyncio.Event) -> None:
        relay = self.relay()
        while not stopping.is_set():
            if (await relay_once(relay, lane)).claimed == ROUND:
                continue
            self.woken.clear()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self.woken.wait()
            except TimeoutError:
                continue


@asynccontextmanager
async def two_sides(
    make_database: Callable[[], Awaitable[Database]], vhost: Vhost, clock: Clock
) -> AsyncIterator[tuple[Side, Side]]:
    """XA, which sends, and XT; nobody works yet."""
    async with AsyncExitStack() as stack:
        rig = await stack.enter_async_context(RabbitRig(vhost))
        sides = []
        for mine, other in ((AURELIA, KITANO), (KITANO, AURELIA)):
            database = await make_database()
            urls = (database.url, database.owner_url)
            station = await stack.enter_async_context(open_station(mine, other, urls=urls, clock=clock))
            sides.append(Side(station, await rig.connect(mine.code)))
        yield sides[0], sides[1]


async def queue(
    side: Side, number: int, *, peer: str = "XT", lane: Lane = Lane.ROUTINE, per_thread: int = 4
) -> list[str]:
    """Queue so many messages in threads of a few each; returns the threads."""
    threads: list[str] = []
    for first in range(0, number, IN_ONE):
        async with begin(side.station.engine) as session:
            for count in range(first, min(first + IN_ONE, number)):
                if count % per_thread == 0:
                    threads.append(new_id())
                type_ = MessageType.EXCHANGE_OPEN if count % per_thread == 0 else MessageType.EXCHANGE_ACTION
                body = {"number": count, "words": "x" * 600}
                outgoing = Outgoing(peer, type_, body, thread=threads[-1], lane=lane)
                await put(session, side.station.node, outgoing, now=side.station.clock())
    return threads


async def outstanding(side: Side, lane: Lane | None = None) -> int:
    """How many messages of a lane, or of both, have no receipt, receipts not counted."""
    query = "SELECT count(*) FROM outbox WHERE left_at IS NULL AND type <> 'receipt/1'"
    if lane is not None:
        query += f" AND lane = '{lane.value}'"
    ((count,),) = await side.station.rows(query)
    return int(count)


async def until_left(side: Side, number: int, *, seconds: float) -> None:
    """Wait until no more than so many messages are without receipt."""

    async def are_left() -> bool:
        return await outstanding(side) <= number

    await until(are_left, seconds=seconds, pause=LOOK_S)


async def copies(side: Side) -> int:
    """How many publications there were of messages other than receipts."""
    query = "SELECT count(*) FROM publication p JOIN outbox o ON o.id = p.outbox_id WHERE o.type <> 'receipt/1'"
    ((count,),) = await side.station.rows(query)
    return int(count)
