"""The broker of production: RabbitMQ, reached over connections that share nothing between lanes and directions.

A memory or disk alarm at the broker stops publishing connections only, a slow handle stops its own lane only, a lost
connection costs one lane in one direction. Five connections per node: publish and consume per lane, and dead letters.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from app.bus.broker import PUBLISH_TIMEOUT_S, BrokerStatus, NotTaken
from app.bus.inflow import Inflow, dead_letters_of, sources_of
from app.bus.outflow import Outflow
from app.bus.supervise import Standing, run_together, supervise
from app.domain.codes import Lane

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from app.bus.broker import Handle
    from app.bus.connection import Access
    from app.bus.inflow import Source
    from app.bus.supervise import Pauses

LAST_WORD_S: Final = 5.0
"""How long `aclose` waits for connections to end in order before it cuts them."""


class RabbitBroker:
    """`Broker` over RabbitMQ. Nothing happens before `start`; afterwards it keeps its connections alive by itself."""

    def __init__(
        self,
        access: Access,
        *,
        clock: Callable[[], datetime],
        pauses: Pauses,
        publish_timeout_s: float = PUBLISH_TIMEOUT_S,
    ) -> None:
        self._access = access
        self._pauses = pauses
        self._closing = asyncio.Event()
        self._standing = Standing(access.code, clock, required=frozenset(f"publish {lane}" for lane in Lane))
        self._outflows = {
            lane: Outflow(access, lane, standing=self._standing, timeout_s=publish_timeout_s) for lane in Lane
        }
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to connect for publishing; does not wait, since a node works on while its broker is away."""
        for outflow in self._outflows.values():
            keeping = self._keep(outflow.link, outflow.session, stopping=self._closing)
            self._tasks.add(asyncio.create_task(keeping, name=f"bus {self._access.code} {outflow.link}"))

    async def publish(self, lane: Lane, to: str, body: bytes) -> None:
        """See `Broker.publish`; while there is no connection it waits for one, within the same deadline."""
        if self._closing.is_set():
            raise NotTaken("this broker was closed")
        await self._outflows[lane].publish(to, body)

    async def consume(self, lane: Lane, handle: Handle, stopping: asyncio.Event) -> None:
        """See `Broker.consume`. A missing user or queue is a fault like any other: the status says so, we try again."""
        await run_together(
            *(self._receive(source, handle, stopping=stopping) for source in sources_of(self._access, lane))
        )

    def status(self) -> BrokerStatus:
        """See `Broker.status`."""
        standing = self._standing
        return BrokerStatus(
            connected=standing.connected,
            consuming={lane: standing.is_up(sources_of(self._access, lane)[0].link) for lane in Lane},
            dead_letters=standing.is_up(dead_letters_of(self._access).link),
            reconnects=standing.reconnects,
            last_error=standing.last_error,
            since=standing.since,
        )

    async def aclose(self) -> None:
        """See `Broker.aclose`. Publications under way end as `OutcomeUnknown`."""
        self._closing.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=LAST_WORD_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _receive(self, source: Source, handle: Handle, *, stopping: asyncio.Event) -> None:
        inflow = Inflow(self._access, source, handle=handle, standing=self._standing, pauses=self._pauses)
        await self._keep(source.link, inflow.session, stopping=stopping)

    async def _keep(
        self, link: str, session: Callable[[asyncio.Event], Awaitable[None]], *, stopping: asyncio.Event
    ) -> None:
        begin = partial(session, stopping)
        await supervise(link, begin, standing=self._standing, pauses=self._pauses, stopping=stopping)
