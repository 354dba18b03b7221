"""Connections that break in the pool, and which faults of the database say nothing against what was asked of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InternalError

from app.db.engine import ASK_AFTER_S, begin, is_passing, make_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine

    from tests.support.postgres import Database, PostgresServer

LOST_TRACK = asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress")

PASSING: dict[str, BaseException] = {
    "a connection that is refused": ConnectionRefusedError(),
    "an answer that does not come": TimeoutError(),
    "a driver that lost track of a connection": InternalError("", None, LOST_TRACK),
    "a backend that was ended": DBAPIError("", None, asyncpg.exceptions.AdminShutdownError()),
    "a deadlock": DBAPIError("", None, asyncpg.DeadlockDetectedError()),
}
STAYING: dict[str, BaseException] = {
    "a bug": ZeroDivisionError(),
    "a statement that makes no sense": DBAPIError("", None, asyncpg.PostgresSyntaxError()),
    "a row that is there already": DBAPIError("", None, asyncpg.UniqueViolationError()),
}


@pytest.mark.parametrize("case", [*PASSING, *STAYING])
def test_whether_trying_again_is_the_answer(case: str) -> None:
    """Broken connections, locks and shutdowns pass; what is wrong with the statement or with us does not."""
    assert is_passing((PASSING | STAYING)[case]) is (case in PASSING)


async def test_a_real_fault_of_a_statement_does_not_pass(engine: AsyncEngine) -> None:
    """(Control) What the driver raises for a statement that makes no sense is told apart as well."""
    with pytest.raises(DBAPIError) as fault:
        async with begin(engine) as session:
            await session.execute(text("SELECT nothing FROM nowhere"))
    assert not is_passing(fault.value)


@asynccontextmanager
async def with_one_connection(database: Database, *, ask_after_s: float = ASK_AFTER_S) -> AsyncIterator[AsyncEngine]:
    """An engine whose only connection lies in the pool."""
    made = make_engine(database.url, pool_size=1, name="one", ask_after_s=ask_after_s)
    try:
        await backend_of(made)
        yield made
    finally:
        await made.dispose()


async def backend_of(engine: AsyncEngine) -> int:
    """Which process of the server a command talks to."""
    async with begin(engine) as session:
        return int((await session.execute(text("SELECT pg_backend_pid()"))).scalar_one())


async def hang_up(postgres: PostgresServer, engine: AsyncEngine) -> None:
    """End the server's side of the connection, and wait until the driver has heard of it."""
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        pid = driver.get_server_pid()
    heard = asyncio.Event()
    driver.add_termination_listener(lambda _driver: heard.set())
    await postgres.execute(f"SELECT pg_terminate_backend({pid})")
    await asyncio.wait_for(heard.wait(), 20)


async def test_what_broke_in_the_pool_is_replaced(postgres: PostgresServer, database: Database) -> None:
    """The next command is served by a new connection, and nobody sees an error."""
    async with with_one_connection(database) as engine:
        before = await backend_of(engine)
        await hang_up(postgres, engine)
        assert await backend_of(engine) != before


async def test_control_without_a_look_the_broken_one_is_used(postgres: PostgresServer, database: Database) -> None:
    """Negative control: an engine that lends what it has runs into the fault, one that passes."""
    async with with_one_connection(database) as engine:
        engine.sync_engine.pool.dispatch.checkout.clear()
        await hang_up(postgres, engine)
        with pytest.raises(DBAPIError) as fault:
            await backend_of(engine)
        assert is_passing(fault.value)


@pytest.mark.parametrize("ask_after_s", [ASK_AFTER_S, -1.0])
async def test_only_what_rested_for_long_is_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch, ask_after_s: float
) -> None:
    """A connection in use costs no further way to the server; one that rested longer is asked before it is lent."""
    async with with_one_connection(database, ask_after_s=ask_after_s) as engine:
        asked: list[object] = []
        monkeypatch.setattr(engine.sync_engine.dialect, "do_ping", asked.append)
        await backend_of(engine)
        assert len(asked) == (ask_after_s < 0)
