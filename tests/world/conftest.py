"""Whole contact points in one process, made once: what one test leaves behind, the next one must not mind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.world import living_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from tests.support.postgres import PostgresServer
    from tests.support.world import World


@pytest.fixture(scope="session")
async def world(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """XA, XT and XS on the day of the examples. Its clock is never moved: there is `ageing_world` for that."""
    async for made in _kept(postgres, tmp_path_factory.mktemp("world"), ("XA", "XT", "XS")):
        yield made


@pytest.fixture(scope="session")
async def ageing_world(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """XA and XT, whose clock tests may move on by months."""
    async for made in _kept(postgres, tmp_path_factory.mktemp("ageing"), ("XA", "XT")):
        yield made


async def _kept(postgres: PostgresServer, folder: Path, codes: Sequence[str]) -> AsyncIterator[World]:
    """Keep a world in a task of its own: a fixture begins in one task and ends in another, task groups may not."""
    made: asyncio.Future[World] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def keep() -> None:
        async with living_world(postgres, folder, codes) as world:
            made.set_result(world)
            await done.wait()

    keeping = asyncio.create_task(keep())
    await asyncio.wait({keeping, made}, return_when=asyncio.FIRST_COMPLETED)
    if keeping.done():
        await keeping
    try:
        yield made.result()
    finally:
        done.set()
        await keeping
