"""Insert what is new; of the rest tell whether it is the same text again or another one in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import inbox
from app.db.inbox import Stored
from app.db.tables_delivery import InboxState
from app.errors import StorageInconsistent
from app.services.inbound import audit_thread
from app.services.node import SYSTEM
from app.services.quarantine import quarantine_equivocation, quarantine_text
from app.services.record import record_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.db.engine import Session
    from app.db.threads import Thread, ThreadKey
    from app.services.inbound import Proven
    from app.services.node import Node

SEQ_TAKEN = "seq_taken"
"""The number was consumed by a text that is not here any more."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A proven arrival and its row: its own if new, the earlier one of a duplicate, None if it contradicts one."""

    proven: Proven
    row: Stored | None
    is_new: bool


async def file_arrivals(
    session: Session,
    node: Node,
    arrivals: Sequence[Proven],
    *,
    locked: Mapping[ThreadKey, Thread],
    now: datetime,
) -> list[Filed]:
    """Store each text once. The caller holds the locks of all threads; the order of `arrivals` is kept.

    A second text for a `jti`, or for a number of a thread, is kept in quarantine as evidence; the first one stands.
    """
    rows = [_row(one, locked, now) for one in arrivals]
    new = await inbox.remember(session, rows)
    filed: list[Filed] = []
    for one, row in zip(arrivals, rows, strict=True):
        is_new = (row.key, row.inner_hash) in new
        new.discard((row.key, row.inner_hash))
        filed.append(Filed(one, row if is_new else None, is_new))
    if not all(one.is_new for one in filed):
        filed = await _compare(session, filed)
    known = [one.row.key for one in filed if one.row is not None and not one.is_new]
    await inbox.count_duplicates(session, known)
    facts = [_fact(one.row) for one in filed if one.row is not None and one.is_new]
    await record_all(session, node, facts, actor=SYSTEM, now=now)
    await _put_aside(session, node, filed, now=now)
    return filed


async def _put_aside(session: Session, node: Node, filed: Sequence[Filed], *, now: datetime) -> None:
    for one in filed:
        objection = one.proven.objection
        if one.row is None:
            await quarantine_equivocation(session, node, one.proven, now=now)
        elif one.is_new and objection is not None:
            await quarantine_text(session, node, one.row, reason=objection, now=now)


async def _compare(session: Session, filed: Sequence[Filed]) -> list[Filed]:
    """Look at what is there already for those that were not inserted."""
    known = [one.proven for one in filed if not one.is_new]
    places = [(one.thread_key, one.seq) for one in known if one.thread_key is not None]
    found = await inbox.find(session, [one.key for one in known], places)
    by_key = {row.key: row for row in found}
    taken = {(row.thread_key, row.seq) for row in found}
    compared = []
    for one in filed:
        there = by_key.get(one.proven.key)
        if not one.is_new and there is None and (one.proven.thread_key, one.proven.seq) not in taken:
            raise StorageInconsistent("inbox_row", "A message was neither inserted nor found.")
        same = there is not None and there.inner_hash == one.proven.inner_hash
        compared.append(one if one.is_new else Filed(one.proven, there if same else None, is_new=False))
    return compared


def _row(one: Proven, locked: Mapping[ThreadKey, Thread], now: datetime) -> Stored:
    state, code = InboxState.HELD, one.objection
    if one.thread_key is not None and one.seq <= locked[one.thread_key].consumed_in:
        state, code = InboxState.REFUSED, SEQ_TAKEN
    elif one.objection is not None:
        state = InboxState.QUARANTINED
    return Stored(
        iss=one.key[0],
        jti=one.key[1],
        thread=one.claims.thread,
        seq=one.claims.seq,
        type=one.claims.type,
        kid=one.kid,
        inner_hash=one.inner_hash,
        jws=one.jws,
        lane=one.lane,
        copy=one.copy,
        received_at=now,
        state=state,
        code=code,
    )


def _fact(row: Stored) -> Fact:
    message = {"type": row.type, "seq": row.seq, "kid": row.kid, "inner_hash": row.inner_hash}
    return Fact(
        FactType.ENVELOPE_RECEIVED,
        thread=audit_thread(row.thread),
        jti=str(row.jti),
        peer=row.iss,
        contents={"message": message},
    )
