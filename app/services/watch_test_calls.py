"""By the clock: planned test calls are made, unanswered ones noted; two of these in a row make a peer doubtful."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.db import recoveries, test_calls
from app.db.test_calls import CallRecord
from app.domain.codes import Direction
from app.domain.service_messages import CallKind
from app.domain.test_calls import is_unverified, next_day, night_moment
from app.services.call_to_test import make_call, tell_call
from app.services.identifiers import new_id

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.services.node import Node

DRAWN_FROM = 2**32


async def watch_test_calls(session: Session, node: Node, *, now: datetime) -> int:
    """Make and end what is due; returns how many calls changed. Peers that we wait for after a restore are spared.

    A call that was planned to a contact point which the directory no longer has is noted as missed, and not made.
    """
    closed = await recoveries.closed_peers(session)
    due = [call for call in await test_calls.lock_due(session, now=now) if call.peer not in closed]
    for call in due:
        if call.called_at is None and node.directory.point(call.peer) is not None:
            await make_call(session, node, call, now=now)
        else:
            await _miss(session, call, now=now)
    return len(due)


async def plan_monthly(session: Session, node: Node, *, now: datetime) -> int:
    """Give each peer that has no call before it a next one, at night there; returns how many.

    Of two processes that plan at once one does nothing.
    """
    if not await test_calls.hold_planning(session):
        return 0
    last = await test_calls.last_planned(session)
    peers = [point for point in node.directory.contact_points if point.code != node.code]
    due = [point for point in peers if point.code not in last or last[point.code] <= now]
    for point in due:
        zone = ZoneInfo(point.time_zone)
        before = last.get(point.code)
        today = now.astimezone(zone).date()
        day = next_day(None if before is None else before.astimezone(zone).date(), today, draw=_draw(node))
        call = CallRecord(
            new_id(), point.code, Direction.OUTGOING, CallKind.PING, None, night_moment(day, zone, draw=_draw(node))
        )
        await test_calls.plan(session, call)
    return len(due)


async def _miss(session: Session, call: CallRecord, *, now: datetime) -> None:
    await test_calls.save(session, replace(call, missed_at=now))
    await tell_call(session, call, "test_call_missed", now=now)
    if is_unverified(await test_calls.latest_over(session, call.peer)):
        await tell_call(session, call, "unverified", now=now)


def _draw(node: Node) -> float:
    return int.from_bytes(node.random(4)) / DRAWN_FROM
