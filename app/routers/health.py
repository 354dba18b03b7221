"""What readiness is made of, and what the numbers of a node are at this moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from app.db import escalations, notifications, overview, recoveries, treaty_exceptions, waiting
from app.db.engine import reading
from app.domain.codes import Lane
from app.domain.key_records import KeyUse
from app.domain.transitions import ENDED
from app.migrate import current_revision
from app.runtime import Runtime
from app.services.judge_peers import PeerState, Vitality, judge_peers, key_end

PROBE_SECONDS = 2.0
"""How long a check may take. Who asks is an orchestrator that gives up soon after."""

ALARMS_SHOWN = timedelta(days=1)
"""How long a notification that was not taken counts, unless something was taken there since."""

SILENCE = timedelta(seconds=60)
"""After which a loop counts as dead. Loops come round every few seconds even with nothing to do."""


class Outcome(StrEnum):
    """`warn` degrades a node; `fail` takes it out of service."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer."""

    name: str
    outcome: Outcome


async def readiness(runtime: Runtime) -> Sequence[Check]:
    """All checks. A broker that is away only degrades: requests are taken, and wait in the outbox."""
    database, migrations = await _ask_database(runtime)
    return (
        Check("database", database),
        Check("migrations", migrations),
        Check("keys", Outcome.PASS if _keys_usable(runtime) else Outcome.FAIL),
        Check("directory", Outcome.WARN if runtime.trust.refused is not None else Outcome.PASS),
        Check("loops", Outcome.PASS if _loops_alive(runtime) else Outcome.FAIL),
        Check("recovery", await _ask_recovery(runtime)),
        Check("broker", Outcome.PASS if _bus_works(runtime) else Outcome.WARN),
        Check("serving", Outcome.FAIL if runtime.stopping.is_set() else Outcome.PASS),
    )


async def _ask_database(runtime: Runtime) -> tuple[Outcome, Outcome]:
    revision = await _in_time(_revision(runtime))
    if revision is None:
        return Outcome.FAIL, Outcome.FAIL
    return Outcome.PASS, Outcome.PASS if revision == runtime.head_revision else Outcome.FAIL


async def _ask_recovery(runtime: Runtime) -> Outcome:
    """A node that was restored from a backup is degraded until it knows all of its own words again."""
    return Outcome.WARN if await _in_time(_recovering(runtime)) else Outcome.PASS


async def _recovering(runtime: Runtime) -> str | None:
    """A word while a recovery is under way; None also when the database does not answer, which is asked elsewhere."""
    try:
        async with reading(runtime.engine) as session:
            return "recovering" if await recoveries.are_under_way(session) else None
    except (DBAPIError, PoolTimeout, OSError):
        return None


async def _revision(runtime: Runtime) -> str | None:
    """The schema's revision, `""` before any; None when the database does not answer."""
    try:
        async with reading(runtime.engine) as session:
            await session.execute(text("SELECT 1"))
            return await current_revision(session) or ""
    except (DBAPIError, PoolTimeout, OSError):
        return None


async def _in_time(asked: Awaitable[str | None]) -> str | None:
    """The answer, or None when it is late. A late query ends by itself: a cancelled one may spoil its connection."""
    asking = asyncio.ensure_future(asked)
    done, _ = await asyncio.wait({asking}, timeout=PROBE_SECONDS)
    return asking.result() if done else None


def _keys_usable(runtime: Runtime) -> bool:
    """Whether what we sign now would be accepted: one of our signing keys is published, in its window, not revoked."""
    return runtime.trust.signing_key(runtime.clock()) is not None


def _bus_works(runtime: Runtime) -> bool:
    """Whether both lanes can publish and, where this process runs loops, both are consumed: a deaf node is degraded."""
    status = runtime.broker.status()
    return status.connected and (not runtime.beats or all(status.consuming.get(lane) for lane in Lane))


