"""The loops of a node: relay, intake, sweep, sequencer, timers. The only place that waits.

It is also the only one that carries on after an unexpected error: it says so in the log, rests, and tries again; a loop
that cannot come round shows in /readyz.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from app.anchor import read_anchor, write_anchor
from app.audit.note import verifier_key
from app.bus.lookout import Lookout
from app.bus.relay import ROUND, Relay, relay_once
from app.bus.supervise import pause as wait
from app.crashing import NEVER, Crash, CrashPoint
from app.db import receipts, watched
from app.db.engine import begin, is_passing, reading
from app.domain.codes import Lane
from app.errors import LogBroken, SettingsUnusable
from app.feeding import feed, tidy_files
from app.receiving import Intake
from app.recovering import notice_loss, recover
from app.services.effects import EFFECTS
from app.services.escalate import escalate, find_watched
from app.services.expire import BATCH, expire_one, find_due, find_undelivered, mark_undelivered
from app.services.look_at_hold import find_to_look_at, look_at_hold
from app.services.retry_quarantined import retry_quarantined
from app.services.sequence import BEHIND, finish_former, mark_published, open_log, sequence_once
from app.services.settle import find_unsettled
from app.trusting import LOOK_SECONDS, DirectoryWatch, Trusting
from app.watching import call, clear, count, notify, watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.audit.checkpoint import Checkpoint
    from app.db.engine import Session
    from app.runtime import Runtime
    from app.services.sequence import Sequenced

    Once = Callable[[], Awaitable[bool]]
    Failed = dict[UUID, datetime]
    Effect = tuple[UUID, Callable[[Session], Awaitable[None]]]

RELAY_PAUSE = 0.5
SWEEP_PAUSE = 5.0
SEQUENCE_PAUSE = 1.0
TIMERS_PAUSE = 1.0
RECOVERY_PAUSE = 1.0
FILES_PAUSE = 1.0
NOTIFY_PAUSE = 1.0
CLEAR_PAUSE = 30.0
WATCH_PAUSE = 10.0
CALLS_PAUSE = 2.0
"""Seconds until a loop that found nothing looks again by itself; a commit in this process wakes the relays earlier."""

LONGEST_REST = 30.0
"""Seconds; the rest after repeated errors grows up to here: below the silence after which a loop counts as dead."""

FAILED_REST = timedelta(minutes=1)
"""Until a timer whose effect raised is tried again; it is logged each time."""

MOST_DOUBLINGS = 10
"""Of the rest. A night without database is thousands of errors, and two to the power of that is no number any more."""


@dataclass(slots=True)
class Publishing:
    """One lane's relay: since when the broker it last saw has been connected, and what it knows of the lane's ways."""

    runtime: Runtime
    lane: Lane
    connected_since: datetime | None = None
    lookout: Lookout = field(default_factory=Lookout)

    async def once(self) -> bool:
        """One round; right after a reconnection, what failed meanwhile goes first and sits out no long pause."""
        # Made for each round: the directory, and with it the signing key in use, may be another one by now.
        at, random = self.runtime, secrets.SystemRandom().random
        engine, sealing = at.lanes[self.lane], at.trust.sealing(at.clock())
        relay = Relay(engine, at.broker, sealing, at.clock, random, crash=at.crash, lookout=self.lookout)
        status = at.broker.status()
        if status.connected and status.since != self.connected_since:
            async with begin(relay.engine) as session:
                await receipts.hasten_troubled(session, lane=self.lane, now=relay.clock())
            self.connected_since = status.since
        return (await relay_once(relay, self.lane)).claimed == ROUND


async def run_workers(runtime: Runtime) -> None:
    """Run all loops until `runtime.stopping`; ends early only with the error of a loop that may not go on.

    Raises LogBroken: the audit log contradicts itself, and nothing may be signed until an operator has decided.
    """
    await start_log(runtime)
    # A start may be that of a new release: what the last one stumbled over gets another chance (ruling 11).
    async with begin(runtime.chores) as session:
        await retry_quarantined(session, effects=EFFECTS, crashed=True, now=runtime.clock())
        # The operator may have set other clocks since the last start.
        await watched.look_at_all(session, now=runtime.clock())
    async with asyncio.TaskGroup() as loops:
        for lane in Lane:
            intake = Intake(runtime, runtime.lanes[lane], EFFECTS)
            consuming = runtime.broker.consume(lane, intake.handle, runtime.stopping)
            loops.create_task(consuming, name=f"intake-{lane}")
            relaying = Publishing(runtime, lane)
            # What was just committed leaves at once. The others find nothing in a commit that cannot wait for them.
            going = keep_going(runtime, f"relay-{lane}", relaying.once, pause=RELAY_PAUSE, woken=True)
            loops.create_task(going, name=f"relay-{lane}")
        sweeping = partial(_sweep, Intake(runtime, runtime.chores, EFFECTS))
        chores: dict[str, tuple[Once, float]] = {
            "sweep": (sweeping, SWEEP_PAUSE),
            "sequencer": (partial(sequence, runtime), SEQUENCE_PAUSE),
            "timers": (partial(run_timers, runtime, {}), TIMERS_PAUSE),
            "clocks": (partial(run_clocks, runtime, {}), TIMERS_PAUSE),
            "clearing": (partial(clear, runtime), CLEAR_PAUSE),
            "statistics": (partial(count, runtime), CLEAR_PAUSE),
            "watch": (partial(watch, runtime), WATCH_PAUSE),
            "test-calls": (partial(call, runtime), CALLS_PAUSE),
            "notify": (partial(notify, runtime), NOTIFY_PAUSE),
            "recovery": (partial(recover, runtime), RECOVERY_PAUSE),
            "files": (partial(feed, runtime), FILES_PAUSE),
            "files-tidy": (partial(tidy_files, runtime), CLEAR_PAUSE),
            "directory": (Trusting(runtime, DirectoryWatch(runtime)).once, LOOK_SECONDS),
        }
        for name, (once, pause) in chores.items():
            loops.create_task(keep_going(runtime, name, once, pause=pause), name=name)


async def keep_going(runtime: Runtime, name: str, once: Once, *, pause: float, woken: bool = False) -> None:
    """Do `once` again and again: at once while it finds more, else when `pause` is over or, if `woken`, on a commit."""
    errors = 0
    runtime.beat(name)  # from now on silence counts, also that of a loop which never comes round
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
            await wait(min(LONGEST_REST, pause * 2.0 ** min(errors, MOST_DOUBLINGS)), runtime.stopping)
            continue
        errors = 0
        runtime.beat(name)
        if not more:
            await wait(pause, bell, runtime.stopping)


async def start_log(runtime: Runtime) -> None:
    """Open the audit log on the first start of all; on every start look whether it still is the one we signed.

    To be done before anything leaves the node. What a crash left unpublished is published. A database that was restored
    from a backup begins a recovery, and a new epoch of the log is what such a recovery waits for. Raises LogBroken when
    this database contradicts the one that our anchor was written for; SettingsUnusable without a place for an anchor.
    """
    folder = runtime.anchor.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsUnusable("anchor_unwritable", f"The folder {folder} of COUNTERPART_ANCHOR cannot be written.")
    anchored = await _anchored(runtime)
    await notice_loss(runtime, anchored)
    async with begin(runtime.chores) as session:
        former = await finish_former(session, runtime.log_writer, anchored=anchored)
    if former is not None:
        await _publish(runtime, former)
        anchored = former.checkpoint
    async with begin(runtime.chores) as session:
        await open_log(session, runtime.log_writer, random=runtime.node.random, anchored=anchored, now=runtime.clock())
    await sequence(runtime)


async def sequence(runtime: Runtime) -> bool:
    """Give pending facts their place, anchor the new head, publish it; True while there may be more.

    The commit points are described in `services/sequence.py`; each is repaired by the next call.
    """
    anchored = await _anchored(runtime)
    try:
        async with begin(runtime.chores) as session:
            done = await sequence_once(session, runtime.log_writer, anchored=anchored, now=runtime.clock())
            if done is not None:
                runtime.crash.here(CrashPoint.SEQUENCER_BEFORE_COMMIT)
    except LogBroken as fault:
        if fault.code == BEHIND and await notice_loss(runtime, anchored):
            # The database was put back under our feet: the same as at a start, though nothing can be signed until then.
            return False
        if await _anchored(runtime) != anchored:
            # Another process of this node published between our two looks: the first head of all, or of this epoch.
            return True
        raise
    if done is None:
        return False
    await _publish(runtime, done)
    return done.appended > 0


async def _publish(runtime: Runtime, done: Sequenced) -> None:
    runtime.crash.here(CrashPoint.SEQUENCER_BEFORE_ANCHOR)
    log = verifier_key(done.checkpoint.origin, runtime.log_writer.key)
    await asyncio.to_thread(write_anchor, runtime.anchor, done.note, log=log)
    runtime.crash.here(CrashPoint.SEQUENCER_BEFORE_PUBLISHING)
    async with begin(runtime.chores) as session:
        await mark_published(session, runtime.log_writer, done.checkpoint)


async def _sweep(intake: Intake) -> bool:
    runtime = intake.runtime
    async with begin(runtime.chores) as session:
        await retry_quarantined(session, effects=intake.effects, crashed=False, now=runtime.clock())
    async with reading(runtime.chores) as session:
        unsettled = await find_unsettled(session)
    for due in unsettled:
        await intake.settle_one(due, runtime.clock())
    if unsettled:
        runtime.wake.ring()
    return bool(unsettled)


async def run_timers(runtime: Runtime, failed: Failed) -> bool:
    """Give every timer that has run out its effect; True while there may be more.

    One whose effect raises is noted in `failed` with the time of its next attempt, and keeps no other waiting.
    """
    now = runtime.clock()
    async with reading(runtime.chores) as session:
        due = await find_due(session, now=now)
        undelivered = await find_undelivered(session, now=now)
        changed_holds = await find_to_look_at(session, now=now)
    node = runtime.node
    effects = [(one, partial(expire_one, node=node, exchange_id=one, now=now)) for one in due]
    key = runtime.trust.signing_key(now)
    effects += [(one, partial(mark_undelivered, node=node, exchange_id=one, key=key, now=now)) for one in undelivered]
    effects += [
        (one.id, partial(look_at_hold, node=node, hold_id=one.id, exchange_id=one.exchange_id, now=now))
        for one in changed_holds
    ]
    given = await _give_effect(runtime, effects, failed, now=now, crash=runtime.crash)
    if given:
        runtime.wake.ring()
    return given >= BATCH


async def run_clocks(runtime: Runtime, failed: Failed) -> bool:
    """List what is due of everything that changed, and escalate what is late; True while there may be more.

    Wakes nobody: it queues nothing for abroad, and every commit is followed by one look of this.
    """
    now = runtime.clock()
    async with reading(runtime.chores) as session:
        found = await find_watched(session, now=now)
    effects = [(one, partial(escalate, node=runtime.node, subject=one, now=now)) for one in found]
    return await _give_effect(runtime, effects, failed, now=now) >= BATCH


async def _give_effect(
    runtime: Runtime, effects: Sequence[Effect], failed: Failed, *, now: datetime, crash: Crash = NEVER
) -> int:
    """How many were tried; one that raised rests for a while."""
    waiting = [(one, effect) for one, effect in effects if failed.get(one, now) <= now]
    for one, effect in waiting:
        if not await _has_effect(runtime, one, effect, crash=crash):
            failed[one] = now + FAILED_REST
        else:
            failed.pop(one, None)
    return len(waiting)


async def _has_effect(
    runtime: Runtime, exchange_id: UUID, effect: Callable[[Session], Awaitable[None]], *, crash: Crash
) -> bool:
    try:
        async with begin(runtime.chores) as session:
            await effect(session)
            crash.here(CrashPoint.TIMERS_BEFORE_COMMIT)
    except LogBroken:
        raise
    except Exception as fault:
        if is_passing(fault):
            raise
        runtime.log.exception("timer_failed", exchange_id=str(exchange_id))
        return False
    # Commit point. A crash here leaves the effect whole; nobody was woken, and the relay looks by itself.
    crash.here(CrashPoint.TIMERS_AFTER_COMMIT)
    return True


async def _anchored(runtime: Runtime) -> Checkpoint | None:
    own = verifier_key(runtime.log_writer.origin, runtime.log_writer.key)
    return await asyncio.to_thread(read_anchor, runtime.anchor, (own,))
