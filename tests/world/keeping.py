"""A world that outlives the test that asked for it first."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.world import World, living_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from tests.support.postgres import PostgresServer


@asynccontextmanager
async def kept_world(postgres: PostgresServer, folder: Path, codes: Sequence[str]) -> AsyncIterator[World]:
    """Keep a world in a task of its own: a fixture begins in one task and ends in another, task groups may not.

    When a loop of a node ends with an error, that error is raised at the end, and calls to the nodes fail before.
    """
    made: asyncio.Future[World] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def keep() -> None:
        async with living_world(postgres, folder, codes) as world:
            made.set_result(world)
            await done.wait()

    keeping = asyncio.create_task(keep())
    keeping.add_done_callback(lambda _: made.cancel())
    try:
        yield await made
    finally:
        done.set()
        await keeping
