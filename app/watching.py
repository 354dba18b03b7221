"""What a node does by the clock beside its messages: heartbeats, alarms, notifications, clearing what nobody needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import idempotency, notifications
from app.db.engine import begin, reading
from app.notify.collect import Teller, collect, has_news
from app.notify.deliver import AT_ONCE, Post, deliver
from app.services.alarm_gaps import alarm_gaps
from app.services.count_months import count_months, must_count
from app.services.effects import EFFECTS
from app.services.give_up_uploads import give_up_uploads
from app.services.heartbeat import clear_heartbeats, send_heartbeats
from app.services.roster.watch import watch_roster
from app.services.watch_test_calls import plan_monthly, watch_test_calls

if TYPE_CHECKING:
    from app.runtime import Runtime


async def watch(runtime: Runtime) -> bool:
    """Send the heartbeats that are due, alarm the desk of gaps in threads and in the roster; never finds more to do."""
    now = runtime.clock()
    async with begin(runtime.chores) as session:
        sent = await send_heartbeats(session, runtime.node, reads=EFFECTS.reads, now=now)
    async with begin(runtime.chores) as session:
        alarmed = await alarm_gaps(session, now=now)
    async with begin(runtime.chores) as session:
        await watch_roster(session, runtime.node, now=now)
    if sent or alarmed:
        runtime.wake.ring()
    return False


async def call(runtime: Runtime) -> bool:
    """Plan, make and end test calls; never finds more to do."""
    now = runtime.clock()
    if runtime.calls_monthly:
        async with begin(runtime.chores) as session:
            await plan_monthly(session, runtime.node, now=now)
    async with begin(runtime.chores) as session:
        called = await watch_test_calls(session, runtime.node, now=now)
    if called:
        runtime.wake.ring()
    return False


async def notify(runtime: Runtime) -> bool:
    """Turn what the feed says into notifications, and send what is due; True while there may be more."""
    more = False
    async with reading(runtime.chores) as session:
        news = await has_news(session)
        due = await notifications.are_due(session, now=runtime.clock())
    if not (news or due):
        return False
    if news:
        teller = Teller(runtime.node.code, runtime.node.directory.point(runtime.node.code), runtime.means)
        async with begin(runtime.chores) as session:
            more = await collect(session, teller, now=runtime.clock())
    done = await deliver(Post(runtime.chores, runtime.means, runtime.clock, runtime.stopping))
    for one in done:
        runtime.metrics.notifications.labels(one.kind, one.outcome).inc()
    return more or len(done) == AT_ONCE


async def count(runtime: Runtime) -> bool:
    """Count the months that are over; never finds more to do."""
    now = runtime.clock()
    async with reading(runtime.chores) as session:
        due = await must_count(session, now=now)
    if due:
        async with begin(runtime.chores) as session:
            await count_months(session, runtime.node, now=now)
    return False


async def clear(runtime: Runtime) -> bool:
    """Delete kept answers and heartbeats that are over, give up unfinished files; True while there may be more."""
    now = runtime.clock()
    async with begin(runtime.chores) as session:
        answers = await idempotency.forget_expired(session, now=now) > 0
    async with begin(runtime.chores) as session:
        beats = await clear_heartbeats(session, now=now)
    async with begin(runtime.chores) as session:
        files = await give_up_uploads(session, now=now)
    return answers or beats or files
