"""A contact point was away while thousands of messages came for it. Now it is back: one day, looked at by each test.

`COUNTERPART_TEST_BACKLOG` says how many thousands; `make test` takes two.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from app.db.engine import begin
from app.domain.codes import Lane, MessageType
from app.services.send import Outgoing, move_lane
from tests.delivery.ground import RunningClock, copies, outstanding, queue, two_sides, until_left
from tests.support.bus import until
from tests.support.peer import new_id

if TYPE_CHECKING:
    from tests.delivery.ground import Side
    from tests.support.postgres import Database, PostgresServer
    from tests.support.rabbit import RabbitServer

NUMBER = int(os.environ.get("COUNTERPART_TEST_BACKLOG", "2000"))
PATIENCE_S = 60 + NUMBER / 25
PER_THREAD = 4
DISORDER = """SELECT count(*) FROM (
    SELECT seq, lag(seq) OVER (PARTITION BY thread ORDER BY id) AS before FROM effect
) AS e WHERE seq <> coalesce(before, 0) + 1"""


@dataclass
class Day:
    """What was seen. `ahead` says how many routine messages still had no receipt when a named one had its own."""

    begun: float = field(default_factory=time.monotonic)
    queued_s: float = 0.0
    published_s: float = 0.0
    drained_s: float = 0.0
    most_outstanding: int = 0
    ahead: dict[str, int] = field(default_factory=dict)
    waited_s: dict[str, float] = field(default_factory=dict)
    copies: float = 0.0
    received: int = 0
    disorder: int = 0

    def lap(self) -> float:
        """Seconds since the last lap."""
        since, self.begun = self.begun, time.monotonic()
        return self.begun - since


async def put_one(side: Side, lane: Lane) -> UUID:
    """Queue one more message; returns its name."""
    outgoing = Outgoing("XT", MessageType.EXCHANGE_OPEN, {}, thread=new_id(), lane=lane)
    return await side.station.put(outgoing)


async def raise_tier(side: Side, thread: str) -> UUID:
    """Move an exchange to urgent, as a raised tier does; returns the name of its last message."""
    async with begin(side.station.engine) as session:
        await move_lane(session, UUID(thread), Lane.URGENT, now=side.station.clock())
    query = "SELECT jti FROM outbox WHERE thread = :thread ORDER BY seq DESC LIMIT 1"
    ((jti,),) = await side.station.rows(query, thread=thread)
    return UUID(str(jti))


async def follow(side: Side, day: Day, name: str, jti: UUID) -> None:
    """Wait for the receipt of one message, and note what was still outstanding then."""
    begun = time.monotonic()

    async def is_receipted() -> bool:
        return bool((await side.station.rows("SELECT left_at IS NOT NULL FROM outbox WHERE jti = :jti", jti=jti))[0][0])

    await until(is_receipted, seconds=PATIENCE_S)
    day.ahead[name] = await outstanding(side, Lane.ROUTINE)
    day.waited_s[name] = time.monotonic() - begun


async def drain(xa: Side, xt: Side, *, day: Day, threads: list[str]) -> None:
    """Follow the drain to its end; when a tenth is through, a further emergency comes and a further tier is raised.

    What stands in line is published before anybody works again.
    """
    standing = {
        "a routine message of the same moment": await put_one(xa, Lane.ROUTINE),
        "an emergency that stood in line": await put_one(xa, Lane.URGENT),
        "a tier raised while it stood in line": await raise_tier(xa, threads[-1]),
    }
    await xa.publish_all()
    day.most_outstanding = await outstanding(xa)
    async with xa.receiving(), xa.relaying(), xt.relaying(), xt.receiving():
        followed = [asyncio.create_task(follow(xa, day, name, jti)) for name, jti in standing.items()]
        await until_left(xa, int(0.9 * NUMBER), seconds=PATIENCE_S)
        moving = {
            "an emergency meanwhile": await put_one(xa, Lane.URGENT),
            "a tier raised meanwhile": await raise_tier(xa, threads[-2]),
        }
        followed += [asyncio.create_task(follow(xa, day, name, jti)) for name, jti in moving.items()]
        await until_left(xa, 0, seconds=PATIENCE_S)
        await asyncio.gather(*followed)


@pytest.fixture(scope="module")
async def day(migrated: PostgresServer, rabbit: RabbitServer) -> Day:
    """XA has queued and published everything while XT was away; then XT comes back, and all is followed to the end."""
    made: list[Database] = []

    async def make_database() -> Database:
        made.append(await migrated.clone())
        return made[-1]

    vhost = await rabbit.make_vhost("XA", "XT")
    seen = Day()
    async with two_sides(make_database, vhost, RunningClock()) as (xa, xt):
        threads = await queue(xa, NUMBER, per_thread=PER_THREAD)
        seen.queued_s = seen.lap()
        await xa.publish_all()
        seen.published_s = seen.lap()
        await drain(xa, xt, day=seen, threads=threads)
        seen.drained_s = seen.lap()
        seen.copies = await copies(xa) / (NUMBER + 3)
        ((seen.received,),) = await xt.station.rows("SELECT count(*) FROM effect")
        ((seen.disorder,),) = await xt.station.rows(DISORDER)
    await rabbit.drop_vhost(vhost)
    for database in made:
        await migrated.drop(database)
    print(
        f"\n{NUMBER} messages: queued in {seen.queued_s:.1f} s, published in {seen.published_s:.1f} s,"
        f" drained in {seen.drained_s:.1f} s, {seen.copies:.4f} copies each, at most {seen.most_outstanding}"
        f" outstanding; receipts ahead of {seen.ahead} routine ones after {seen.waited_s} s",
        file=sys.__stderr__,
    )
    return seen


def test_everything_arrives_once_and_in_order(day: Day) -> None:
    """Each message of the backlog has its effect exactly once, and those of a thread in their order."""
    assert (day.received, day.disorder) == (NUMBER + 3, 0)


def test_a_backlog_is_published_once(day: Day) -> None:
    """However long the queue stands, it is drained with at most 1.05 publications per message."""
    assert 1.0 <= day.copies <= 1.05


STANDING = ("an emergency that stood in line", "a tier raised while it stood in line")


@pytest.mark.parametrize("case", STANDING)
def test_what_is_urgent_overtakes(day: Day, case: str) -> None:
    """The receipt of an emergency, or of a request raised to one, is back while 95 % of the backlog still waits."""
    assert day.ahead[case] > 0.95 * NUMBER


@pytest.mark.parametrize("case", ["an emergency meanwhile", "a tier raised meanwhile"])
def test_what_is_urgent_overtakes_a_queue_that_moves(day: Day, case: str) -> None:
    """Nor does it wait for the backlog while that is being drained: a tenth is through, and most still waits."""
    assert day.ahead[case] > 0.5 * NUMBER


def test_what_is_not_urgent_waits(day: Day) -> None:
    """(Control) A message of the same moment on the routine lane has its receipt when the backlog is through."""
    assert day.ahead["a routine message of the same moment"] < 0.05 * NUMBER
