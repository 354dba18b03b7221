"""One node at work: the gateway, the loops, or both, until a signal or a fault ends them."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.errors import SettingsUnusable
from app.main import serve_http
from app.runtime import open_runtime
from app.workers import run_workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.runtime import Runtime
    from app.settings import Settings

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
BACKLOG = 256


def wall_clock() -> datetime:
    """The one reading of the clock that all commands of a node begin with."""
    return datetime.now(UTC)


def listen_on(host: str, port: int) -> socket.socket:
    """A listening socket; raises SettingsUnusable in one sentence when the port is taken."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as fault:
        taken = fault.errno == errno.EADDRINUSE
        reason = "is in use by another program" if taken else f"cannot be listened on: {fault.strerror}"
        raise SettingsUnusable("port_unusable", f"Port {port} on {host} {reason}; choose another one.") from fault
    listener.setblocking(False)  # noqa: FBT003 - the name of the argument is the method
    return listener


async def serve(settings: Settings, *, gateway: bool = True, work: bool = True) -> None:
    """Run one node until SIGINT or SIGTERM, then finish what is under way.

    Raises SettingsUnusable before anything was begun; LogBroken when the audit log contradicts itself.
    """
    listener = listen_on(settings.http_host, settings.http_port) if gateway else None
    async with open_runtime(settings, clock=wall_clock) as runtime:
        with stopped_by_signals([runtime]):
            async with asyncio.TaskGroup() as parts:
                if listener is not None:
                    port = listener.getsockname()[1]
                    runtime.log.info("gateway_listens", port=port)
                    parts.create_task(serve_http(runtime, listener, graceful_seconds=settings.graceful_seconds))
                if work:
                    parts.create_task(run_workers(runtime))
                parts.create_task(runtime.stopping.wait())


@contextmanager
def stopped_by_signals(runtimes: list[Runtime]) -> Iterator[None]:
    """The first SIGINT or SIGTERM asks these nodes to stop; the default comes back afterwards."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for runtime in runtimes:
            runtime.stopping.set()
            runtime.wake.ring()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
