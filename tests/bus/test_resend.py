"""What is published again, and what is not: evidence, probes, hurry. Each rule also with itself switched off."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.db.engine import begin
from app.domain.codes import Lane, MessageType
from app.services.send import Outgoing, move_lane
from tests.envelope.parties import AURELIA, KITANO, SAHRAN
from tests.support.courier import Courier
from tests.support.peer import Clock, Peer, new_id
from tests.support.station import Station, open_station

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from datetime import datetime
    from uuid import UUID

    from app.envelope.open import Opened
    from tests.support.postgres import Database

SECOND = timedelta(seconds=1)
WEEKEND = timedelta(hours=64)


@dataclass
class Line:
    """XT, the node under test, and the honest or silent XA; the courier shows what left. `off` undoes a rule."""

    station: Station
    aurelia: Peer
    courier: Courier = field(default_factory=Courier)
    off: str | None = None

    @property
    def clock(self) -> Clock:
        """The time of both."""
        return self.station.clock

    async def put(self, peer: str = "XA", lane: Lane = Lane.ROUTINE, thread: str | None = None) -> UUID:
        """Queue one message."""
        outgoing = Outgoing(peer, MessageType.EXCHANGE_ACTION, {}, thread=thread or new_id(), lane=lane)
        return await self.station.put(outgoing)

    async def relay(self, *lanes: Lane) -> list[Opened]:
        """Do one round per lane; returns what left for XA, opened."""
        if self.off is not None:
            await self.station.change(self.off)
        before = len(self.courier.bodies)
        await self.station.relay(self.courier, *lanes)
        return [self.aurelia.open(body) for body in self.courier.bodies[before:]]

    async def pass_time(self, time: timedelta, *, step: timedelta) -> list[tuple[datetime, Opened]]:
        """Let time pass in steps with a round after each; returns what left, and when."""
        left: list[tuple[datetime, Opened]] = []
        end = self.clock.now + time
        while self.clock.now < end:
            self.clock.now += step
            left += [(self.clock.now, opened) for opened in await self.relay()]
        return left

    async def receipt(self, *opened: Opened, **changes: Any) -> None:  # noqa: ANN401 - any member of an entry
        """Let XA receipt these."""
        await self.station.take(self.aurelia.close(self.aurelia.receipt_for(*opened, **changes)))


@pytest.fixture
async def line(database: Database) -> AsyncIterator[Line]:
    """XT, which knows XA and XS."""
    clock = Clock()
    urls = (database.url, database.owner_url)
    async with open_station(KITANO, AURELIA, SAHRAN, urls=urls, clock=clock) as station:
        yield Line(station, Peer(AURELIA, KITANO, clock))


@contextmanager
def without(line: Line, statement: str) -> Iterator[None]:
    """Undo what a rule has noted, before every round of the block."""
    line.off = statement
    yield
    line.off = None


NO_EVIDENCE = "UPDATE passage SET proven_began_at = NULL, fresh_began_at = NULL, fresh_since = NULL"
NO_PROBE = "UPDATE passage SET probe_at = '2099-01-01T00:00:00Z'"
NO_BACK_OFF = "UPDATE outbox SET tries = 1 WHERE tries > 1"


async def lose_three(line: Line) -> tuple[list[UUID], Opened]:
    """Publish three messages that do not arrive, and a second later a fourth that is receipted at once."""
    lost = [await line.put() for _ in range(3)]
    await line.relay()
    line.clock.now += SECOND
    await line.put()
    (fourth,) = await line.relay()
    await line.receipt(fourth)
    return lost, fourth


async def test_evidence_brings_back_what_was_lost(line: Line) -> None:
    """Five seconds after a later message was receipted, all that were confirmed before it began leave again, once."""
    lost, _ = await lose_three(line)
    line.clock.now += 5 * SECOND - timedelta(milliseconds=1)
    assert await line.relay() == []
    line.clock.now += timedelta(milliseconds=1)
    again = await line.relay()
    assert sorted((opened.claims.jti, opened.copy) for opened in again) == sorted((str(jti), 2) for jti in lost)
    line.clock.now += SECOND
    assert await line.relay() == []


async def test_without_evidence_they_are_asked_for_one_by_one(line: Line) -> None:
    """(Control) A node that learns nothing from receipts sends the oldest alone, as a probe."""
    lost, _ = await lose_three(line)
    with without(line, NO_EVIDENCE):
        line.clock.now += 5 * SECOND
        assert [opened.claims.jti for opened in await line.relay()] == [str(lost[0])]


async def test_an_earlier_copy_is_no_evidence(line: Line) -> None:
    """A receipt for a copy that began before another one was confirmed says nothing about that other one."""
    await line.put()
    (first,) = await line.relay()
    line.clock.now += SECOND
    second = await line.put()
    await line.relay()
    line.clock.now += 9 * SECOND
    await line.receipt(first)
    line.clock.now += 5 * SECOND
    again = await line.relay()
    assert [opened.claims.jti for opened in again] == [str(second)], "a probe"
    ((silent,),) = await line.station.rows("SELECT silent FROM passage")
    assert silent == 1


async def test_evidence_is_of_one_lane(line: Line) -> None:
    """Queues are apart: a receipt for an urgent copy proves nothing about routine ones, which are only probed."""
    lost = [await line.put(lane=Lane.ROUTINE) for _ in range(2)]
    await line.relay()
    line.clock.now += SECOND
    await line.put(lane=Lane.URGENT)
    await line.receipt(*await line.relay(Lane.URGENT))
    line.clock.now += 5 * SECOND
    assert [opened.claims.jti for opened in await line.relay()] == [str(lost[0])]


async def test_the_last_one_is_found_by_a_probe(line: Line) -> None:
    """A message that nothing follows leaves again after five silent seconds; its receipt ends the probing."""
    await line.put()
    await line.relay()
    line.clock.now += 5 * SECOND
    (probe,) = await line.relay()
    await line.receipt(probe)
    assert await line.pass_time(timedelta(hours=3), step=timedelta(minutes=1)) == []
    assert await line.station.unreceipted() == 0


async def test_without_probes_the_last_one_stays_lost(line: Line) -> None:
    """(Control) Where nothing is sent without evidence, a loss that nothing follows is never noticed."""
    await line.put()
    await line.relay()
    with without(line, NO_PROBE):
        assert await line.pass_time(WEEKEND, step=timedelta(minutes=30)) == []
    assert await line.station.unreceipted() == 1


async def test_a_silent_peer_is_asked_ever_more_rarely(line: Line) -> None:
    """To a peer that says nothing one message at a time leaves, oldest first and in turn, at growing pauses."""
    waiting = [str(await line.put()) for _ in range(3)]
    await line.relay()
    left = await line.pass_time(timedelta(hours=3), step=timedelta(minutes=1))
    assert [opened.claims.jti for _, opened in left] == (3 * waiting)[: len(left)]
    assert 6 <= len(left) <= 8


async def test_what_is_queued_meanwhile_leaves_once(line: Line) -> None:
    """New messages to a silent peer leave at once, and do not make the probes more frequent."""
    await line.put()
    await line.relay()
    left = 0
    for _ in range(20):
        await line.put()
        left += len(await line.pass_time(timedelta(minutes=3), step=timedelta(minutes=3)))
    assert 20 < left <= 20 + 6


async def unreceipted_among_others(line: Line) -> int:
    """Send one that is never receipted, and for ten minutes others that always are; returns its copies."""
    stubborn = str(await line.put())
    await line.relay()
    copies = 1
    for _ in range(30):
        line.clock.now += 10 * SECOND
        await line.put()
        opened = await line.relay()
        copies += sum(one.claims.jti == stubborn for one in opened)
        await line.receipt(*(one for one in opened if one.claims.jti != stubborn))
        line.clock.now += 10 * SECOND
        copies += sum(one.claims.jti == stubborn for one in await line.relay())
    return copies


async def test_what_is_never_receipted_makes_no_storm(line: Line) -> None:
    """A text that a talking peer never receipts is sent again with growing pauses, not with every receipt."""
    assert 4 <= await unreceipted_among_others(line) <= 6


async def test_without_back_off_it_storms(line: Line) -> None:
    """(Control) Where the number of tries is forgotten, the same ten minutes bring a copy every few seconds."""
    with without(line, NO_BACK_OFF):
        assert await unreceipted_among_others(line) > 20


async def test_a_raised_tier_moves_what_is_confirmed(line: Line) -> None:
    """A confirmed routine message leaves at once on the urgent lane when the tier of its exchange is raised."""
    thread = new_id()
    await line.put(thread=thread)
    await line.relay()
    async with begin(line.station.engine) as session:
        ((exchange_id,),) = await line.station.rows("SELECT exchange_id FROM outbox")
        await move_lane(session, exchange_id, Lane.URGENT, now=line.clock.now)
    (again,) = await line.relay(Lane.URGENT)
    assert again.copy == 2
    assert await line.station.rows("SELECT next_at, published_lane FROM outbox") == [(None, "urgent")]


async def test_missing_moves_what_is_confirmed(line: Line) -> None:
    """What a peer misses leaves at once on urgent though its routine copy is confirmed and nothing is proven."""
    thread = new_id()
    for _ in range(2):
        await line.put(thread=thread)
    _, second = sorted(await line.relay(), key=lambda opened: opened.claims.seq or 0)
    await line.receipt(second, status="held", missing=[1])
    assert [(opened.claims.seq, opened.copy) for opened in await line.relay(Lane.URGENT)] == [(1, 2)]


async def test_two_relays_probe_once(line: Line) -> None:
    """Of two relays that look at the same silent way at the same time one probes."""
    await line.put()
    await line.relay()
    line.clock.now += 5 * SECOND
    assert len(await line.relay(Lane.ROUTINE, Lane.ROUTINE)) == 1
