"""The instruments themselves: databases that are separate, a leak that is seen, a network that misbehaves on demand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.db.engine import begin, make_engine
from tests.support.ports import LOOPBACK, free_ports, listens
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncEngine

    from tests.support.postgres import Database


async def test_each_database_is_its_own(make_database: Callable[[], Awaitable[Database]]) -> None:
    """What is written in one database of a test is in no other, and all have the schema."""
    seen = []
    for _ in range(2):
        engine = make_engine((await make_database()).owner_url, pool_size=1, name="test")
        async with begin(engine) as session:
            await session.execute(text("CREATE TABLE only_here (n int)"))
            seen.append(await session.scalar(text("SELECT version_num FROM alembic_version")))
        await engine.dispose()
    assert seen[0] is not None
    assert seen[0] == seen[1]


async def test_the_application_role_owns_nothing(engine: AsyncEngine) -> None:
    """`database_url` connects as production does: as a role that is no superuser and owns no table."""
    async with begin(engine) as session:
        assert await session.scalar(text("SELECT NOT rolsuper FROM pg_roles WHERE rolname = current_user"))
        assert await session.scalar(text("SELECT count(*) = 0 FROM pg_tables WHERE tableowner = current_user"))


async def test_a_leaked_connection_is_seen(database_url: str) -> None:
    """Control for the fixture `engine`: what it asks of the pool tells a leaked connection from none."""
    engine = make_engine(database_url, pool_size=1, name="test")
    connection = await engine.connect()
    leaked = engine.pool.checkedout()  # type: ignore[attr-defined] # every pool but the null pool has it
    await connection.close()
    assert (leaked, engine.pool.checkedout()) == (1, 0)  # type: ignore[attr-defined] # (as above)
    await engine.dispose()


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """The port of a server that says back what it is told."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, 0)
    async with server:
        port: int = server.sockets[0].getsockname()[1]
        yield port


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Say something and return the answer, empty when the line is broken."""
    writer.write(b"hello\n")
    try:
        return await asyncio.wait_for(reader.readline(), 0.3)
    except ConnectionError:
        return b""


async def test_a_proxy_carries_cuts_and_heals(echo: int) -> None:
    """Through it all is as without it; `cut` breaks old and new connections; `heal` lets new ones through."""
    async with Proxy(echo) as proxy:
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        assert await ask(reader, writer) == b"hello\n"
        await proxy.cut()
        assert await ask(reader, writer) == b""
        writer.close()
        proxy.heal()
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        assert await ask(reader, writer) == b"hello\n"
        writer.close()


async def test_a_black_hole_keeps_the_connection_and_says_nothing(echo: int) -> None:
    """A swallowed direction breaks nothing that a client could notice, until the weather is fine again."""
    async with Proxy(echo) as proxy:
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        proxy.blackhole(to_client=False)
        with pytest.raises(TimeoutError):
            await ask(reader, writer)
        proxy.heal()
        assert await ask(reader, writer) == b"hello\n"
        writer.close()


async def test_a_slow_line_is_slow(echo: int) -> None:
    """The delay is on both ways."""
    loop = asyncio.get_running_loop()
    async with Proxy(echo) as proxy:
        proxy.slow(0.05)
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        begun = loop.time()
        assert await ask(reader, writer) == b"hello\n"
        assert loop.time() - begun >= 0.1
        writer.close()


def test_free_ports_are_free_and_different() -> None:
    """Nobody listens on them, and no number comes twice."""
    ports = free_ports(5)
    assert len(set(ports)) == 5
    assert not any(listens(port) for port in ports)
