"""The loop that keeps a link alive: when it goes on, when it stops, how long it waits, what it tells."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bus.broker import Delivery, TryLater
from app.bus.supervise import Pauses, Standing, hand_over, run_together, supervise
from app.domain.codes import Lane
from app.errors import LogBroken
from tests.support.bus import eventually, short_pauses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def ticking() -> Callable[[], datetime]:
    """A clock that is a second later each time it is read."""
    seconds = count()
    return lambda: NOW + timedelta(seconds=next(seconds))


@given(attempt=st.integers(0, 10_000), drawn=st.floats(0, 1))
def test_a_pause_is_never_longer_than_the_longest_nor_shorter_than_half(attempt: int, drawn: float) -> None:
    """However many failures came before, a pause lies between half its step and its step, and below the cap."""
    whole = min(5.0, 0.1 * 2.0 ** min(attempt, 100))
    assert whole / 2 <= Pauses(lambda: drawn).after(attempt) <= whole


def test_pauses_grow() -> None:
    """Each failure in a row doubles the pause, up to the cap."""
    pauses = Pauses(lambda: 0.0, first=1, longest=6)
    assert [pauses.after(attempt) for attempt in range(5)] == [1, 2, 4, 6, 6]


@pytest.mark.parametrize("fault", [ConnectionError, ZeroDivisionError, asyncio.CancelledError, TimeoutError])
async def test_a_fault_begins_a_new_session(fault: type[BaseException]) -> None:
    """Whatever ends a session, even a cancellation that nobody ordered, the next one follows, and the class is kept."""
    standing, stopping, sessions = Standing("XA", ticking(), frozenset()), asyncio.Event(), count(1)

    async def session() -> None:
        if next(sessions) < 3:
            raise fault
        stopping.set()

    await supervise("link", session, standing=standing, pauses=short_pauses(), stopping=stopping)
    assert next(sessions) == 4
    assert standing.last_error == fault.__name__


async def test_an_ordered_cancellation_is_obeyed() -> None:
    """Cancelling the task ends it: the loop tells this from a cancellation that a library threw."""
    begun = asyncio.Event()

    async def session() -> None:
        begun.set()
        await asyncio.Event().wait()

    keeping = supervise(
        "link",
        session,
        standing=Standing("XA", ticking(), frozenset()),
        pauses=short_pauses(),
        stopping=asyncio.Event(),
    )
    task = asyncio.create_task(keeping)
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_broken_log_is_not_survived() -> None:
    """`LogBroken` ends the loop, and the parts that run beside it."""
    beside = asyncio.create_task(asyncio.Event().wait())

    async def session() -> None:
        raise LogBroken("log_broken", "moved backwards")

    async def wait() -> None:
        await beside

    standing = Standing("XA", ticking(), frozenset())
    broken = supervise("a", session, standing=standing, pauses=short_pauses(), stopping=asyncio.Event())
    with pytest.raises(LogBroken):
        await run_together(wait(), broken)
    assert beside.cancelled()


async def test_stopping_cuts_a_pause_short() -> None:
    """A stop during the longest pause is obeyed at once."""
    standing, stopping = Standing("XA", ticking(), frozenset()), asyncio.Event()

    async def session() -> None:
        raise ConnectionError

    pauses = Pauses(lambda: 0.0, first=3600, longest=3600)
    task = asyncio.create_task(supervise("link", session, standing=standing, pauses=pauses, stopping=stopping))
    await eventually(lambda: standing.last_error is not None)
    stopping.set()
    await asyncio.wait_for(task, 5)


async def test_patience_with_a_node_in_trouble_has_an_end() -> None:
    """A handle that says `TryLater` for too long gives its deliveries back: another consumer may do better."""
    calls = 0

    async def handle(_: Sequence[Delivery]) -> None:
        nonlocal calls
        calls += 1
        raise TryLater("still away")

    batch = [Delivery(b"x", "XT.XA.urgent", "XA", Lane.URGENT)]
    taken = await hand_over(batch, handle, pauses=short_pauses(), leaving=[asyncio.Event()], patience_s=0.1)
    assert not taken
    assert calls > 1


def test_connected_needs_every_required_link() -> None:
    """One lane down is not connected; `since` moves only when the answer changes; a return is a reconnection."""
    standing = Standing("XA", ticking(), frozenset({"a", "b"}))
    begun = standing.since
    standing.opened("a")
    assert (standing.connected, standing.since) == (False, begun)
    standing.opened("b")
    assert (standing.connected, standing.since > begun) == (True, True)
    joined = standing.since
    standing.opened("c")
    standing.closed("c")
    assert (standing.connected, standing.since, standing.reconnects) == (True, joined, 0)
    standing.closed("a")
    assert (standing.connected, standing.reconnects) == (False, 0)
    standing.opened("a")
    assert (standing.connected, standing.reconnects) == (True, 1)
