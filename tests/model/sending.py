"""From a committed row to the courier, as `services/send.py` and `bus/relay.py` do it; the decisions are theirs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.bus import attempts
from app.bus.attempts import Attempt
from app.db.receipts import MISSING_GRACE
from app.db.tables_delivery import LeftBy
from app.domain.codes import Lane, MessageType
from app.domain.passage import SETTLING, Passage, proof_of
from tests.model.ground import Round
from tests.model.rules import Rule
from tests.model.values import LEASE, ROUND, Letter, Parcel, Publication, Text, Thread

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from app.db.tables_delivery import Trouble
    from tests.model.courier import Outcome
    from tests.model.ground import Node
    from tests.model.values import Store

RESYNCING = frozenset({MessageType.RESYNC, MessageType.RESYNC_COPY})
"""All that is sent to a peer with whom this node is recovering (ruling 22)."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be queued. `at_seq`: it fills a number instead of taking the next."""

    peer: str
    type: str
    body: str
    thread: str | None = None
    exp: datetime | None = None
    lane: Lane | None = None
    at_seq: int | None = None


def put(node: Node, store: Store, outgoing: Outgoing) -> UUID:
    """Queue it in this transaction."""
    jti = node.ground.new_id()
    seq = prev = None
    lane = outgoing.lane or Lane.ROUTINE
    if outgoing.thread is not None:
        key = (outgoing.thread, outgoing.peer)
        thread = store.threads.get(key, Thread(lane=lane))
        lane = outgoing.lane or thread.lane
        if outgoing.at_seq is not None:
            seq = outgoing.at_seq
        else:
            seq, prev = thread.next_out, thread.last_out
            thread = replace(thread, next_out=seq + 1, last_out=jti)
        opener = node.code if outgoing.type == MessageType.EXCHANGE_OPEN else None
        store.threads[key] = replace(thread, lane=lane, opened_by=thread.opened_by or opener)
    row = Letter(
        id=len(store.outbox) + 1,
        jti=jti,
        peer=outgoing.peer,
        type=outgoing.type,
        body=outgoing.body,
        lane=lane,
        created_at=node.now,
        thread=outgoing.thread,
        seq=seq,
        prev=prev,
        exp=outgoing.exp,
        next_at=node.now,
    )
    store.outbox[row.id] = row
    return jti


def move_lane(node: Node, store: Store, thread: str, lane: Lane) -> None:
    """Follow a change of tier."""
    if not node.keeps(Rule.LANE_FOLLOWS_TIER):
        return
    for key in [key for key in store.threads if key[0] == thread]:
        store.threads[key] = replace(store.threads[key], lane=lane)
    for row in _unreceipted(store, thread):
        if lane is Lane.URGENT:
            store.outbox[row.id] = _hastened(row, node.now)
        else:
            store.outbox[row.id] = replace(row, lane=lane)


def hasten(node: Node, store: Store, peer: str, thread: str) -> None:
    """The peer misses something in this thread."""
    for row in _unreceipted(store, thread):
        if row.peer == peer:
            store.outbox[row.id] = _hastened(row, node.now)


def _unreceipted(store: Store, thread: str) -> list[Letter]:
    return [row for row in store.outbox.values() if row.thread == thread and row.left_by is None]


def _hastened(row: Letter, now: datetime) -> Letter:
    due = now if row.lane is not Lane.URGENT or row.began_at is None else max(now, row.began_at + MISSING_GRACE)
    return replace(row, lane=Lane.URGENT, next_at=due if row.next_at is None else min(row.next_at, due))


def begin_round(node: Node, lane: Lane) -> Round:
    """The first transaction of a round: what is lost or asked for is due, what is due is leased, signed and counted."""
    now = node.now
    pending = []
    with node.transaction() as store:
        if node.keeps(Rule.RESEND):
            _make_lost_due(node, store, lane)
            if node.keeps(Rule.PROBE):
                _probe(node, store, lane)
        for row in _claim(store, lane, now):
            text = row.text if row.text is not None and node.keeps(Rule.ONE_TEXT) else sign(node, row)
            copy = row.copy + 1
            parcel = Parcel(node.ground.new_number(), row.peer, lane, text, copy)
            store.outbox[row.id] = replace(
                row, text=text, copy=copy, tries=row.tries + 1, next_at=now + LEASE, began_at=now
            )
            store.publications[row.id, copy] = Publication(parcel.number, row.peer, lane, now)
            pending.append((row.id, parcel))
    begun = Round(lane, now + LEASE, pending)
    node.rounds.append(begun)
    return begun


def publish_next(node: Node, begun: Round, outcome: Outcome) -> None:
    """Bytes leave."""
    row, parcel = begun.pending.pop(0)
    begun.ended.append((row, parcel.copy, node.ground.courier.publish(parcel, outcome)))


def settle(node: Node, begun: Round) -> None:
    """The second transaction: confirmed, or in trouble and when to try again."""
    node.rounds.remove(begun)
    now = node.now
    with node.transaction() as store:
        ways: dict[tuple[str, Lane], list[Trouble | None]] = {}
        for id, copy, trouble in begun.ended:
            row = store.outbox[id]
            ways.setdefault((row.peer, begun.lane), []).append(trouble)
            publication = store.publications[id, copy]
            confirmed = now if trouble is None else None
            store.publications[id, copy] = replace(publication, confirmed_at=confirmed)
            if row.left_by is None:
                store.outbox[id] = _settled(node, row, begun, trouble)
        for way, ended in ways.items():
            passage = store.passages.get(way, Passage())
            store.passages[way] = attempts.after_round(passage, ended, now=now, jitter=node.ground.jitter())
            if None in ended:
                _retry_troubled(store, way, now)


