"""Store what arrived, tell new from known, and receipt it. No effect of any message happens here.

Steps, in one transaction and in this order:

1. What no sender is proven to have said goes to quarantine; it consumes nothing and is not receipted.
2. The thread rows are locked, in the order of their ids, before anything is inserted.
3. Each message is inserted. Where its `(iss, jti)` or its place in the thread is taken, it is a duplicate (same text)
   or an equivocation (another text).
4. From the next number on, what follows without a gap has its turn; the rest stays held.
5. Every proven arrival but a receipt is receipted, duplicates again.

What comes from a peer that is closed (ruling 22) is stored and nothing else: it has no turn and no receipt until we
know again what we had said to that peer. Only the messages that tell us so go their usual way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import inbox, recoveries, threads
from app.db.tables_delivery import InboxState
from app.db.threads import NewThread
from app.domain.codes import MessageType, ReceiptStatus
from app.domain.messages import ReceiptEntry
from app.envelope.open import Opened
from app.services.file_arrivals import file_arrivals
from app.services.inbound import Due, Proven, audit_thread, objection_to, read_kept
from app.services.quarantine import EQUIVOCATION, quarantine_unproven
from app.services.recovery.inside import thread_of_copy
from app.services.send import ATTACHMENT_THREAD
from app.services.send_receipts import send_receipts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.db.engine import Session
    from app.db.inbox import InLine, MessageKey
    from app.db.threads import Thread, ThreadKey
    from app.services.file_arrivals import Filed
    from app.services.inbound import Arrived, Effects
    from app.services.node import Node
    from app.services.send_receipts import Addressed

MAX_AHEAD = 1_000
"""How far above the next number of a thread a message is still stored; what is further ahead its sender keeps."""

MAX_MISSING = 100
"""Numbers that one receipt asks for."""

MAX_COPY = 2**31 - 1
"""No sender gets this far; a larger number is echoed as this one."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How a batch was made up, for the metrics."""

    new: int
    duplicates: int
    equivocations: int
    unproven: int
    too_far_ahead: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The messages whose turn it is, in order; new ones behind a gap; the threads, whose rows are locked."""

    due: tuple[Due, ...]
    waiting: tuple[Due, ...]
    threads: dict[ThreadKey, Thread]
    tally: Tally


@dataclass(frozen=True, slots=True)
class _Line:
    """One thread as it stands: the run of messages whose turn it is, and the numbers missing below the highest."""

    run: tuple[MessageKey, ...]
    missing: tuple[int, ...]


async def keep(session: Session, node: Node, batch: Sequence[Arrived], *, effects: Effects, now: datetime) -> Kept:
    """Store a batch and queue its receipts; the caller's transaction must commit before the broker is told anything.

    `received_at` of what is new is `now`. Of messages further than `MAX_AHEAD` above the next number of their thread
    nothing is kept and nothing is said: they will be sent again.
    """
    proven: list[Proven] = []
    for arrived in batch:
        one = _prove(arrived, effects)
        if one is not None:
            proven.append(one)
        elif not isinstance(arrived.outcome, Opened):
            await quarantine_unproven(session, node, arrived=arrived, rejected=arrived.outcome, now=now)
    locked = await _lock_threads(session, proven, now=now)
    near = [one for one in proven if one.thread_key is None or _is_near(one.seq, locked[one.thread_key])]
    filed = await file_arrivals(session, node, near, locked=locked, now=now)
    waiting = await inbox.waiting_in(session, {key: thread.consumed_in for key, thread in locked.items()})
    closed = await recoveries.closed_peers(session)
    open_ones = [one for one in filed if one.proven.claims.iss not in closed or _tells_us(one.proven)]
    lines = {key: _line(locked[key].consumed_in, in_line) for key, in_line in waiting.items() if key.peer not in closed}
    due = await _load_due(session, open_ones, lines)
    turn = {one.row.key for one in due}
    entries, beats = ([_entry(one, lines, turn, now) for one in part] for part in _receipted(open_ones))
    await send_receipts(session, node, [*entries, *_unreadable(batch, now)], of_heartbeats=beats, now=now)
    tally = Tally(
        new=sum(one.is_new for one in filed),
        duplicates=sum(one.row is not None and not one.is_new for one in filed),
        equivocations=sum(one.row is None for one in filed),
        unproven=len(batch) - len(proven),
        too_far_ahead=len(proven) - len(near),
    )
    behind = tuple(
        Due(one.row, one.proven.claims)
        for one in open_ones
        if one.is_new and one.row is not None and one.row.state is InboxState.HELD and one.row.key not in turn
    )
    return Kept(tuple(due), behind, locked, tally)


def _prove(arrived: Arrived, effects: Effects) -> Proven | None:
    """Return what its sender is proven to have said, understood or not; None for everything else."""
    outcome = arrived.outcome
    if isinstance(outcome, Opened):
        objection = objection_to(outcome.claims, effects)
        copy, at = min(outcome.copy, MAX_COPY), arrived.received_at
        return Proven(outcome.claims, outcome.jws, outcome.inner_hash, outcome.kid, copy, arrived.lane, objection, at)
    seen, claims = outcome.seen, outcome.claims
    if not outcome.authenticated or claims is None or seen.jws is None or seen.inner_hash is None or seen.kid is None:
        return None
    copy, at = min(seen.copy or 1, MAX_COPY), arrived.received_at
    return Proven(claims, seen.jws, seen.inner_hash, seen.kid, copy, arrived.lane, outcome.reason.value, at)


async def _lock_threads(session: Session, proven: Sequence[Proven], *, now: datetime) -> dict[ThreadKey, Thread]:
    new: dict[ThreadKey, NewThread] = {}
    for one in proven:
        # A text of ours that comes back is adopted under the lock of its own thread, which is taken in order here.
        key = one.thread_key or thread_of_copy(one.claims)
        if key is not None:
            new.setdefault(key, NewThread(key, _exchange_of(key.id), None, one.lane))
    await threads.ensure(session, new.values(), now=now)
    return await threads.lock(session, new.keys())


def _tells_us(proven: Proven) -> bool:
    """What a closed peer says so that we can open it again."""
    return proven.claims.type in {MessageType.RESYNC, MessageType.RESYNC_COPY}


def _exchange_of(thread: str) -> UUID | None:
    is_exchange = audit_thread(thread) is not None and not thread.startswith(ATTACHMENT_THREAD)
    return UUID(thread) if is_exchange else None


def _is_near(seq: int, thread: Thread) -> bool:
    return seq <= thread.consumed_in + MAX_AHEAD


def _line(consumed: int, waiting: Sequence[InLine]) -> _Line:
    """Walk up from the next number. A gap or a quarantined message ends the run; only gaps are missing."""
    run: list[MessageKey] = []
    for number, one in enumerate(waiting, start=consumed + 1):
        if one.seq != number or one.state is InboxState.QUARANTINED:
            break
        run.append(one.key)
    present = {one.seq for one in waiting}
    missing = [number for number in range(consumed + 1, max(present, default=0)) if number not in present]
    return _Line(tuple(run), tuple(missing[:MAX_MISSING]))


async def _load_due(session: Session, filed: Sequence[Filed], lines: Mapping[ThreadKey, _Line]) -> list[Due]:
    """Return what has its turn, with its claims: without thread first, as it came, then thread by thread.

    A duplicate without thread that is still held belongs to whoever is settling it now, or to the sweep.
    """
    at_hand = {one.row.key: Due(one.row, one.proven.claims) for one in filed if one.row is not None}
    new = [one.row for one in filed if one.row is not None and one.is_new]
    keys = [row.key for row in new if row.thread is None and row.state is InboxState.HELD]
    keys += [key for line in lines.values() for key in line.run]
    others = await inbox.find(session, [key for key in keys if key not in at_hand])
    at_hand |= {row.key: read_kept(row) for row in others}
    return [at_hand[key] for key in keys]


def _unreadable(batch: Sequence[Arrived], now: datetime) -> list[Addressed]:
    """Answer a proven sender whose claims cannot be read but for the name of the message: it need not send it again."""
    entries: list[Addressed] = []
    for arrived in batch:
        outcome = arrived.outcome
        if isinstance(outcome, Opened) or not outcome.authenticated or outcome.claims is not None:
            continue
        seen = outcome.seen
        if seen.iss is None or seen.jti is None or seen.inner_hash is None:
            continue
        entry = ReceiptEntry.model_validate(
            {
                "jti": UUID(seen.jti),
                "copy": min(seen.copy or 1, MAX_COPY),
                "inner_hash": seen.inner_hash,
                "status": ReceiptStatus.QUARANTINED,
                "reason": outcome.reason.value,
                "received_at": now,
            }
        )
        entries.append((seen.iss, arrived.lane, entry))
    return entries


def _receipted(filed: Sequence[Filed]) -> tuple[list[Filed], list[Filed]]:
    """Return what is receipted, and the heartbeats, which are so apart. Receipts are not."""
    beats = [one for one in filed if one.proven.claims.type == MessageType.HEARTBEAT]
    silent = {MessageType.RECEIPT, MessageType.HEARTBEAT}
    return [one for one in filed if one.proven.claims.type not in silent], beats


def _entry(filed: Filed, lines: Mapping[ThreadKey, _Line], turn: set[MessageKey], now: datetime) -> Addressed:
    """Say what became of one arrival. A text that contradicts an earlier one is not taken, and its sender is told."""
    proven, row = filed.proven, filed.row
    status, reason = ReceiptStatus.STORED, None
    missing: tuple[int, ...] = ()
    if row is None:
        status, reason = ReceiptStatus.QUARANTINED, EQUIVOCATION
    elif row.state is InboxState.QUARANTINED:
        status, reason = ReceiptStatus.QUARANTINED, row.code
    elif row.state is InboxState.HELD and row.key not in turn:
        status = ReceiptStatus.HELD
        missing = lines[proven.thread_key].missing if proven.thread_key is not None else ()
    entry = ReceiptEntry.model_validate(
        {
            "jti": proven.key[1],
            "copy": proven.copy,
            "inner_hash": proven.inner_hash,
            "status": status,
            "reason": reason,
            "received_at": row.received_at if row is not None else now,
            "missing": missing or None,
        }
    )
    return proven.claims.iss, proven.lane, entry
