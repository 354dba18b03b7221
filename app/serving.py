"""One node at work: the gateway, the loops, or both, until a signal or a fault ends them."""

from __future__ import annotations

import asyncio
import errno
import secrets
import signal
import socket
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from app.bus.supervise import Pauses, pause
from app.db.engine import make_lone_engine
from app.db.notices import LINE_FAULTS, open_line
from app.errors import SettingsUnusable
from app.main import create_app, create_probes, serve_http
from app.runtime import open_runtime
from app.trusting import DirectoryWatch
from app.workers import run_workers, start_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.db.notices import Line
    from app.runtime import Runtime
    from app.settings import Settings

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BACKLOG = 256

NOTICE_SECONDS = 0.1
"""Between two notices of one process: a notice takes a lock that all commits of the server share."""

PROBE_SECONDS = 10.0
"""Silence after which a process asks whether its line for notices still stands."""


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
        listener = _listener(settings, gateway=gateway)
        if listener is not None:
            held.enter_context(listener)
        async with open_runtime(settings, clock=wall_clock) as runtime:
            with on_stop_signals(partial(stop, runtime)):
                if work:
                    await start_log(runtime)
                async with asyncio.TaskGroup() as parts:
                    if listener is not None:
                        port = listener.getsockname()[1]
                        runtime.log.info("gateway_listens" if gateway else "probes_listen", port=port)
                        app, seconds = (create_app if gateway else create_probes)(runtime), settings.graceful_seconds
                        parts.create_task(serve_http(runtime, listener, graceful_seconds=seconds, app=app))
                    if work:
                        parts.create_task(run_workers(runtime))
                    else:
                        parts.create_task(DirectoryWatch(runtime).follow())
                    if settings.notices:
                        parts.create_task(share_wakes(runtime, _line_engine(settings)))
                    parts.create_task(runtime.stopping.wait())


def _listener(settings: Settings, *, gateway: bool) -> socket.socket | None:
    """Where this process answers; None for one that only works and was given no port for its probes."""
    if gateway:
        return listen_on(settings.http_host, settings.http_port)
    return None if settings.metrics_port is None else listen_on(settings.metrics_host, settings.metrics_port)


def _line_engine(settings: Settings) -> AsyncEngine:
    return make_lone_engine(settings.database_url.get_secret_value(), name=f"counterpart {settings.code} notices")


async def share_wakes(runtime: Runtime, engine: AsyncEngine) -> None:
    """Tell the other processes of this node when one here committed, and wake on theirs, until the stop.

    `engine` does not pool. While the line is down everybody finds work by looking, some tenths of a second later.
    """
    pauses, failures = Pauses(secrets.SystemRandom().random), 0
    while not runtime.stopping.is_set():
        try:
            async with open_line(engine, runtime.wake.hear) as line:
                failures = 0
                await _pass_on(line, runtime)
        except LINE_FAULTS as fault:
            runtime.log.warning("notices_lost", error=type(fault).__name__)
        await pause(pauses.after(failures), runtime.stopping)
        failures += 1


async def _pass_on(line: Line, runtime: Runtime) -> None:
    """Tell of our commits until the line is lost or we stop: the first at once, then at most ten times a second."""
    news, leaving = runtime.wake.news, (line.lost, runtime.stopping)
    while not any(event.is_set() for event in leaving):
        if news.is_set():
            news.clear()
            await line.tell()
            await pause(NOTICE_SECONDS, *leaving)
        else:
            await pause(PROBE_SECONDS, news, *leaving)
            if not news.is_set():
                await line.probe()


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
