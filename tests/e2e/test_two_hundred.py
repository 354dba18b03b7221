"""Two hundred requests at once between two node processes: in the end both sides say the same of every one."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import Tier
from tests.support import driving
from tests.support.history import Line, deliveries_at, difference, is_quiet, lines_of, wrong_effects
from tests.support.processes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.ground import Network
    from tests.support.processes import Site

NUMBER = 200
AT_ONCE = 16
"""Requests that are in people's hands at the same time."""

LIMIT_SECONDS = 400
"""Of the whole, on a machine that others use too; alone it takes less than 90."""

COURSES = (
    ("preserved", Tier.URGENT),
    ("answered", Tier.ROUTINE),
    ("preserved", Tier.ROUTINE),
    ("answered", Tier.URGENT),
    ("withdrawn", Tier.URGENT),
    ("left", Tier.ROUTINE),
    ("preserved", Tier.URGENT),
    ("answered", Tier.ROUTINE),
)
"""What becomes of the requests, over and over: the last act of each, and its tier, which chooses the lane."""

ARRIVED = {"exchange.delivered", "exchange.arrived_withdrawn"}

STATES = {"preserved": "PRESERVED", "answered": "ANSWERED", "withdrawn": "WITHDRAWN", "left": "DELIVERED"}


class Arrivals:
    """Tells when an exchange has arrived at a node, from the node's own feed of events."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._events: dict[str, asyncio.Event] = {}

    async def of(self, exchange: str) -> None:
        """Wait until the feed has told of it."""
        async with asyncio.timeout(driving.PATIENCE_SECONDS):
            await self._event(exchange).wait()

    async def follow(self) -> None:
        """Read the feed by long polls, until cancelled."""
        headers = {"Authorization": f"Bearer {self._site.tokens['duty_officer']}", "Prefer": "wait=20"}
        place = "latest"
        while True:
            query: dict[str, str | int] = {"after": place, "limit": 200}
            page = driving.accepted(await self._site.http.get("/v1/events", params=query, headers=headers))
            place = page["next"]
            for told in page["data"]:
                if told["kind"] in ARRIVED:
                    self._event(told["subject"]["id"]).set()

    def _event(self, exchange: str) -> asyncio.Event:
        return self._events.setdefault(exchange, asyncio.Event())


@asynccontextmanager
async def followed(site: Site) -> AsyncIterator[Arrivals]:
    """Arrivals at this node, for the time of the block."""
    arrivals = Arrivals(site)
    following = asyncio.create_task(arrivals.follow())
    try:
        yield arrivals
        assert not following.done(), "the feed ended"
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def run_course(network: Network, arrivals: Arrivals, number: int) -> tuple[str, str]:
    """Take one request through its course; returns the exchange and the state in which it ends."""
    course, tier = COURSES[number % len(COURSES)]
    make = driving.advice if course == "answered" else driving.preservation
    xa, xt = network["XA"], network["XT"]
    exchange = (await driving.send(xa, make(f"AU-{number:05}", tier=tier))).exchange
    if course == "withdrawn":
        # At once: it may overtake its own request, and both must find their turn.
        await driving.withdraw(xa, exchange)
    await arrivals.of(exchange)
    if course == "preserved":
        await driving.preserve(xt, exchange)
    elif course == "answered":
        await driving.answer(xt, exchange)
    return exchange, STATES[course]


@pytest.mark.long
@pytest.mark.timeout(LIMIT_SECONDS)
async def test_two_hundred_requests_end_the_same_on_both_sides(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    """After 200 requests of two types and tiers, both nodes show the same exchanges, states, generations and holds."""
    xa, xt = network["XA"], network["XT"]
    xa.start()
    xt.start()
    await asyncio.gather(xa.ready(), xt.ready())
    begun, at_once = time.monotonic(), asyncio.Semaphore(AT_ONCE)
    async with followed(xt) as arrivals:

        async def take(number: int) -> tuple[str, str]:
            async with at_once:
                return await run_course(network, arrivals, number)

        expected = dict(await asyncio.gather(*(take(number) for number in range(NUMBER))))
    worked = time.monotonic() - begun
    await until(lambda: is_quiet(xa, xt), what="both outboxes empty", seconds=120)
    ours = await lines_of(xa.as_("duty_officer"), direction="outgoing", peer="XT")
    theirs = await lines_of(xt.as_("duty_officer"), direction="incoming", peer="XA")
    with capsys.disabled():
        print(f" {NUMBER} requests in {worked:.1f} s, quiet after {time.monotonic() - begun:.1f} s", end="")  # noqa: T201 - seconds are part of what this test says
    assert (difference(ours, theirs), len(expected)) == ("", NUMBER)
    assert {line.exchange: line.state for line in ours} == expected
    holds = Counter(line.exchange for line in ours if line.hold)
    assert holds == dict.fromkeys((name for name, state in expected.items() if state == "PRESERVED"), 1)
    assert wrong_effects(expected, await deliveries_at(xt)) == ""


def test_a_difference_is_printed() -> None:
    """(Control) Sets that differ in one generation, one state or one end of a hold are told apart, by name."""
    line = Line("a", "PRESERVED", 5, hold="h", hold_state="TIMED", expires_at="2027-02-20T09:30:00.000Z")
    same = frozenset({line, Line("b", "DELIVERED", 1)})
    changes: list[dict[str, Any]] = [
        {"generation": 4},
        {"state": "DELIVERED"},
        {"expires_at": "2027-02-20T09:30:00.001Z"},
    ]
    assert difference(same, same) == ""
    for change in changes:
        other = frozenset({replace(line, **change), Line("b", "DELIVERED", 1)})
        printed = difference(same, other)
        assert "only the requesting side shows (1)" in printed
        assert "only the requested side shows (1)" in printed
        assert "exchange='b'" not in printed
