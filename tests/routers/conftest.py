"""A gateway over a real database: one runtime per test, people of every role, and clients that speak for them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.bus.memory import MemoryBus
from app.bus.supervise import Pauses
from app.demo.seed import seed
from app.domain.directory import publish_directory
from app.keystore import create_keys, example_profile, write_directory
from app.main import create_app
from app.runtime import open_runtime
from app.settings import Profile, Settings
from tests.conftest import NOW
from tests.routers import probe
from tests.routers.clients import Clients
from tests.support.postgres import SEQUENCER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from fastapi import FastAPI

    from app.runtime import Runtime

CODES = ("XA", "XT", "XS")


@pytest.fixture(scope="session")
def node_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of three contact points in `<folder>/<code>`, and one `directory.json` that publishes them."""
    folder = tmp_path_factory.mktemp("nodes")
    made = NOW - timedelta(days=30)
    keys = {code: create_keys(folder / code, code, now=made, validity=timedelta(days=400)) for code in CODES}
    profiles = [example_profile(code) for code in CODES]
    write_directory(folder / "directory.json", publish_directory(profiles, keys, version=1, issued_at=made))
    return folder


@pytest.fixture
def settings(node_files: Path, database_url: str, tmp_path: Path) -> Settings:
    """Settings of XA on the test's database, with the bus in this process."""
    return Settings(
        code="XA",
        profile=Profile.DEMO,
        database_url=database_url,
        amqp_url="memory:",
        keys_dir=node_files / "XA",
        directory=node_files / "directory.json",
        anchor=tmp_path / "anchor",
        http_pool_size=5,
    )


@pytest.fixture
async def runtime(settings: Settings, now: datetime) -> AsyncIterator[Runtime]:
    """XA, open, its clock standing still; fails the test that leaves a connection checked out."""
    bus = MemoryBus(clock=lambda: now, pauses=Pauses(lambda: 0.5))
    async with AsyncExitStack() as opened:
        broker = bus.connect("XA")
        opened.push_async_callback(broker.aclose)
        runtime = await opened.enter_async_context(open_runtime(settings, clock=lambda: now, broker=broker))
        # The role that the test's template has; production's carries the node's code.
        yield replace(runtime, log_writer=replace(runtime.log_writer, role=SEQUENCER))
        assert runtime.engine.pool.checkedout() == 0, "the test left a connection checked out"  # type: ignore[attr-defined]


@pytest.fixture
async def tokens(runtime: Runtime) -> Mapping[str, str]:
    """One person per seat of the demo, and their tokens."""
    return await seed(runtime)


@pytest.fixture
async def gateway(runtime: Runtime) -> AsyncIterator[FastAPI]:
    """The application, begun and ended as a server would, with the probe's routes beside its own."""
    app = create_app(runtime)
    app.include_router(probe.router)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(gateway: FastAPI, tokens: Mapping[str, str]) -> AsyncIterator[Clients]:
    """`client("duty_officer")` speaks for that seat, `client()` for nobody."""
    clients = Clients(gateway, tokens)
    yield clients
    for opened in clients.opened:
        await opened.aclose()
