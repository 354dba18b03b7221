"""What one process tells the others: heard by all but itself, after the commit, and no more than a hint."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
import pytest

from app.db.engine import make_lone_engine
from app.db.notices import CHANNEL, LINE_FAULTS, open_line
from tests.support.bus import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.db.notices import Line
    from tests.support.postgres import Database, PostgresServer


class Ear:
    """Counts what it hears; opening a line is one, for what may have been missed."""

    def __init__(self) -> None:
        self.times = 0

    def hear(self) -> None:
        """Once more."""
        self.times += 1


@asynccontextmanager
async def line_of(database: Database, ear: Ear) -> AsyncIterator[Line]:
    """A line as a process of the node opens it."""
    async with open_line(make_lone_engine(database.url, name="notices"), ear.hear) as line:
        yield line


async def test_the_others_are_told(database: Database) -> None:
    """A notice is heard by every other process, not by the one that tells; each line begins with one call."""
    ours, theirs, third = Ear(), Ear(), Ear()
    async with line_of(database, ours) as line, line_of(database, theirs), line_of(database, third):
        assert (ours.times, theirs.times, third.times) == (1, 1, 1)
        await line.tell()
        await eventually(lambda: theirs.times == third.times == 2, what="not all were told")
        await line.probe()
        assert ours.times == 1


async def test_another_database_hears_nothing(database: Database, postgres: PostgresServer) -> None:
    """Nodes that share a server do not wake each other; (control) who listens in the same database is told."""
    ours, elsewhere, beside = Ear(), Ear(), Ear()
    name = f"{database.name}_elsewhere"
    await postgres.execute(f"CREATE DATABASE {name}")
    try:
        engine = make_lone_engine(postgres.url(name), name="notices")
        async with (
            line_of(database, ours) as line,
            open_line(engine, elsewhere.hear) as other,
            line_of(database, beside),
        ):
            await line.tell()
            await eventually(lambda: beside.times == 2)
            await other.probe()
            assert elsewhere.times == 1
    finally:
        await postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_a_notice_carries_nothing(database: Database) -> None:
    """Whoever else listens in the database learns that something happened, not what."""
    heard: asyncio.Queue[object] = asyncio.Queue()
    owner = await asyncpg.connect(database.owner_url.replace("+asyncpg", ""))
    try:
        await owner.add_listener(CHANNEL, lambda _c, _pid, _channel, payload: heard.put_nowait(payload))
        async with line_of(database, Ear()) as line:
            await line.tell()
            assert await asyncio.wait_for(heard.get(), 10) == ""
    finally:
        await owner.close()


async def test_a_lost_line_says_so(database: Database, postgres: PostgresServer) -> None:
    """When the server ends the connection, `lost` is set, and to tell raises what is expected of a line in trouble."""
    async with line_of(database, Ear()) as line:
        assert not line.lost.is_set()
        await postgres.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'"
        )
        async with asyncio.timeout(10):
            await line.lost.wait()
        with pytest.raises(LINE_FAULTS):
            await line.tell()


async def test_a_database_that_is_away_raises_what_is_expected(database: Database, postgres: PostgresServer) -> None:
    """A line that cannot be opened raises one of the faults that its keeper waits out."""
    await postgres.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS false")
    try:
        with pytest.raises(LINE_FAULTS):
            async with line_of(database, Ear()):
                pass
    finally:
        await postgres.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS true")
