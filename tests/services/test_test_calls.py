"""Test calls of the clock and of peers: planned once, taken as they are, and never a reason to stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from app.db import test_calls
from app.db.engine import ReadSession, Session, begin, reading
from app.db.test_calls import CallRecord
from app.domain.codes import Direction
from app.domain.directory import Directory
from app.domain.service_messages import CallKind
from app.domain.test_calls import EVERY, next_day
from app.services.effects import EFFECTS
from app.services.watch_test_calls import plan_monthly, watch_test_calls
from tests.envelope.parties import NOW
from tests.support.peer import new_id

if TYPE_CHECKING:
    from app.services.node import Node
    from tests.support.peer import Peer
    from tests.support.station import Station

TODAY = date(2026, 11, 22)
DRAWS = (0.0, 0.5, 0.999)
OPEN = "SELECT peer FROM test_call WHERE called_at IS NULL AND missed_at IS NULL ORDER BY peer"


def call_of(at: str, **members: object) -> dict[str, Any]:
    """What a peer says when it calls."""
    return {"call_id": new_id(), "kind": "PING", "part": "call", "at": at, **members}


def somewhere(node: Node) -> Node:
    """The node, whose contact points live in a time zone."""
    points = tuple(point.model_copy(update={"time_zone": "Asia/Tokyo"}) for point in node.directory.contact_points)
    return replace(node, directory=Directory.model_construct(version=1, issued_at=NOW, contact_points=points))


async def planned(station: Station) -> list[Any]:
    """Whom a loop of this node plans to call when it looks now."""
    async with begin(station.engine) as session:
        await plan_monthly(session, somewhere(station.node), now=station.clock())
    return await station.rows(OPEN)


@pytest.mark.parametrize("draw", DRAWS)
def test_day_of_the_next_call(draw: float) -> None:
    """Never today or before; two to six weeks after the last one, and four on average."""
    assert TODAY < next_day(None, TODAY, draw=draw) <= TODAY + EVERY
    assert EVERY / 2 <= next_day(TODAY, TODAY, draw=draw) - TODAY < EVERY * 3 / 2
    assert next_day(TODAY - 4 * EVERY, TODAY, draw=draw) == TODAY + timedelta(days=1)


async def test_each_peer_has_one_planned_call(station: Station) -> None:
    """Planned once however often the loop looks; the next when that moment is over; a removed peer is not called."""
    assert await planned(station) == [("XA",), ("XS",)]
    assert await planned(station) == [("XA",), ("XS",)]
    station.clock.now += 2 * EVERY
    async with begin(station.engine) as session:
        gone = CallRecord(UUID(new_id()), "XQ", Direction.OUTGOING, CallKind.PING, None, station.clock())
        await test_calls.plan(session, gone)
        assert await watch_test_calls(session, station.node, now=station.clock()) == 3
    assert await station.rows("SELECT peer FROM test_call WHERE due_at IS NOT NULL ORDER BY peer") == [("XA",), ("XS",)]
    assert await station.rows("SELECT peer FROM test_call WHERE missed_at IS NOT NULL") == [("XQ",)]
    assert await planned(station) == [("XA",), ("XS",)]


async def test_two_processes_plan_once(station: Station) -> None:
    """While one process plans, another plans nothing (control: it does once the first is done without a plan)."""
    async with begin(station.engine) as first:
        assert await test_calls.hold_planning(first)
        assert await planned(station) == []
    assert await planned(station) == [("XA",), ("XS",)]


async def test_a_callers_clock_moves_nothing_here(station: Station, aurelia: Peer) -> None:
    """A call dated at the end of time is shown as of now, and the next ones are not hidden behind it."""
    station.effects = EFFECTS
    for at in ("9999-12-31T23:59:59.999Z", "2001-01-01T00:00:00.000Z"):
        await station.take(aurelia.close(aurelia.say("test-call/1", call_of(at))))
    now = station.clock()
    rows = await station.rows("SELECT planned_at, due_at - planned_at FROM test_call ORDER BY planned_at DESC")
    assert rows[0] == (now, timedelta(minutes=15))
    assert rows[1] == (datetime(2001, 1, 1, tzinfo=UTC), timedelta(minutes=15))
    assert await station.rows("SELECT DISTINCT state FROM inbox") == [("applied",)]


async def test_the_same_call_twice_is_one(station: Station, aurelia: Peer) -> None:
    """A call repeated under another message is shown once; the database refuses a second row (control)."""
    station.effects = EFFECTS
    said = call_of("2026-11-22T09:30:00.000Z")
    for _ in range(2):
        await station.take(aurelia.close(aurelia.say("test-call/1", said)))
    assert await station.rows("SELECT count(*) FROM test_call") == [(1,)]
    assert await station.rows("SELECT count(*) FROM event WHERE kind = 'contact_point.test_call'") == [(1,)]
    known = CallRecord(UUID(said["call_id"]), "XA", Direction.INCOMING, CallKind.PING, None, station.clock())
    async with reading(station.engine) as session:
        assert await test_calls.load(session, known.id, direction=known.direction, peer="XS") is None
    async with station.owner.connect() as other:
        with pytest.raises(IntegrityError):
            await test_calls.plan(Session(ReadSession(other)), known)
