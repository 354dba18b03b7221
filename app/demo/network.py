"""The demo: embedded PostgreSQL, in-process bus, three live nodes, everything gone at the end."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.audit.note import verifier_key
from app.bus.memory import MemoryBus
from app.bus.supervise import Pauses, StoppedFirst, unless
from app.demo.client import Person, open_line
from app.demo.day import Day
from app.demo.folder import held_folder
from app.demo.papers import papers
from app.demo.play import play
from app.demo.seed import seed
from app.demo.shown import banner
from app.embedded import embedded_postgres
from app.errors import SettingsUnusable
from app.keystore import EXAMPLE_CODES
from app.logs import configure_logging
from app.main import serve_http
from app.prepare import prepare_database
from app.rehearsal import MEMORY_BUS, Surroundings, make_network
from app.runtime import open_runtime
from app.serving import listen_on, on_stop_signals, stop, wall_clock
from app.settings import PREFIX, Profile, Settings, load_settings
from app.workers import run_workers

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import httpx

    from app.demo.folder import DemoFolder
    from app.runtime import Runtime

HOST = "127.0.0.1"
GRACEFUL_SECONDS = 3
READY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class DemoNode:
    """One live state of the demo, and our line to it: the demo itself is a client like any other."""

    runtime: Runtime
    listener: socket.socket
    http: httpx.AsyncClient
    tokens: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where its gateway answers."""
        return f"http://{HOST}:{self.listener.getsockname()[1]}"

    def person(self, seat: str) -> Person:
        """Whoever sits there (see `seed.py`)."""
        return Person(self.runtime.node.code, self.http, self.tokens[seat])


async def run_demo(path: Path, *, port: int, once: bool) -> int:
    """Run until Ctrl-C, or with `once` until the scripted day is over; returns the exit code.

    Raises SettingsUnusable in one sentence for a port in use or a folder that cannot be written.
    """
    configure_logging("error")
    _refuse_settings(os.environ)
    stopped = asyncio.Event()
    async with AsyncExitStack() as stack:
        # Ports before anything else: the most common mistake is a demo that already runs.
        listeners = [stack.enter_context(listen_on(HOST, port + offset)) for offset in range(len(EXAMPLE_CODES))]
        folder = stack.enter_context(held_folder(path))
        stack.enter_context(on_stop_signals(stopped.set))
        try:
            nodes = await unless(stopped, _start(stack, folder, listeners))
        except StoppedFirst:
            return _cut_short(once=once)
        return await _live(nodes, folder, once=once, stopped=stopped)


def _cut_short(*, once: bool) -> int:
    """A stop is how a demo ends; of a day that was cut short not every step happened."""
    return 1 if once else 0


def _refuse_settings(environment: Mapping[str, str]) -> None:
    """Settings of a real node would win over those of the demo, which would then write into that node's database."""
    names = [
        f"{PREFIX}{name.upper()}{ending}" for name in (*Settings.model_fields, "config") for ending in ("", "_FILE")
    ]
    for name in names:
        if environment.get(name):
            raise SettingsUnusable("setting_in_demo", f"{name} is set, but the demo makes its own settings: unset it.")


async def _start(
    stack: AsyncExitStack, folder: DemoFolder, listeners: Sequence[socket.socket]
) -> Mapping[str, DemoNode]:
    """Everything up to the nodes' own loops; what was opened is closed by `stack`."""
    server = await stack.enter_async_context(embedded_postgres(profile=Profile.DEMO))
    print(server.notice, flush=True)  # noqa: T201 - the demo talks to its terminal
    around = Surroundings(server.superuser_url("postgres"), MEMORY_BUS, listeners[0].getsockname()[1])
    network = make_network(folder.network, EXAMPLE_CODES, around, now=wall_clock(), random=os.urandom)
    settings = [load_settings(node.config) for node in network]
    async with asyncio.TaskGroup() as preparing:
        for one in settings:
            preparing.create_task(prepare_database(one, create=True))
    bus = MemoryBus(clock=wall_clock, pauses=Pauses(secrets.SystemRandom().random))
    return {
        one.code: await _open(stack, one, bus=bus, listener=listener)
        for one, listener in zip(settings, listeners, strict=True)
    }


async def _open(stack: AsyncExitStack, settings: Settings, *, bus: MemoryBus, listener: socket.socket) -> DemoNode:
    broker = bus.connect(settings.code)
    runtime = await stack.enter_async_context(open_runtime(settings, clock=wall_clock, broker=broker))
    http = await stack.enter_async_context(open_line(f"http://{HOST}:{listener.getsockname()[1]}"))
    return DemoNode(runtime, listener, http, await seed(runtime))


async def _live(nodes: Mapping[str, DemoNode], folder: DemoFolder, *, once: bool, stopped: asyncio.Event) -> int:
    """Let the nodes run until the day is over or we are told to stop."""
    async with asyncio.TaskGroup() as parts:
        for node in nodes.values():
            parts.create_task(serve_http(node.runtime, node.listener, graceful_seconds=GRACEFUL_SECONDS))
            parts.create_task(run_workers(node.runtime))
        try:
            await unless(stopped, _ready(nodes))
            folder.grant({"nodes": {code: {"url": one.url, "tokens": dict(one.tokens)} for code, one in nodes.items()}})
            urls = {code: node.url for code, node in nodes.items()}
            print(banner(urls, nodes["XA"].tokens["agency_officer"], folder.access), flush=True)  # noqa: T201 - (as above)
            if once:
                return await unless(stopped, play(day_of(nodes)))
            await stopped.wait()
            return 0
        except StoppedFirst:
            return _cut_short(once=once)
        finally:
            for node in nodes.values():
                stop(node.runtime)


async def _ready(nodes: Mapping[str, DemoNode]) -> None:
    """Wait until every node answers that it is ready."""
    for node in nodes.values():
        monitor = node.person("monitor")
        await monitor.awaited("/readyz", lambda seen: seen["status"] == "ready", seconds=READY_SECONDS, what="start")


def day_of(nodes: Mapping[str, DemoNode]) -> Day:
    """The people, and the examples of all types, some of them changed to fit the day."""
    return Day(
        people={code: {seat: node.person(seat) for seat in node.tokens} for code, node in nodes.items()},
        documents=papers(now=next(iter(nodes.values())).runtime.clock()),
        log_keys={
            code: str(verifier_key(node.runtime.log_writer.origin, node.runtime.log_writer.key))
            for code, node in nodes.items()
        },
    )
