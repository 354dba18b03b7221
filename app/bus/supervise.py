"""A connection that is kept alive by nobody but us: sessions begun again and again, with a pause that grows.

The client library's own reconnection can report "connected" while its consumer is gone. Here a session either runs or
has ended; when it ends for whatever reason, everything it held is dropped and a new one begins from nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from app.bus.broker import TryLater
from app.errors import LogBroken
from app.logs import frames_of, node_log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from datetime import datetime

    from app.bus.broker import Delivery, Handle

STEADY_S: Final = 10.0
"""A session that lasted this long had been well: the next pause is short again."""

HOLD_S: Final = 600.0
"""How long deliveries stay in hand while the node says `TryLater`; then another consumer of the queue gets its turn.

Giving them back counts as a return at RabbitMQ 3.10 to 4.2, and twenty returns are a dead letter: an hour without
database must not bury what was waiting. It stays well below the broker's own 30 minutes for an acknowledgement.
"""

Result = TypeVar("Result")


class StoppedFirst(Exception):
    """A session was told to stop while it was still being set up."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait before trying again: doubling from `first` to `longest`, of which a random half is taken off.

    `random` returns a number from 0 to 1; without it, nodes that lost their broker together would come back together.
    """

    random: Callable[[], float]
    first: float = 0.1
    longest: float = 5.0

    def after(self, attempt: int) -> float:
        """Seconds to wait after so many failures in a row (0 for the first)."""
        whole = min(self.longest, self.first * 2.0 ** min(attempt, 30))
        return whole * (1 - self.random() / 2)


@dataclass(slots=True)
class Standing:
    """What the links of the contact point `node` tell about themselves; the source of `BrokerStatus`.

    `required` names the links without which it does not count as connected.
    """

    node: str
    clock: Callable[[], datetime]
    required: frozenset[str]
    since: datetime = field(init=False)
    reconnects: int = 0
    last_error: str | None = None
    _up: set[str] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.since = self.clock()

    @property
    def connected(self) -> bool:
        """Whether every required link is up."""
        return self.required <= self._up

    def is_up(self, link: str) -> bool:
        """Whether this link is up now."""
        return link in self._up

    def opened(self, link: str) -> None:
        """The link works from now on."""
        before = self.connected
        self.reconnects += link in self._seen
        self._seen.add(link)
        self._up.add(link)
        self._note(before)

    def closed(self, link: str) -> None:
        """The link is gone; said as soon as it is known, before anything is cleaned up."""
        before = self.connected
        self._up.discard(link)
        self._note(before)

    def failed(self, link: str, fault: BaseException) -> None:
        """Remember and log the class of a fault; its text may quote an address, a row or a statement."""
        kind = type(fault).__name__
        if kind != self.last_error:
            frames = frames_of(fault.__traceback__)
            node_log(self.node).warning("bus_link_failed", loop=link, error=kind, frames=frames)
        self.last_error = kind

    def _note(self, before: bool) -> None:  # noqa: FBT001 - what `connected` was a moment ago
        if before != self.connected:
            self.since = self.clock()


async def supervise(
    link: str, session: Callable[[], Awaitable[None]], *, standing: Standing, pauses: Pauses, stopping: asyncio.Event
) -> None:
    """Run `session` again whenever it ends, until `stopping` is set; only `LogBroken` and our own cancellation end it.

    Any other fault, of the broker or of what a session calls, is remembered and answered with a pause.
    """
    loop = asyncio.get_running_loop()
    failures = 0
    while not stopping.is_set():
        begun = loop.time()
        try:
            await session()
        except StoppedFirst:
            return
        except LogBroken:
            raise
        except asyncio.CancelledError as fault:
            # The client cancels whoever waits on a connection that lost its heartbeat: that is a fault, not an order.
            if is_being_cancelled():
                raise
            standing.failed(link, fault)
        except Exception as fault:  # noqa: BLE001 - the supervisor: whatever it was, begin again from nothing
            standing.failed(link, fault)
        failures = 0 if loop.time() - begun >= STEADY_S else failures
        await pause(pauses.after(failures), stopping)
        failures += 1


async def hand_over(
    batch: Sequence[Delivery],
    handle: Handle,
    *,
    pauses: Pauses,
    leaving: Sequence[asyncio.Event],
    patience_s: float = HOLD_S,
) -> bool:
    """Call `handle` until it has taken the batch; false when an event of `leaving` came first, or patience ran out.

    The handle is never interrupted: it may be in the middle of its commit. Faults other than `TryLater` pass through.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    attempt = 0
    while True:
        try:
            await handle(batch)
        except TryLater:
            await pause(pauses.after(attempt), *leaving)
            if loop.time() > until or any(event.is_set() for event in leaving):
                return False
            attempt += 1
        else:
            return True


async def unless(stopping: asyncio.Event, work: Coroutine[None, None, Result]) -> Result:
    """Do `work`, cancelling it and raising `StoppedFirst` when a stop comes first: for what may hang for seconds."""
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise StoppedFirst
        return task.result()
    finally:
        task.cancel()
        stop.cancel()
        await asyncio.gather(task, stop, return_exceptions=True)


async def run_together(*parts: Coroutine[None, None, None]) -> None:
    """Run all until all have ended; the first fault, or our cancellation, ends the others and is raised as it is."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def is_being_cancelled() -> bool:
    """Whether somebody asked the current task to stop, as against a `CancelledError` that a library threw."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def pause(seconds: float, *unless: asyncio.Event) -> None:
    """Wait so long, or until one of the events is set."""
    try:
        async with asyncio.timeout(seconds):
            await any_set(*unless)
    except TimeoutError:
        return


async def any_set(*events: asyncio.Event) -> None:
    """Return once one of the events is set; leaves no task behind."""
    if any(event.is_set() for event in events):
        return
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
