"""What one process of a node tells the others: something was committed, look now. A hint, never more.

A notice carries nothing, may be lost, and is answered by looking for work, as every loop does by itself after half a
second. It is sent from a connection of its own after the commit it tells of: inside a busy transaction NOTIFY would
make all commits of the database wait for each other.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from asyncpg import InterfaceError, InternalClientError, PostgresError
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import asyncpg
    from sqlalchemy.ext.asyncio import AsyncEngine

CHANNEL: Final = "counterpart_commit"
"""Of one database, which is one node's own."""

SPEAK_TIMEOUT_S: Final = 5.0
"""Longest wait for the server to take one statement; then the line counts as lost."""

LINE_FAULTS: Final = (OSError, TimeoutError, DBAPIError, PostgresError, InterfaceError, InternalClientError)
"""What a line in trouble raises: refused, broken, or silent; the last is the driver losing track of a broken one."""


class Line:
    """An open connection that listens and tells; `lost` is set when the server or the network has ended it."""

    def __init__(self, driver: asyncpg.Connection) -> None:
        self._driver = driver
        self.lost = asyncio.Event()

    async def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` for each notice of another process from now on; our own are not for us."""
        own = self._driver.get_server_pid()

        def on_notice(_connection: object, sender: int, _channel: str, _payload: object) -> None:
            if sender != own:
                heard()

        self._driver.add_termination_listener(lambda _connection: self.lost.set())
        await self._driver.add_listener(CHANNEL, on_notice)

    async def tell(self) -> None:
        """Tell all other processes that listen. Outside any transaction, so at once."""
        await self._driver.execute(f"NOTIFY {CHANNEL}", timeout=SPEAK_TIMEOUT_S)

    async def probe(self) -> None:
        """Find out whether the line still stands: one that is half open tells nobody."""
        await self._driver.execute("SELECT 1", timeout=SPEAK_TIMEOUT_S)


@asynccontextmanager
async def open_line(engine: AsyncEngine, heard: Callable[[], None]) -> AsyncIterator[Line]:
    """Listen for the time of the block, on a connection that belongs to nobody else; raises one of `LINE_FAULTS`.

    `engine` must not pool: a connection that listens is never given back. What was told while nobody listened here is
    made good by one call of `heard`.
    """
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        if driver is None:
            raise InterfaceError("the connection was closed")
        line = Line(driver)
        await line.listen(heard)
        heard()
        yield line
