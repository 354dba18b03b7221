"""Connections and transactions. The edges open them; rooms below only receive them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, NewType

from asyncpg import InternalClientError
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Dialect
    from sqlalchemy.pool import ConnectionPoolEntry

ReadSession = NewType("ReadSession", AsyncConnection)
"""A transaction in which nothing may be written."""

Session = NewType("Session", ReadSession)
"""A transaction that will be committed by whoever opened it, and by nobody else."""

STATEMENT_TIMEOUT_MS = 15_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000

ASK_AFTER_S = 10.0
"""A pooled connection that rested longer is asked whether it still stands before it is used: that costs three ways to
the server and back. One that was used since then is only looked at: the driver knows of every end that was announced.
"""

_RESTS_SINCE = "rests_since"


def make_engine(url: str, *, pool_size: int, name: str, ask_after_s: float = ASK_AFTER_S) -> AsyncEngine:
    """Open no connection yet; at most `pool_size` later. `name` is what the server's activity view shows.

    A connection that has broken while it lay in the pool is replaced, and with it all that are older.
    """
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args=_connect_args(name),
    )
    event.listen(engine.sync_engine, "checkin", _note_rest)
    event.listen(engine.sync_engine, "checkout", _Lender(engine.sync_engine.dialect, ask_after_s).look_at)
    return engine


def make_lone_engine(url: str, *, name: str) -> AsyncEngine:
    """For a connection that is held for as long as it lasts: each is opened anew and belongs to whoever opened it."""
    return create_async_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=_connect_args(name))


def _note_rest(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[_RESTS_SINCE] = monotonic()


@dataclass(frozen=True, slots=True)
class _Lender:
    """Looks at each connection before it is lent."""

    dialect: Dialect
    ask_after_s: float

    def look_at(self, connection: Any, record: ConnectionPoolEntry, _lent: object) -> None:  # noqa: ANN401 - any driver's
        """Raises InvalidatePoolError for one that cannot be used; the pool then opens another one."""
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        if monotonic() - record.info.get(_RESTS_SINCE, monotonic()) <= self.ask_after_s:
            return
        try:
            self.dialect.do_ping(connection)
        except (self.dialect.loaded_dbapi.Error, OSError) as fault:
            raise InvalidatePoolError from fault


def _connect_args(name: str) -> dict[str, Any]:
    return {
        "server_settings": {
            "application_name": name,
            "timezone": "UTC",
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
        }
    }


@asynccontextmanager
async def begin(engine: AsyncEngine) -> AsyncIterator[Session]:
    """One command: committed when the block ends well, rolled back when it raises."""
    async with engine.begin() as connection:
        yield Session(ReadSession(connection))


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[ReadSession]:
    """One consistent view (repeatable read) that the server itself keeps from writing."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            yield ReadSession(connection)


PASSING = frozenset({"08", "40", "53", "55", "57"})
"""SQLSTATE classes that say nothing against the statement: connection, serialisation, resources, locks, operator."""


def is_passing(fault: BaseException) -> bool:
    """Whether trying the same again later is the right answer to this fault of the database."""
    if isinstance(fault, OSError | TimeoutError | PoolTimeout | InterfaceError):
        return True
    if not isinstance(fault, DBAPIError):
        return False
    driver_fault = fault.driver_exception
    state = getattr(driver_fault, "sqlstate", None) or ""
    # The driver loses track of a connection that broke while it was being opened, and calls that a fault of its own.
    lost_track = isinstance(driver_fault, InternalClientError)
    return fault.connection_invalidated or lost_track or state[:2] in PASSING
