"""A TCP proxy that can misbehave: cut, swallow, slow down. It stands between a node and one of its servers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support.ports import LOOPBACK

if TYPE_CHECKING:
    from types import TracebackType

CHUNK = 65_536
SPRUNG_SECONDS = 0.1
"""How long the other end is given to act on the last that it got."""


@dataclass(slots=True)
class Weather:
    """What the line does to bytes: one direction swallowed (a half-open connection), and seconds of delay."""

    swallow_to_server: bool = False
    swallow_to_client: bool = False
    delay: float = 0.0
    trap: Trap | None = None


@dataclass(slots=True)
class Trap:
    """Breaks one connection, once: when `after` has gone to the server and then `at`, which still passes or not."""

    after: bytes
    at: bytes
    passes: bool
    sprung: bool = False


class Proxy:
    """Listens on a port of its own while used as a context; `server` is a port or the path of a unix socket."""

    def __init__(self, server: int | Path) -> None:
        self._server = server
        self.weather = Weather()
        self._accepting = asyncio.Event()
        self._accepting.set()
        self._lines: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accept, LOOPBACK, 0)
        self.port: int = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: object, trace: TracebackType | None) -> None:
        self._listener.close()
        await self.cut()

    async def cut(self) -> None:
        """Break every connection and refuse new ones until `heal`."""
        self._accepting.clear()
        for line in list(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def blackhole(self, *, to_server: bool = True, to_client: bool = True) -> None:
        """Keep connections open and swallow what passes: nobody is told until a timeout or heartbeat tells."""
        self.weather.swallow_to_server, self.weather.swallow_to_client = to_server, to_client

    def slow(self, seconds: float) -> None:
        """Delay each piece in each direction."""
        self.weather.delay = seconds

    def set_trap(self, after: bytes, at: bytes, *, passes: bool) -> Trap:
        """Break the first connection on which `at` follows `after`; with `passes` the server still gets it."""
        self.weather.trap = trap = Trap(after, at, passes)
        return trap

    def heal(self) -> None:
        """Fine weather again; broken connections stay broken."""
        self.weather = Weather()
        self._accepting.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        if line is None or not self._accepting.is_set():
            writer.transport.abort()
            return
        self._lines.add(line)
        try:
            await self._carry(reader, writer)
        except (asyncio.CancelledError, OSError):
            pass  # a cut line or a server that is away: the client sees a broken connection, which is the point
        finally:
            writer.transport.abort()
            self._lines.discard(line)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(self._server, Path):
            upstream, downstream = await asyncio.open_unix_connection(self._server)
        else:
            upstream, downstream = await asyncio.open_connection(LOOPBACK, self._server)
        caught = asyncio.Event()
        ways = {
            asyncio.create_task(self._send(reader, downstream, caught)),
            asyncio.create_task(self._answer(upstream, writer, caught)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            downstream.transport.abort()

    async def _send(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, caught: asyncio.Event) -> None:
        armed = False
        with suppress(ConnectionError):
            while piece := await source.read(CHUNK):
                if self.weather.delay:
                    await asyncio.sleep(self.weather.delay)
                trap = self.weather.trap
                if trap is not None and not trap.sprung:
                    if armed and trap.at in piece:
                        caught.set()
                        await _spring(trap, piece, target)
                        return
                    armed = armed or trap.after in piece
                await _pass(piece, target, swallowed=self.weather.swallow_to_server)

    async def _answer(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, caught: asyncio.Event) -> None:
        with suppress(ConnectionError):
            while piece := await source.read(CHUNK):
                if self.weather.delay:
                    await asyncio.sleep(self.weather.delay)
                await _pass(piece, target, swallowed=self.weather.swallow_to_client or caught.is_set())


async def _pass(piece: bytes, target: asyncio.StreamWriter, *, swallowed: bool) -> None:
    if not swallowed:
        target.write(piece)
        await target.drain()


async def _spring(trap: Trap, piece: bytes, target: asyncio.StreamWriter) -> None:
    """The connection is about to break; what passes gets there before it does, and nothing comes back any more."""
    trap.sprung = True
    if trap.passes:
        await _pass(piece, target, swallowed=False)
        await asyncio.sleep(SPRUNG_SECONDS)
