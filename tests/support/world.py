"""Several contact points in one process, whole: own database, own keys, own loops, joined by the in-process bus.

What is real here: migrations, roles, PostgreSQL, envelopes, the gateway through ASGI, every loop. What is not: RabbitMQ
and separate processes, which `tests/e2e` has.
"""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import httpx
from pydantic import SecretStr

from app.bus.memory import MemoryBus
from app.bus.supervise import Pauses
from app.demo.seed import seed
from app.main import create_app
from app.rehearsal import Surroundings, make_network
from app.runtime import open_runtime
from app.settings import load_settings
from app.workers import run_workers
from tests.support.schema import make_node_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from app.runtime import Runtime
    from tests.support.postgres import PostgresServer

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PATIENCE_SECONDS = 60.0
IMPATIENT = Pauses(random.random, longest=0.2)
"""Who was cut off comes back at once: the longer pauses are of real time, which tests cannot let pass."""

FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.01, 0.1
"""Between two looks of a test: ever longer, since whoever looks takes the time of those it waits for."""

SETTLED = timedelta(seconds=10)
"""What was sent to a node that was not consuming yet is sent again by then."""

Seen = TypeVar("Seen")


@dataclass(slots=True)
class Clock:
    """The time of a whole world: stands at `start` and moves on with the real one, plus what a test adds."""

    start: datetime = START
    began: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    added: timedelta = timedelta()

    def __call__(self) -> datetime:
        """The present moment."""
        return self.start + self.added + timedelta(seconds=asyncio.get_running_loop().time() - self.began)

    def advance(self, by: timedelta) -> None:
        """Let time pass at once."""
        self.added += by


@dataclass(frozen=True, slots=True)
class Caller:
    """A person with a token, as an HTTP client."""

    http: httpx.AsyncClient
    token: str

    async def get(self, path: str, **query: Any) -> httpx.Response:  # noqa: ANN401 - any query
        """GET, whatever the answer."""
        return await self.http.get(path, params=query, headers=self._headers())

    async def post(self, path: str, document: object, *, key: str | None = None) -> httpx.Response:
        """POST under a new Idempotency-Key, or the given one, whatever the answer."""
        return await self.http.post(
            path, json=document, headers=self._headers() | {"Idempotency-Key": key or str(uuid4())}
        )

    async def act(self, path: str, action: str, **members: Any) -> httpx.Response:  # noqa: ANN401 - members of any act
        """POST an act to `<path>/actions`; the generation is read first unless it is given."""
        if "generation" not in members and not path.startswith("/v1/requests"):
            members["generation"] = (await self.get(path)).json()["generation"]
        return await self.post(f"{path}/actions", {"action": action, **members})

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class LivingNode:
    """One contact point of the world."""

    runtime: Runtime
    http: httpx.AsyncClient
    tokens: Mapping[str, str]
    owner_url: str

    def as_(self, seat: str) -> Caller:
        """The person of that seat (see `app/demo/seed.py`)."""
        return Caller(self.http, self.tokens[seat])


@dataclass(frozen=True, slots=True)
class World:
    """All of them."""

    nodes: Mapping[str, LivingNode]
    bus: MemoryBus
    clock: Clock

    def __getitem__(self, code: str) -> LivingNode:
        return self.nodes[code]


@asynccontextmanager
async def living_world(
    postgres: PostgresServer, folder: Path, codes: Sequence[str] = ("XA", "XT", "XS")
) -> AsyncIterator[World]:
    """Set up, start, and take down again; an error in a loop of any node fails the test."""
    clock = Clock()
    bus = MemoryBus(clock=clock, pauses=IMPATIENT)
    around = Surroundings(postgres="postgresql+asyncpg://postgres@/", amqp="memory:")
    network = make_network(folder / "network", codes, around, now=clock() - timedelta(minutes=1), random=os.urandom)
    async with AsyncExitStack() as stack:
        nodes = {}
        for trial in network:
            name = f"world_{uuid4().hex[:12]}"
            owner_url, application = await make_node_database(postgres, trial.code, name)
            stack.push_async_callback(postgres.execute, f"DROP DATABASE {name} WITH (FORCE)")
            settings = load_settings(trial.config).model_copy(update={"database_url": SecretStr(application)})
            runtime = await stack.enter_async_context(
                open_runtime(settings, clock=clock, broker=bus.connect(trial.code))
            )
            tokens = await seed(runtime)
            transport = httpx.ASGITransport(app=create_app(runtime), raise_app_exceptions=False)
            http = await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url=f"http://{trial.code.lower()}.test")
            )
            nodes[trial.code] = LivingNode(runtime, http, tokens, owner_url)
        async with _working(nodes):
            world = World(nodes, bus, clock)
            await all_consume(world)
            yield world


@asynccontextmanager
async def _working(nodes: Mapping[str, LivingNode]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        for node in nodes.values():
            group.create_task(run_workers(node.runtime))
        try:
            yield
        finally:
            for node in nodes.values():
                node.runtime.stopping.set()
                node.runtime.wake.ring()


async def all_consume(world: World) -> None:
    """Wait until every node takes what arrives, and let the pause pass of whoever tried before."""

    async def consuming() -> bool:
        return all(all(node.runtime.broker.status().consuming.values()) for node in world.nodes.values())

    await seen(consuming, bool)
    world.clock.advance(SETTLED)


async def seen(
    look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], bool], *, seconds: float = PATIENCE_SECONDS
) -> Seen:
    """Look again until `holds`; fails with what was last seen."""
    last: Seen | None = None
    pause = FIRST_LOOK_SECONDS
    try:
        async with asyncio.timeout(seconds):
            while True:
                last = await look()
                if holds(last):
                    return last
                await asyncio.sleep(pause)
                pause = min(1.5 * pause, LONGEST_LOOK_SECONDS)
    except TimeoutError:
        message = f"not within {seconds} s; last seen: {last!r}"
        raise AssertionError(message) from None
