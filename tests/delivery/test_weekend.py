"""A contact point is silent from Friday evening to Monday morning: what is sent meanwhile, and what arrives then."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import Lane
from tests.delivery.ground import copies, outstanding, queue, two_sides
from tests.support.peer import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.delivery.ground import Side
    from tests.support.postgres import Database
    from tests.support.rabbit import Vhost

WEEKEND = timedelta(hours=64)
STEP = timedelta(minutes=20)
SECONDS = 300 * (timedelta(seconds=1),)
MINUTES = 90 * (timedelta(minutes=2),)
NUMBERS = {Lane.ROUTINE: 100, Lane.URGENT: 20}
TOTAL = sum(NUMBERS.values())
PROBES = 70
"""Most per lane: five growing pauses, then one an hour."""


@dataclass
class Weekend:
    """Both sides, the broker between them, and their clock."""

    xa: Side
    xt: Side
    vhost: Vhost
    clock: Clock

    async def pass_by(self, *, before_each: str | None = None) -> int:
        """Queue and publish everything, then let the weekend pass; returns the copies made of those messages."""
        for lane, number in NUMBERS.items():
            await queue(self.xa, number, lane=lane)
        await self.xa.publish_all()
        monday = self.clock.now + WEEKEND
        while self.clock.now < monday:
            self.clock.now += STEP
            if before_each is not None:
                await self.xa.station.change(before_each)
            await self.xa.publish_all()
        return await copies(self.xa)

    async def lose(self) -> None:
        """Let the broker forget everything that waits for XT."""
        for lane in Lane:
            await self.vhost.purge(self.vhost.queues("XT").inbound(lane))

    async def come_back(self, *steps: timedelta, before_each: str | None = None) -> int:
        """Let XT work again, for at most these steps of their clock; returns how many are still outstanding."""
        async with self.xa.receiving(), self.xt.receiving():
            for step in steps:
                if not await outstanding(self.xa):
                    break
                self.clock.now += step
                if before_each is not None:
                    await self.xa.station.change(before_each)
                for side in (self.xa, self.xt):
                    await side.publish_all()
                self.xa.woken.clear()
                with suppress(TimeoutError):  # the broker has its own time
                    async with asyncio.timeout(0.05):
                        await self.xa.woken.wait()
        return await outstanding(self.xa)


@pytest.fixture
async def weekend(
    make_database: Callable[[], Awaitable[Database]], make_vhost: Callable[..., Awaitable[Vhost]]
) -> AsyncIterator[Weekend]:
    """Friday evening."""
    clock, vhost = Clock(), await make_vhost("XA", "XT")
    async with two_sides(make_database, vhost, clock) as (xa, xt):
        yield Weekend(xa, xt, vhost, clock)


async def test_a_silent_weekend_costs_probes_only(weekend: Weekend) -> None:
    """In 64 silent hours one message per lane and hour is sent again; on Monday everything arrives without more."""
    made = await weekend.pass_by()
    assert TOTAL + 2 * 60 <= made <= TOTAL + 2 * PROBES
    assert await weekend.come_back(*SECONDS) == 0
    assert await weekend.xt.station.rows("SELECT count(*) FROM effect") == [(TOTAL,)]
    assert await copies(weekend.xa) <= made + 4


async def test_what_the_broker_lost_arrives_on_monday(weekend: Weekend) -> None:
    """When the broker forgets everything meanwhile, the first probe that is answered brings all of it, once."""
    made = await weekend.pass_by()
    await weekend.lose()
    assert await weekend.come_back(*MINUTES) == 0
    assert await weekend.xt.station.rows("SELECT count(*) FROM effect") == [(TOTAL,)]
    assert await copies(weekend.xa) <= made + TOTAL + 10


NO_PROBE = "UPDATE passage SET probe_at = '2099-01-01T00:00:00Z'"


async def test_without_probes_it_never_arrives(weekend: Weekend) -> None:
    """(Control) A node that waits for evidence alone never learns that everything it was confirmed is gone."""
    assert await weekend.pass_by(before_each=NO_PROBE) == TOTAL
    await weekend.lose()
    assert await weekend.come_back(*MINUTES, before_each=NO_PROBE) == TOTAL
