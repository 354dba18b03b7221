"""What the tests of the bus share: a desk that receives, and the same outage on two kinds of broker."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, Self

from app.bus.broker import PUBLISH_TIMEOUT_S, NotTaken, OutcomeUnknown
from app.bus.connection import Access
from app.bus.memory import MemoryBus
from app.bus.rabbit import RabbitBroker
from app.bus.supervise import Pauses
from app.domain.codes import Lane
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from types import TracebackType

    from app.bus.broker import Broker, Delivery, Handle
    from tests.support.rabbit import Vhost

PATIENCE_S = 20.0
"""How long a test waits for what must happen; only a failing one waits so long."""


def wall_clock() -> datetime:
    """The time of day, as a node reads it at its edge."""
    return datetime.now(UTC)


def short_pauses() -> Pauses:
    """Pauses that let a test see twenty failures in a second."""
    return Pauses(random.Random(22).random, first=0.01, longest=0.1)


async def eventually(true: Callable[[], bool], *, seconds: float = PATIENCE_S, what: str = "") -> None:
    """Poll until `true()` holds; fail the test when time is up."""
    try:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 - what is waited for has no event: it may be any state of a broker
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(what or "it never came to hold") from None


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float = PATIENCE_S, pause: float = 0.02) -> None:
    """Poll a database until `await holds()` says so; fail the test when time is up."""
    try:
        async with asyncio.timeout(seconds):
            while not await holds():  # noqa: ASYNC110 - a state of a database has no event
                await asyncio.sleep(pause)
    except TimeoutError:
        raise AssertionError("it never came to hold") from None


class Desk:
    """A receiver that keeps what it took. `trouble`, if given, is asked before each batch and may raise."""

    def __init__(self, trouble: Callable[[Sequence[Delivery]], Awaitable[None]] | None = None) -> None:
        self.batches: list[list[Delivery]] = []
        self.calls = 0
        self.at_once = 0
        self.most_at_once = 0
        self._trouble = trouble

    @property
    def taken(self) -> list[Delivery]:
        """All deliveries, in the order in which they were taken."""
        return [delivery for batch in self.batches for delivery in batch]

    @property
    def bodies(self) -> list[bytes]:
        """Their bodies."""
        return [delivery.body for delivery in self.taken]

    async def handle(self, batch: Sequence[Delivery]) -> None:
        """Take a batch."""
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self._trouble is not None:
                await self._trouble(batch)
            self.batches.append(list(batch))
        finally:
            self.at_once -= 1

    async def has(self, number: int) -> None:
        """Wait until so many deliveries were taken."""
        await eventually(lambda: len(self.taken) >= number, what=f"{len(self.taken)} of {number} arrived")


@asynccontextmanager
async def consuming(broker: Broker, lane: Lane, handle: Handle) -> AsyncIterator[asyncio.Task[None]]:
    """Consume a lane for the time of the block, beginning once the broker has registered us."""
    stopping = asyncio.Event()
    task = asyncio.create_task(broker.consume(lane, handle, stopping))
    try:
        await eventually(lambda: broker.status().consuming[lane] or task.done(), what="nobody consumes")
        yield task
    finally:
        stopping.set()
        await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), PATIENCE_S)


async def send(broker: Broker, to: str, *bodies: bytes, lane: Lane = Lane.URGENT) -> None:
    """Publish each until it is confirmed, as a relay does; one after the other, so that the order is known."""
    async with asyncio.timeout(PATIENCE_S):
        for body in bodies:
            while True:
                try:
                    await broker.publish(lane, to, body)
                    break
                except (NotTaken, OutcomeUnknown):
                    await asyncio.sleep(0.02)


class Rig(Protocol):
    """One kind of broker with the contact points XA and XT, and a line to it that can be cut."""

    async def connect(self, code: str, *, publish_timeout_s: float = PUBLISH_TIMEOUT_S) -> Broker:
        """Open this contact point's broker and wait until it is connected."""
        ...

    async def cut(self, code: str) -> None:
        """Break the contact point's line."""
        ...

    async def mend(self, code: str) -> None:
        """Let it connect again."""
        ...


class MemoryRig:
    """The in-process bus."""

    def __init__(self) -> None:
        self.bus = MemoryBus(clock=wall_clock, pauses=short_pauses())
        self._brokers: list[Broker] = []

    async def __aenter__(self) -> Self:
        for code in ("XA", "XT"):
            await self.connect(code)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: object, trace: TracebackType | None) -> None:
        for broker in self._brokers:
            await broker.aclose()

    async def connect(self, code: str, *, publish_timeout_s: float = PUBLISH_TIMEOUT_S) -> Broker:
        self._brokers.append(self.bus.connect(code, publish_timeout_s=publish_timeout_s))
        return self._brokers[-1]

    async def cut(self, code: str) -> None:
        self.bus.pause(code)

    async def mend(self, code: str) -> None:
        self.bus.resume(code)


class RabbitRig:
    """RabbitMQ, each contact point behind a proxy of its own."""

    def __init__(self, vhost: Vhost) -> None:
        self.vhost = vhost
        self._brokers: list[RabbitBroker] = []
        self._proxies: dict[str, Proxy] = {}

    async def __aenter__(self) -> Self:
        for code in self.vhost.accounts:
            self._proxies[code] = await Proxy(self.vhost.server.port).__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: object, trace: TracebackType | None) -> None:
        for broker in self._brokers:
            await broker.aclose()
        for proxy in self._proxies.values():
            await proxy.__aexit__(None, None, None)

    async def connect(self, code: str, *, publish_timeout_s: float = PUBLISH_TIMEOUT_S) -> Broker:
        url = self.vhost.url(code, port=self._proxies[code].port)
        access = Access(code, url, self.vhost.accounts[code].suffix)
        broker = open_rabbit(access, publish_timeout_s=publish_timeout_s)
        self._brokers.append(broker)
        await eventually(lambda: broker.status().connected, what="it never connected")
        return broker

    async def cut(self, code: str) -> None:
        await self._proxies[code].cut()

    async def mend(self, code: str) -> None:
        self._proxies[code].heal()


def open_rabbit(access: Access, *, publish_timeout_s: float = PUBLISH_TIMEOUT_S) -> RabbitBroker:
    """Make a broker with a test's pauses and start it."""
    broker = RabbitBroker(access, clock=wall_clock, pauses=short_pauses(), publish_timeout_s=publish_timeout_s)
    broker.start()
    return broker
