"""Processes of one node wake each other: seldom enough, without echo, and again after the line was lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from app.db.engine import make_lone_engine
from app.db.notices import open_line
from app.serving import NOTICE_SECONDS, share_wakes
from app.workers import RELAY_PAUSE
from tests.support.bus import eventually
from tests.support.processes import until
from tests.workplace import open_workplace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from app.db.notices import Line
    from tests.support.postgres import Database, PostgresServer
    from tests.workplace import Workplace

BUSY_SECONDS = 1.0
LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ours'"


@pytest.fixture
async def work(database: Database, migrated: PostgresServer, tmp_path: Path) -> AsyncIterator[Workplace]:
    """One process of the node XT, which shares its wakes."""
    async with open_workplace(database, migrated, tmp_path) as opened:
        sharing = asyncio.create_task(share_wakes(opened.runtime, make_lone_engine(database.url, name="ours")))
        await listening(opened)
        try:
            yield opened
        finally:
            opened.runtime.stopping.set()
            await asyncio.wait_for(sharing, 10)


async def listening(work: Workplace) -> None:
    """Wait until it listens."""

    async def listens() -> bool:
        return await work.station.rows(LISTENING) == [(1,)]

    await until(listens, what="it listens", seconds=10)


@asynccontextmanager
async def another(work: Workplace, heard: list[float]) -> AsyncIterator[Line]:
    """Another process of the node; when it was told is in `heard`, from its first moment on."""
    loop = asyncio.get_running_loop()
    async with open_line(make_lone_engine(work.database.url, name="theirs"), lambda: heard.append(loop.time())) as line:
        heard.clear()
        yield line


async def test_a_commit_is_told_at_once_and_many_are_told_seldom(work: Workplace) -> None:
    """The first commit after silence is told at once; those of a busy second by some ten notices, the last one too."""
    loop, heard = asyncio.get_running_loop(), list[float]()
    async with another(work, heard):
        begun = loop.time()
        work.runtime.wake.ring()
        await eventually(lambda: len(heard) == 1)
        assert heard[0] - begun < RELAY_PAUSE
        rings, last = 0, 0.0
        while loop.time() - begun < BUSY_SECONDS:
            work.runtime.wake.ring()
            rings, last = rings + 1, loop.time()
            await asyncio.sleep(0)
        await eventually(lambda: heard[-1] >= last, what="the last commit was not told")
        assert rings > 10 * len(heard)
        assert len(heard) <= BUSY_SECONDS / NOTICE_SECONDS + 2


async def test_being_told_wakes_whoever_waits_and_is_not_passed_on(work: Workplace) -> None:
    """A notice of another process rings our bell; we do not tell it on, or two processes would never rest."""
    heard: list[float] = []
    async with another(work, heard) as line:
        bell = work.runtime.wake.bell()
        await line.tell()
        async with asyncio.timeout(10):
            await bell.wait()
        assert not work.runtime.wake.news.is_set()
        own = work.runtime.wake.bell()
        work.runtime.wake.ring()
        await eventually(lambda: len(heard) == 1)
        assert own.is_set()


async def test_a_lost_line_is_opened_again(work: Workplace) -> None:
    """When the database ends the line, it is said in the log, and soon processes are told again."""
    await work.server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ours'")
    await listening(work)
    heard: list[float] = []
    async with another(work, heard):
        work.runtime.wake.ring()
        await eventually(lambda: len(heard) >= 1, what="nobody was told")


async def test_a_database_that_is_away_is_waited_for(work: Workplace) -> None:
    """While the database answers nobody the line is tried again and again; once it is back, it stands."""
    async with work.outage():
        await eventually(lambda: len(work.lines("notices_lost")) >= 1, what="the loss was not noticed")
    await listening(work)
