"""One connection to RabbitMQ, for as long as it lasts: opened with deadlines, watched, and dropped as a whole."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from aio_pika.connection import Connection, make_url
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError

from app.bus.supervise import unless
from app.bus.topology import Queues
from app.errors import SettingsUnusable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aio_pika.abc import AbstractConnection
    from aiormq.abc import AbstractChannel
    from pamqp.common import FieldTable

    from app.bus.supervise import Standing

HEARTBEAT_S: Final = 10
"""A silent connection counts as lost after three of them; TCP alone would take a quarter of an hour."""

SET_UP_TIMEOUT_S: Final = 5.0
CLOSE_TIMEOUT_S: Final = 3.0

BROKER_FAULTS: Final = (AMQPError, ChannelInvalidStateError, ConnectionError)
"""What the client raises for a broker in trouble. Its own list also holds `RuntimeError`, which would hide our bugs."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where a contact point's broker is and what it is called there. The URL holds a password and is never shown."""

    code: str
    url: str = field(repr=False)
    suffix: str = field(repr=False)
    heartbeat_s: int = HEARTBEAT_S

    def __post_init__(self) -> None:
        user = urlsplit(self.url).username
        if user and unquote(user) != self.code:
            raise SettingsUnusable(
                "amqp_user_not_own_code", f"The user in AMQP_URL must be this contact point's code, {self.code}."
            )

    @property
    def queues(self) -> Queues:
        """The names of its queues."""
        return Queues(self.code, self.suffix)


class Wire:
    """An open connection; `lost` is set the moment it, or what we watch on it, is gone."""

    def __init__(self, connection: AbstractConnection, link: str, *, standing: Standing) -> None:
        self._connection = connection
        self._link = link
        self._standing = standing
        self.lost = asyncio.Event()
        self.reason: BaseException | None = None

    async def open_channel(self, *, confirms: bool) -> AbstractChannel:
        """Open a channel whose end is the end of this wire. With `confirms`, an unroutable publication raises."""
        channel = self._connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
        await channel.initialize()
        channel.close_callbacks.add(self.lose)
        return await channel.get_underlay_channel()

    def lose(self, _sender: object, reason: BaseException | None = None) -> None:
        """Called by the client when something closed; the first reason is the true one."""
        self._standing.closed(self._link)
        if not self.lost.is_set():
            self.reason = reason
            self.lost.set()


class WireLost(ConnectionError):
    """The connection, its channel or its consumer ended, and the client gave no reason."""


@asynccontextmanager
async def open_wire(access: Access, link: str, *, standing: Standing, stopping: asyncio.Event) -> AsyncIterator[Wire]:
    """Connect, and drop everything at the end; raises why the wire was lost when the block ended because of that.

    Unacknowledged deliveries go back to their queue when the connection closes.
    """
    async with asyncio.timeout(SET_UP_TIMEOUT_S):
        connection = await unless(stopping, _connect(access, link))
    wire = Wire(connection, link, standing=standing)
    connection.close_callbacks.add(wire.lose)
    try:
        yield wire
        if wire.lost.is_set():
            raise wire.reason if isinstance(wire.reason, Exception) else WireLost(link)
    finally:
        wire.lose(None)  # from here on a close is our own doing and no fault
        with suppress(TimeoutError, *BROKER_FAULTS):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await connection.close()


async def _connect(access: Access, link: str) -> Connection:
    name: FieldTable = {"connection_name": f"{access.code} {link}"}
    connection = Connection(make_url(access.url, heartbeat=access.heartbeat_s), client_properties=name)
    try:
        await connection.connect()
    finally:
        if connection.transport is None:  # or its finaliser would close it at some later time, in a task of nobody's
            await connection.close()
    return connection
