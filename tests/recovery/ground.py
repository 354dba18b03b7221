"""Contact points in one process that can be stopped, put back to a backup, and started again, one by one."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import httpx
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from app.bus.memory import MemoryBus
from app.demo.seed import seed
from app.main import create_app
from app.rehearsal import Surroundings, make_network
from app.runtime import open_runtime
from app.settings import load_settings
from app.workers import run_workers, start_log
from tests.support.schema import make_node_database
from tests.support.world import IMPATIENT, Clock, LivingNode, World, all_consume, seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from app.runtime import Runtime
    from app.settings import Settings
    from tests.support.postgres import PostgresServer

CLOSED = "SELECT peer FROM recovering_peer WHERE done_at IS NULL ORDER BY peer"
UNDER_WAY = "SELECT count(*) FROM recovery WHERE ended_at IS NULL"
LOST = "SELECT peer, thread, seq, what FROM lost_item ORDER BY id"
UNRECEIPTED = """
SELECT type, thread, seq FROM outbox WHERE left_at IS NULL AND type NOT IN ('heartbeat/1', 'receipt/1') ORDER BY id
"""
"""What matters waits for its receipt. Receipts themselves are always under way: time brings heartbeats fast here."""
UNPUBLISHED = "SELECT (SELECT count(*) FROM audit_pending), (SELECT sum(size - published_size) FROM audit_tree)"
WAITING = "SELECT type, thread, seq FROM inbox WHERE applied_at IS NULL"


@dataclass
class Process:
    """One process of a contact point, as far as one process of a test can be several."""

    runtime: Runtime
    opened: AsyncExitStack
    work: asyncio.Task[None]


@dataclass
class Home:
    """One contact point: its database and its anchor stay while it is stopped, put back and started again."""

    code: str
    settings: Settings
    database: str
    ground: Ground
    tokens: Mapping[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)

    async def start(self, *, processes: int = 1, **changed: object) -> None:
        """Start it, with settings that are changed from now on (`log_epoch=2`), as so many working processes."""
        self.settings = self.settings.model_copy(update=changed)
        for _ in range(processes):
            self.processes.append(await self._begin())

    async def _begin(self) -> Process:
        opened = AsyncExitStack()
        broker = self.ground.world.bus.connect(self.code)
        opened.push_async_callback(broker.aclose)
        clock = self.ground.world.clock
        runtime = await opened.enter_async_context(open_runtime(self.settings, clock=clock, broker=broker))
        if not self.tokens:
            self.tokens = await seed(runtime)
        transport = httpx.ASGITransport(app=create_app(runtime), raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url=f"http://{self.code.lower()}.test")
        http = await opened.enter_async_context(client)
        owner = self.ground.postgres.url(self.database)
        self.ground.nodes[self.code] = LivingNode(runtime, http, self.tokens, owner)
        await start_log(runtime)  # as `serve` does, before the first request is answered
        return Process(runtime, opened, asyncio.create_task(run_workers(runtime), name=f"workers {self.code}"))

    async def stop(self) -> None:
        """Stop it as an operator does; the error that ended a loop before is raised here."""
        stopped, self.processes = self.processes, []
        for process in stopped:
            process.runtime.stopping.set()
            process.runtime.wake.ring()
        try:
            for process in stopped:
                await process.work
        finally:
            for process in stopped:
                await process.opened.aclose()

    async def back_up(self) -> str:
        """Copy its database, and its anchor; it is stopped for that long. Returns the name of the copy."""
        await self.stop()
        shutil.copy(self.settings.anchor, self._old_anchor)
        name = f"{self.database}_backup"
        await self.ground.postgres.execute(f"CREATE DATABASE {name} TEMPLATE {self.database}")
        await self.start()
        return name

    @property
    def _old_anchor(self) -> Path:
        return self.settings.anchor.with_suffix(".backup")

    async def restore(self, backup: str, *, with_anchor: bool = False) -> None:
        """Put its database back to the copy; it is stopped then, and its anchor holds all that it had done.

        `with_anchor` is what an operator must not do: then the anchor has forgotten it as well.
        """
        await seen(lambda: self.rows(UNPUBLISHED), lambda found: found == [(0, 0)])
        await self.stop()
        await self.ground.postgres.execute(f"DROP DATABASE {self.database} WITH (FORCE)")
        await self.ground.postgres.execute(f"CREATE DATABASE {self.database} TEMPLATE {backup}")
        if with_anchor:
            shutil.copy(self._old_anchor, self.settings.anchor)

    async def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - parameters of any SQL
        """Look into its database behind its back."""
        address = make_url(self.ground.postgres.url(self.database)).set(drivername="postgresql")
        connection = await asyncpg.connect(address.render_as_string(hide_password=False))
        try:
            return [tuple(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    async def change(self, script: str) -> None:
        """Change its database behind its back, as the owner."""
        address = make_url(self.ground.postgres.url(self.database)).set(drivername="postgresql")
        connection = await asyncpg.connect(address.render_as_string(hide_password=False))
        try:
            await connection.execute(script)
        finally:
            await connection.close()

    async def closed(self) -> list[str]:
        """The peers that are closed here."""
        return [peer for (peer,) in await self.rows(CLOSED)]

    async def lost(self) -> list[tuple[str, str, int | None, str]]:
        """What its recoveries list."""
        return [(peer, thread, seq, what) for peer, thread, seq, what in await self.rows(LOST)]


@dataclass
class Ground:
    """The contact points of one test."""

    postgres: PostgresServer
    world: World
    nodes: dict[str, LivingNode]
    homes: dict[str, Home]

    def __getitem__(self, code: str) -> Home:
        return self.homes[code]

    async def recovered(self, code: str, *, but: Sequence[str] = (), seconds: float = 60.0) -> None:
        """Wait until no recovery is under way there, or until no peers are closed there `but` these.

        Time passes meanwhile: how long a way rests to a node that was away depends on how long that took this machine.
        """

        async def look() -> object:
            self.world.clock.advance(timedelta(seconds=1))
            return await self.homes[code].rows(UNDER_WAY), await self.homes[code].closed()

        await seen(look, lambda found: found == ([(1 if but else 0,)], list(but)), seconds=seconds)

    async def quiet(self, *codes: str, seconds: float = 60.0) -> None:
        """Wait until nothing is under way between these contact points, or all; time passes where relays wait."""

        async def look() -> list[tuple[str, list[Any], list[Any]]]:
            self.world.clock.advance(timedelta(seconds=3))
            return [
                (code, await self.homes[code].rows(UNRECEIPTED), await self.homes[code].rows(WAITING))
                for code in codes or tuple(self.homes)
            ]

        await seen(look, lambda found: all(sent == came == [] for _, sent, came in found), seconds=seconds)


@asynccontextmanager
async def restorable(postgres: PostgresServer, folder: Path, codes: Sequence[str]) -> AsyncIterator[Ground]:
    """Set up and start; an error in a loop of any node fails the test that stops it."""
    clock = Clock()
    bus = MemoryBus(clock=clock, pauses=IMPATIENT)
    around = Surroundings(postgres="postgresql+asyncpg://postgres@/", amqp="memory:")
    network = make_network(folder / "network", codes, around, now=clock() - timedelta(minutes=1), random=os.urandom)
    nodes: dict[str, LivingNode] = {}
    ground = Ground(postgres, World(nodes, bus, clock), nodes, {})
    try:
        for trial in network:
            name = f"restorable_{uuid4().hex[:12]}"
            _, application = await make_node_database(postgres, trial.code, name)
            settings = load_settings(trial.config).model_copy(update={"database_url": SecretStr(application)})
            ground.homes[trial.code] = Home(trial.code, settings, name, ground)
            await ground.homes[trial.code].start()
        await all_consume(ground.world)
        yield ground
    finally:
        for home in ground.homes.values():
            await home.stop()
        for home in ground.homes.values():
            for name in (home.database, f"{home.database}_backup"):
                await postgres.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
