"""The demo: embedded PostgreSQL, in-process bus, three live nodes, everything gone at the end."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.audit.note import verifier_key
from app.bus.memory import MemoryBus
from app.bus.supervise import Pauses
from app.demo.client import Person
from app.demo.play import play
from app.demo.script import Day
from app.demo.seed import seed
from app.demo.shown import banner
from app.domain.codes import RequestType
from app.domain.documents import example
from app.embedded import embedded_postgres
from app.errors import SettingsUnusable
from app.keystore import EXAMPLE_CODES
from app.logs import configure_logging
from app.main import serve_http
from app.prepare import prepare_database
from app.rehearsal import MEMORY_BUS, Surroundings, make_network
from app.runtime import open_runtime
from app.serving import listen_on, stopped_by_signals, wall_clock
from app.settings import Profile, load_settings
from app.workers import run_workers

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from pathlib import Path

    from app.rehearsal import TrialNode
    from app.runtime import Runtime

HOST = "127.0.0.1"
GRACEFUL_SECONDS = 3
READY_SECONDS = 20.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class DemoNode:
    """One live state of the demo."""

    runtime: Runtime
    listener: socket.socket
    url: str
    tokens: Mapping[str, str]


async def run_demo(folder: Path, *, port: int, once: bool) -> int:
    """Run until Ctrl-C, or with `once` until the scripted day is over; returns the exit code.

    Raises SettingsUnusable in one sentence for a port in use or a folder that cannot be written.
    """
    configure_logging("error")
    # Ports before anything else: the most common mistake is a demo that already runs.
    listeners = [listen_on(HOST, port + offset) for offset in range(len(EXAMPLE_CODES))]
    network = _empty(folder)
    try:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(embedded_postgres(profile=Profile.DEMO))
            print(server.notice)  # noqa: T201 - the demo talks to its terminal
            trials = make_network(
                network,
                EXAMPLE_CODES,
                Surroundings(server.superuser_url("postgres"), MEMORY_BUS, port),
                now=wall_clock(),
                random=os.urandom,
            )
            bus = MemoryBus(clock=wall_clock, pauses=Pauses(secrets.SystemRandom().random))
            nodes = {
                trial.code: await _start(stack, trial, bus=bus, listener=listener)
                for trial, listener in zip(trials, listeners, strict=True)
            }
            return await _live(nodes, folder, once=once)
    finally:
        for listener in listeners:
            listener.close()
        shutil.rmtree(network, ignore_errors=True)


async def _start(
    stack: AsyncExitStack, trial: TrialNode, *, bus: MemoryBus, listener: socket.socket
) -> DemoNode:
    settings = load_settings(trial.config)
    await prepare_database(settings, create=True)
    runtime = await stack.enter_async_context(
        open_runtime(settings, clock=wall_clock, broker=bus.connect(trial.code))
    )
    tokens = await seed(runtime)
    return DemoNode(runtime, listener, f"http://{HOST}:{listener.getsockname()[1]}", tokens)


async def _live(nodes: Mapping[str, DemoNode], folder: Path, *, once: bool) -> int:
    runtimes = [node.runtime for node in nodes.values()]
    code = 0
    with stopped_by_signals(runtimes):
        async with asyncio.TaskGroup() as parts:
            for node in nodes.values():
                parts.create_task(serve_http(node.runtime, node.listener, graceful_seconds=GRACEFUL_SECONDS))
                parts.create_task(run_workers(node.runtime))
            await _ready(nodes)
            _write_access(folder, nodes)
            urls = {name: node.url for name, node in nodes.items()}
            print(banner(urls, nodes["XA"].tokens, folder))  # noqa: T201 - the demo talks to its terminal
            if once:
                try:
                    code = await play(_day(nodes))
                finally:
                    for runtime in runtimes:
                        runtime.stopping.set()
                        runtime.wake.ring()
    return code


async def _ready(nodes: Mapping[str, DemoNode]) -> None:
    """Wait until every node answers that it is ready."""
    for code, node in nodes.items():
        monitor = Person(code, node.url, node.tokens["monitor"])
        await monitor.awaited("/readyz", lambda seen: seen["status"] == "ready", seconds=READY_SECONDS, what="start")


def _day(nodes: Mapping[str, DemoNode]) -> Day:
    preservation = example(RequestType.PRESERVATION)
    civil = preservation | {
        "reference": "AU-CYB-2026-00431",
        "facts_summary": "A customer disputes the quality of goods bought in a web shop and wants to know who runs it.",
    }
    return Day(
        people={
            code: {seat: Person(code, node.url, token) for seat, token in node.tokens.items()}
            for code, node in nodes.items()
        },
        documents={
            "preservation": preservation,
            "advice": example(RequestType.TECHNICAL_ADVICE),
            "civil": civil,
        },
        log_keys={
            code: str(verifier_key(node.runtime.log_writer.origin, node.runtime.log_writer.key))
            for code, node in nodes.items()
        },
    )


def _empty(folder: Path) -> Path:
    """The place for keys and settings of this run; what an earlier run left there is removed."""
    network = folder / "network"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "access.json").write_text("{}\n", encoding="utf-8")
        shutil.rmtree(network, ignore_errors=True)
        network.mkdir(mode=0o700)
    except OSError as fault:
        raise SettingsUnusable("folder_unusable", f"{folder} cannot be written: {fault.strerror}.") from fault
    return network


def _write_access(folder: Path, nodes: Mapping[str, DemoNode]) -> None:
    access = {"nodes": {code: {"url": node.url, "tokens": dict(node.tokens)} for code, node in nodes.items()}}
    path = folder / "access.json"
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(access, indent=2) + "\n", encoding="utf-8")
