"""One node at work: the gateway, the loops, or both, until a signal or a fault ends them."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from app.errors import SettingsUnusable
from app.main import serve_http
from app.runtime import open_runtime
from app.workers import run_workers, start_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.runtime import Runtime
    from app.settings import Settings

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
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
    # Made with protocol 0, so asyncio would not set it: each answer would wait for the peer's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setblocking(False)  # noqa: FBT003 - the name of the argument is the method
    return listener


async def serve(settings: Settings, *, gateway: bool = True, work: bool = True) -> None:
    """Run one node until SIGINT or SIGTERM, then finish what is under way.

    Raises SettingsUnusable before anything was begun; LogBroken when the audit log contradicts itself, which is looked
    at before the first request is answered.
    """
    with ExitStack() as held:
        listener = held.enter_context(listen_on(settings.http_host, settings.http_port)) if gateway else None
        async with open_runtime(settings, clock=wall_clock) as runtime:
            with on_stop_signals(partial(stop, runtime)):
                if work:
                    await start_log(runtime)
                async with asyncio.TaskGroup() as parts:
                    if listener is not None:
                        port = listener.getsockname()[1]
                        runtime.log.info("gateway_listens", port=port)
                        parts.create_task(serve_http(runtime, listener, graceful_seconds=settings.graceful_seconds))
                    if work:
                        parts.create_task(run_workers(runtime))
                    parts.create_task(runtime.stopping.wait())


def stop(runtime: Runtime) -> None:
    """Ask a node to finish what is under way and end."""
    runtime.stopping.set()
    runtime.wake.ring()


@contextmanager
def on_stop_signals(told: Callable[[], None]) -> Iterator[None]:
    """Call `told` on SIGINT, SIGTERM, or when the terminal is closed; the default comes back afterwards.

    A hangup that whoever started us chose to ignore (nohup) stays ignored.
    """
    loop = asyncio.get_running_loop()
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    numbers = [number for number in STOP_SIGNALS if not (ignored and number is signal.SIGHUP)]
    for number in numbers:
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