def _loops_alive(runtime: Runtime) -> bool:
    """Whether every loop of this process came round lately; a process without loops (a gateway apart) loses none."""
    now = runtime.clock()
    return all(now - beat <= SILENCE for beat in runtime.beats.values())


@dataclass(frozen=True, slots=True)
class Numbers:
    """Everything that is counted for a person or a machine that asks how this node is doing."""

    open: Sequence[overview.Open]
    unacknowledged: Sequence[overview.Oldest]
    outbox: Sequence[overview.Backlog]
    inbox: Sequence[overview.Backlog]
    quarantine_open: int
    peers: Sequence[overview.PeerSeen]
    audit: overview.AuditHead


async def count(runtime: Runtime) -> Numbers:
    """The numbers of one moment, all from one view of the database."""
    node = runtime.node
    others = [point.code for point in node.directory.contact_points if point.code != node.code]
    async with reading(runtime.engine) as session:
        return Numbers(
            open=[*await overview.open_requests(session), *await overview.open_exchanges(session, ENDED)],
            unacknowledged=await overview.oldest_unacknowledged(session),
            outbox=await overview.outbox_backlog(session),
            inbox=await overview.inbox_backlog(session),
            quarantine_open=await overview.quarantine_open(session),
            peers=await overview.peers_seen(session, others),
            audit=await overview.audit_head(session, node.log_origin),
        )


@dataclass(frozen=True, slots=True)
class ClockNumbers:
    """What is due and late, how often steps were done in time, how notifying goes, and what art. 29 was not given."""

    open: Sequence[escalations.Counted]
    ended: Sequence[escalations.Outcome]
    notifying: notifications.Standing
    exceptions: Sequence[treaty_exceptions.Counted]


async def count_clocks(runtime: Runtime) -> ClockNumbers:
    """The numbers of one moment about the clocks."""
    now = runtime.clock()
    async with reading(runtime.engine) as session:
        return ClockNumbers(
            open=await escalations.counts(session, now=now),
            ended=await escalations.outcomes(session),
            notifying=await notifications.standing(session, since=now - ALARMS_SHOWN),
            exceptions=await treaty_exceptions.counts(session),
        )


def set_gauges_of_clocks(runtime: Runtime, numbers: ClockNumbers) -> None:
    """The instruments of the clocks; a step that nobody waits for any more is gone there too."""
    metrics = runtime.metrics
    for gauge in (metrics.deadlines_open, metrics.deadlines_overdue, metrics.deadlines_ended):
        gauge.clear()
    for found in numbers.open:
        labels = (found.step, found.tier, found.whose)
        metrics.deadlines_open.labels(*labels).set(found.open)
        metrics.deadlines_overdue.labels(*labels).set(found.overdue)
    for ended in numbers.ended:
        for outcome, count in (("met", ended.met), ("missed", ended.missed)):
            metrics.deadlines_ended.labels(ended.step, ended.tier, ended.whose, outcome).set(count)
    metrics.treaty_exceptions.clear()
    for one in numbers.exceptions:
        metrics.treaty_exceptions.labels(one.kind.value, one.direction).set(one.count)
    metrics.notifications_pending.set(numbers.notifying.pending)
    metrics.notifications_alarmed.set(numbers.notifying.alarmed)


@dataclass(frozen=True, slots=True)
class PeerNumbers:
    """The counterparts, and the threads that wait for one of their messages."""

    states: Sequence[PeerState]
    gaps: Sequence[waiting.Gap]


async def count_peers(runtime: Runtime) -> PeerNumbers:
    """The numbers of one moment about the others."""
    async with reading(runtime.engine) as session:
        closed = await recoveries.closed_peers(session)
        states = await judge_peers(session, runtime.node, now=runtime.clock())
        return PeerNumbers(states, await waiting.gaps(session, passing_over=closed))


