"""Insert what is new; of the rest tell whether it is the same text again or another one in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import inbox, replaced_texts
from app.db.inbox import Stored
from app.db.tables_delivery import InboxState
from app.domain.codes import MessageType
from app.errors import StorageInconsistent
from app.services.inbound import audit_thread
from app.services.node import SYSTEM
from app.services.quarantine import quarantine_text
from app.services.record import record_all
from app.services.second_text import Second, take_second_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.db.engine import Session
    from app.db.inbox import MessageKey
    from app.db.threads import Thread, ThreadKey
    from app.services.inbound import Proven
    from app.services.node import Node

SEQ_TAKEN = "seq_taken"
"""The number was consumed by a text that is not here any more."""

UNRECORDED = frozenset({MessageType.RECEIPT, MessageType.HEARTBEAT})
"""Types whose arrival is no fact of its own: a receipt has `receipt.received`, a heartbeat says nothing."""


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

    A second text for a `jti`, or for a number of a thread, is the same message signed again, or a contradiction: then
    it is kept in quarantine as evidence, and the first one stands. One that awaits a directory is not in the result:
    nothing is to be said of it.
    """
    rows = [_row(one, locked, now) for one in arrivals]
    new = await inbox.remember(session, rows)
    filed: list[Filed] = []
    for one, row in zip(arrivals, rows, strict=True):
        is_new = (row.key, row.inner_hash) in new
        new.discard((row.key, row.inner_hash))
        filed.append(Filed(one, row if is_new else None, is_new))
    await _note_new(session, node, filed, now=now)
    if not all(one.is_new for one in filed):
        filed = await _compare(session, node, filed, now=now)
    known = [one.row.key for one in filed if one.row is not None and not one.is_new]
    await inbox.count_duplicates(session, known)
    return filed


async def _note_new(session: Session, node: Node, filed: Sequence[Filed], *, now: datetime) -> None:
    """Put what is new on record, and what of it cannot be understood aside."""
    new = [(one.proven, one.row) for one in filed if one.row is not None]
    facts = [_fact(row) for _, row in new if row.type not in UNRECORDED]
    await record_all(session, node, facts, actor=SYSTEM, now=now)
    for proven, row in new:
        if proven.objection is not None:
            await quarantine_text(session, node, row, reason=proven.objection, now=now)


async def _compare(session: Session, node: Node, filed: Sequence[Filed], *, now: datetime) -> list[Filed]:
    """Look at what is there already for those that were not inserted, one after the other."""
    known = [one.proven for one in filed if not one.is_new]
    there = await _look_up(session, known)
    compared: list[Filed] = []
    for one in filed:
        proven = one.proven
        first = there.first_of(proven)
        if one.is_new:
            compared.append(one)
        elif first is None:
            raise StorageInconsistent("inbox_row", "A message was neither inserted nor found.")
        elif there.is_known(proven):
            compared.append(Filed(proven, first, is_new=False))
        else:
            taken = await take_second_text(session, node, proven, first=first, now=now)
            if taken.is_ is Second.CONTRADICTS:
                compared.append(Filed(proven, None, is_new=False))
            elif taken.is_ is not Second.AWAITS:
                there.by_key[taken.row.key] = taken.row
                there.beside |= {(first.key, first.inner_hash), (first.key, proven.inner_hash)}
                compared.append(Filed(proven, taken.row, is_new=False))
    return compared


@dataclass(slots=True)
class _There:
    """What is stored under the names and in the places of some arrivals; `beside` names further texts of a message."""

    by_key: dict[MessageKey, Stored]
    by_place: dict[tuple[ThreadKey | None, int | None], Stored]
    beside: set[tuple[MessageKey, str]]

    def first_of(self, one: Proven) -> Stored | None:
        return self.by_key.get(one.key) or self.by_place.get((one.thread_key, one.seq))

    def is_known(self, one: Proven) -> bool:
        row = self.by_key.get(one.key)
        return row is not None and (row.inner_hash == one.inner_hash or (one.key, one.inner_hash) in self.beside)


async def _look_up(session: Session, known: Sequence[Proven]) -> _There:
    keys = [one.key for one in known]
    places = [(one.thread_key, one.seq) for one in known if one.thread_key is not None]
    there = _as_found(await inbox.find(session, keys, places))
    if not all(there.is_known(one) for one in known):
        # Rare, and about to change these rows. All of them are locked at once and in order: what has no thread has no
        # other lock, and its effect may be under way in another transaction.
        there = _as_found(await inbox.lock_found(session, keys, places))
        there.beside = await replaced_texts.known(session, keys)
    return there


def _as_found(rows: Sequence[Stored]) -> _There:
    by_place: dict[tuple[ThreadKey | None, int | None], Stored] = {
        (row.thread_key, row.seq): row for row in rows if row.thread_key is not None
    }
    return _There({row.key: row for row in rows}, by_place, set())


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
        received_at=one.received_at or now,
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
