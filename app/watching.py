"""What a node does by the clock beside its messages: heartbeats, alarms of gaps, clearing of what nobody needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import idempotency
from app.db.engine import begin
from app.services.alarm_gaps import alarm_gaps
from app.services.effects import EFFECTS
from app.services.heartbeat import clear_heartbeats, send_heartbeats

if TYPE_CHECKING:
    from app.runtime import Runtime


async def watch(runtime: Runtime) -> bool:
    """Send the heartbeats that are due and alarm the desk of gaps; never finds more to do."""
    now = runtime.clock()
    async with begin(runtime.chores) as session:
        sent = await send_heartbeats(session, runtime.node, reads=EFFECTS.reads, now=now)
    async with begin(runtime.chores) as session:
        alarmed = await alarm_gaps(session, now=now)
    if sent or alarmed:
        runtime.wake.ring()
    return False


async def clear(runtime: Runtime) -> bool:
    """Delete kept answers and heartbeats that are over; True while there may be more."""
    now = runtime.clock()
    async with begin(runtime.chores) as session:
        answers = await idempotency.forget_expired(session, now=now) > 0
    async with begin(runtime.chores) as session:
        beats = await clear_heartbeats(session, now=now)
    return answers or beats