def _settled(node: Node, row: Letter, begun: Round, trouble: Trouble | None) -> Letter:
    attempt = Attempt(row.type, row.tries, trouble)
    left_by = attempts.leaves_by(attempt)
    if trouble is None and not node.keeps(Rule.RECEIPT_ENDS):
        left_by = LeftBy.CONFIRM
    due = attempts.next_attempt(attempt, now=node.now, jitter=node.ground.jitter())
    if trouble is None or not node.keeps(Rule.RESEND):
        row = replace(row, confirmed_at=node.now, published_lane=begun.lane)
        due = None
    next_at = due if row.next_at == begun.lease_until else row.next_at
    return replace(row, next_at=next_at, trouble=trouble, left_by=left_by)


def _retry_troubled(store: Store, way: tuple[str, Lane], now: datetime) -> None:
    """The way is open again: nothing sits out the rest of a long pause."""
    for row in list(store.outbox.values()):
        waits = row.left_by is None and row.trouble is not None and (row.peer, row.lane) == way
        if waits and row.next_at is not None and row.next_at > now:
            store.outbox[row.id] = replace(row, next_at=now)


def _claim(store: Store, lane: Lane, now: datetime) -> list[Letter]:
    due = [
        row
        for row in store.outbox.values()
        if row.left_by is None and row.lane is lane and row.next_at is not None and row.next_at <= now
        if row.peer not in store.closed or row.type in RESYNCING
        if not attempts.is_stuck(store.passages.get((row.peer, lane), Passage()), now=now)
    ]
    return sorted(due, key=lambda row: (row.next_at, row.id))[:ROUND]


def sign(node: Node, row: Letter) -> Text:
    """Make a text of a row."""
    text = Text(
        iss=node.code,
        aud=row.peer,
        jti=row.jti,
        kid=node.key,
        iat=node.now,
        thread=row.thread,
        seq=row.seq,
        prev=row.prev,
        type=row.type,
        exp=row.exp,
        body=row.body,
    )
    node.ground.texts[text.hash] = text
    return text


def sign_again(node: Node) -> None:
    """What has no receipt and is signed under a key that was revoked gets a new signature, and goes out (ruling 10)."""
    revoked = [row for row in node.store.outbox.values() if _is_under_revoked_key(node, row)]
    if not revoked or not node.keeps(Rule.SIGNED_AGAIN):
        return
    with node.transaction() as store:
        for row in revoked:
            if row.text is not None:
                store.earlier[row.jti, row.text.hash] = row.text
            store.outbox[row.id] = replace(row, text=sign(node, row), next_at=node.now)


def _is_under_revoked_key(node: Node, row: Letter) -> bool:
    return row.left_by is None and row.text is not None and row.text.kid in node.directory


def _waiting(store: Store, lane: Lane) -> dict[tuple[str, Lane], list[Letter]]:
    """Confirmed rows without receipt, by the way they were last published on."""
    ways: dict[tuple[str, Lane], list[Letter]] = {}
    for row in store.outbox.values():
        if row.left_by is None and row.next_at is None and row.published_lane is lane and _is_open(store, row):
            ways.setdefault((row.peer, lane), []).append(row)
    return ways


def _is_open(store: Store, row: Letter) -> bool:
    return row.peer not in store.closed or row.type in RESYNCING


def _make_lost_due(node: Node, store: Store, lane: Lane) -> None:
    now = node.now
    for way, rows in _waiting(store, lane).items():
        passage = store.passages.get(way, Passage())
        for row in rows:
            if row.confirmed_at is not None and _is_lost(node, row, passage):
                node.ground.witness.evidence(node, row, store.publications[row.id, row.copy])
                store.outbox[row.id] = replace(row, next_at=now)


def _is_lost(node: Node, row: Letter, passage: Passage) -> bool:
    proof = proof_of(passage, now=node.now)
    if not node.keeps(Rule.FIVE_SECONDS):
        proof = proof_of(passage, now=node.now + SETTLING)
    if row.confirmed_at is None:
        return False
    confirmed_at = row.confirmed_at
    if not node.keeps(Rule.CONFIRMED_BEFORE):
        return proof is not None
    tries = row.tries if node.keeps(Rule.FIVE_SECONDS) else 1
    now = node.now if node.keeps(Rule.FIVE_SECONDS) else node.now + SETTLING
    return attempts.is_lost(confirmed_at, tries, proof=proof, now=now)


def _probe(node: Node, store: Store, lane: Lane) -> None:
    now = node.now
    for way, rows in _waiting(store, lane).items():
        passage = store.passages.get(way, Passage())
        moments: Iterable[datetime] = (row.confirmed_at for row in rows if row.confirmed_at is not None)
        if attempts.probe_due(passage, min(moments)) <= now:
            chosen = attempts.choose_probe([row.id for row in rows], passage.probed_id)
            store.outbox[chosen] = replace(store.outbox[chosen], next_at=now)
            store.passages[way] = attempts.after_probe(passage, chosen, now=now, jitter=node.ground.jitter())