def set_gauges_of_peers(runtime: Runtime, numbers: PeerNumbers) -> None:
    """The instruments that have a counterpart as label; one that left the directory is gone there too."""
    metrics, now = runtime.metrics, runtime.clock()
    by_way = (metrics.peer_heard, metrics.peer_round_trip, metrics.peer_skew)
    for gauge in (metrics.peer_up, metrics.peer_pending, metrics.peer_key_expiry, metrics.gaps_open, *by_way):
        gauge.clear()
    for state in numbers.states:
        away = state.vitality in {Vitality.SILENT, Vitality.UNKNOWN, Vitality.CLOSED}
        metrics.peer_up.labels(state.code).set(not away)
        metrics.peer_pending.labels(state.code).set(state.pending)
        metrics.gaps_open.labels(state.code).set(state.gaps)
        for lane, pulse in state.ways.items():
            heard, way = state.signs[lane], (state.code, str(lane))
            if heard is not None:
                metrics.peer_heard.labels(*way).set(heard.timestamp())
            if pulse is not None and pulse.round_trip_ms is not None and pulse.skew_ms is not None:
                metrics.peer_round_trip.labels(*way).set(pulse.round_trip_ms / 1000)
                metrics.peer_skew.labels(*way).set(pulse.skew_ms / 1000)
    for point in runtime.node.directory.contact_points:
        for use in KeyUse:
            end = key_end(point, use, now=now)
            metrics.peer_key_expiry.labels(point.code, str(use)).set(0 if end is None else end.timestamp())
    metrics.gap_oldest_age.set(max(((now - gap.since).total_seconds() for gap in numbers.gaps), default=0.0))
    metrics.peers_closed.set(sum(state.vitality is Vitality.CLOSED for state in numbers.states))


def set_gauges(runtime: Runtime, numbers: Numbers) -> None:
    """Put the numbers into the node's instruments; what is gone since last time is gone there too."""
    metrics, now = runtime.metrics, runtime.clock()
    metrics.requests_open.clear()
    for found in numbers.open:
        metrics.requests_open.labels(found.direction, found.state, found.tier).set(found.count)
    metrics.oldest_unacknowledged.clear()
    for oldest in numbers.unacknowledged:
        metrics.oldest_unacknowledged.labels(oldest.direction, oldest.tier).set((now - oldest.since).total_seconds())
    for backlog in numbers.outbox:
        age = (now - backlog.since).total_seconds() if backlog.since else 0.0
        metrics.outbox_pending.labels(backlog.name).set(backlog.count)
        metrics.outbox_oldest_age.labels(backlog.name).set(age)
    for backlog in numbers.inbox:
        metrics.inbox_waiting.labels(backlog.name).set(backlog.count)
    metrics.quarantine_open.set(numbers.quarantine_open)
    metrics.audit_size.set(numbers.audit.size)
    metrics.audit_pending.set(numbers.audit.pending)
    if numbers.audit.checkpoint_at is not None:
        metrics.audit_checkpoint.set(numbers.audit.checkpoint_at.timestamp())


def set_gauges_of_process(runtime: Runtime) -> None:
    """The instruments that need no database: bus, pools, loops."""
    metrics, status = runtime.metrics, runtime.broker.status()
    metrics.bus_connected.set(status.connected)
    metrics.bus_reconnects.set(status.reconnects)
    for lane in Lane:
        metrics.bus_consuming.labels(str(lane)).set(status.consuming.get(lane, False))
    pools = {"gateway": runtime.engine, "chores": runtime.chores, **{str(lane): runtime.lanes[lane] for lane in Lane}}
    for name, engine in pools.items():
        pool = engine.pool
        if isinstance(pool, QueuePool):
            metrics.pool_connections.labels(name, "in_use").set(pool.checkedout())
            metrics.pool_connections.labels(name, "idle").set(pool.checkedin())
    for loop, beat in runtime.beats.items():
        metrics.loop_beat.labels(loop).set(beat.timestamp())
