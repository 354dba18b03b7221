"""The loops of a node: relay, intake, sweep, sequencer, timers. The only place that waits.

It is also the only one that carries on after an unexpected error: it says so in the log, rests, and tries again; a loop
that cannot come round shows in /readyz.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from app.anchor import read_anchor, write_anchor
from app.audit.note import VerifierKey, verifier_key
from app.bus.relay import ROUND, Relay, relay_once
from app.db import idempotency, receipts
from app.db.engine import begin, is_passing, reading
from app.domain.codes import Lane
from app.errors import LogBroken
from app.receiving import Intake
from app.services.effects import EFFECTS
from app.services.expire import expire_one, find_due, find_undelivered, mark_undelivered
from app.services.retry_quarantined import retry_quarantined
from app.services.seal import Sealing
from app.services.sequence import mark_published, open_log, sequence_once
from app.services.settle import find_unsettled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from app.audit.checkpoint import Checkpoint
    from app.bus.broker import BrokerStatus
    from app.runtime import Runtime

    Once = Callable[[], Awaitable[bool]]

RELAY_PAUSE = 0.5
SWEEP_PAUSE = 5.0
SEQUENCE_PAUSE = 1.0
TIMERS_PAUSE = 1.0
CLEAR_PAUSE = 30.0
"""Seconds until a loop that found nothing looks again by itself; a commit in this process wakes it earlier."""

LONGEST_REST = 30.0
"""Seconds; the rest after repeated errors grows up to here."""


@dataclass(slots=True)
class Publishing:
    """One lane's relay, and since when the broker it last saw has been connected."""

    relay: Relay
    lane: Lane
    status: Callable[[], BrokerStatus]
    connected_since: datetime | None = None

    async def once(self) -> bool:
        """One round; right after a reconnection, what failed meanwhile goes first and sits out no long pause."""
        status = self.status()
        if status.connected and status.since != self.connected_since:
            async with begin(self.relay.engine) as session:
                await receipts.hasten_troubled(session, lane=self.lane, now=self.relay.clock())
            self.connected_since = status.since
        return (await relay_once(self.relay, self.lane)).claimed == ROUND


async def run_workers(runtime: Runtime) -> None:
    """Run all loops until `runtime.stopping`; ends early only with the error of a loop that may not go on.

    Raises LogBroken: the audit log contradicts itself, and nothing may be signed until an operator has decided.
    """
    await start_log(runtime)
    async with asyncio.TaskGroup() as loops:
        for lane in Lane:
            intake = Intake(runtime, runtime.lanes[lane], EFFECTS)
            consuming = runtime.broker.consume(lane, intake.handle, runtime.stopping)
            loops.create_task(consuming, name=f"intake-{lane}")
            publishing = Publishing(_relay_of(runtime, lane), lane, runtime.broker.status)
            loops.create_task(keep_going(runtime, f"relay-{lane}", publishing.once, pause=RELAY_PAUSE))
        sweeping = Intake(runtime, runtime.chores, EFFECTS)
        loops.create_task(keep_going(runtime, "sweep", partial(_sweep, sweeping), pause=SWEEP_PAUSE))
        # Not woken by commits: one checkpoint a second is plenty, one per commit would be thousands of signatures.
        loops.create_task(
            keep_going(runtime, "sequencer", partial(sequence, runtime), pause=SEQUENCE_PAUSE, woken=False)
        )
        loops.create_task(keep_going(runtime, "timers", partial(_timers, runtime), pause=TIMERS_PAUSE))
        loops.create_task(keep_going(runtime, "clearing", partial(_clear, runtime), pause=CLEAR_PAUSE))


async def keep_going(runtime: Runtime, name: str, once: Once, *, pause: float, woken: bool = True) -> None:
    """Do `once` again and again: at once while it finds more, else when `pause` is over or, if `woken`, on a commit."""
    errors = 0
    while not runtime.stopping.is_set():
        bell = runtime.wake.bell() if woken else runtime.stopping
        try:
            more = await once()
        except LogBroken:
            raise
        except Exception as fault:  # noqa: BLE001 - a node at night outlives a bug in one of its loops
            errors += 1
            report = runtime.log.warning if is_passing(fault) else runtime.log.error
            report("loop_error", loop=name, attempt=errors, exc_info=fault)
            await until(runtime.stopping, runtime.stopping, seconds=min(LONGEST_REST, pause * 2.0**errors))
            continue
        errors = 0
        runtime.beat(name)
        if not more:
            await until(bell, runtime.stopping, seconds=pause)


async def until(bell: asyncio.Event, stopping: asyncio.Event, *, seconds: float) -> None:
    """Wait for the bell, the stop or the time, whichever is first. Nobody else in the project waits."""
    waits = {asyncio.create_task(event.wait()) for event in {bell, stopping}}
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def start_log(runtime: Runtime) -> None:
    """Open the audit log on the first start of all; afterwards only look whether it still is the one we signed."""
    anchored = await _anchored(runtime)
    async with begin(runtime.chores) as session:
        opened = await open_log(
            session, runtime.log_writer, random=runtime.node.random, anchored=anchored, now=runtime.clock()
        )
    if opened is not None:
        await sequence(runtime)


async def sequence(runtime: Runtime) -> bool:
    """Give pending facts their place, anchor the new head, publish it; True while there may be more.

    The commit points are described in `services/sequence.py`; each is repaired by the next call.
    """
    anchored = await _anchored(runtime)
    async with begin(runtime.chores) as session:
        done = await sequence_once(session, runtime.log_writer, anchored=anchored, now=runtime.clock())
    if done is None:
        return False
    await asyncio.to_thread(write_anchor, runtime.anchor, done.note, log=_log_key(runtime))
    async with begin(runtime.chores) as session:
        await mark_published(session, runtime.log_writer, done.checkpoint)
    return done.appended > 0


def _relay_of(runtime: Runtime, lane: Lane) -> Relay:
    sealing = Sealing(runtime.node.code, runtime.keys.keyring.signing, runtime.node.directory)
    random = secrets.SystemRandom().random
    return Relay(runtime.lanes[lane], runtime.broker, sealing, runtime.clock, random)


async def _sweep(intake: Intake) -> bool:
    runtime = intake.runtime
    async with begin(runtime.chores) as session:
        await retry_quarantined(session, effects=EFFECTS, crashed=False, now=runtime.clock())
    async with reading(runtime.chores) as session:
        unsettled = await find_unsettled(session)
    for due in unsettled:
        await intake.settle_one(due, runtime.clock())
    return bool(unsettled)


async def _timers(runtime: Runtime) -> bool:
    now = runtime.clock()
    async with reading(runtime.chores) as session:
        due = await find_due(session, now=now)
        undelivered = await find_undelivered(session, now=now)
    for exchange_id in due:
        async with begin(runtime.chores) as session:
            await expire_one(session, runtime.node, exchange_id, now=now)
    for exchange_id in undelivered:
        async with begin(runtime.chores) as session:
            await mark_undelivered(session, runtime.node, exchange_id, now=now)
    if due or undelivered:
        runtime.wake.ring()
    return bool(due or undelivered)


async def _clear(runtime: Runtime) -> bool:
    async with begin(runtime.chores) as session:
        return await idempotency.forget_expired(session, now=runtime.clock()) > 0


async def _anchored(runtime: Runtime) -> Checkpoint | None:
    return await asyncio.to_thread(read_anchor, runtime.anchor, (_log_key(runtime),))


def _log_key(runtime: Runtime) -> VerifierKey:
    return verifier_key(runtime.log_writer.origin, runtime.log_writer.key)
