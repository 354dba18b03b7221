"""A node whose disk is older than its word: it asks its peers, takes back its own texts, and fills what nobody holds.

Ruling 22 with one part per list. What a text looks like is not modelled: a copy names it, and its reader looks it up.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from app.db.tables_delivery import LeftBy
from app.domain.codes import Fate, Lane, MessageType, ReceiptStatus, ResyncKind
from app.domain.delivery_messages import NumbersBody, ResyncBody, ResyncThreadBody
from app.domain.exchange.opening import dispatched
from app.domain.messages import OpenBody, StateBody
from app.domain.snapshot import read_snapshot
from app.domain.tiers import lane_of
from tests.model.records import save
from tests.model.rules import Rule
from tests.model.sending import Outgoing, move_lane, put
from tests.model.values import Letter, Record, Thread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.model.ground import Node
    from tests.model.values import Store, Text

APPLIED = (Fate.APPLIED, None)


def ask_everybody(node: Node) -> None:
    """The proof is there: every peer's threads close, and each is asked what it has, on both lanes."""
    with node.transaction() as store:
        if node.keeps(Rule.LOOSE_SUPERSEDED):
            _supersede_loose(store)
        for peer in node.peers:
            store.closed[peer] = node.ground.new_id()
            _list(node, store, peer, ResyncKind.ASK, store.closed[peer])


def _supersede_loose(store: Store) -> None:
    """What has no number and no text yet may have got one after the backup: it must not get another one.

    No list speaks of such messages. A receipt that is missing is asked for by sending its message again.
    """
    for row in list(store.outbox.values()):
        if row.thread is None and row.text is None and row.left_by is None:
            store.outbox[row.id] = replace(row, left_by=LeftBy.SUPERSEDED)


def _list(node: Node, store: Store, peer: str, kind: ResyncKind, id: UUID) -> None:
    threads = tuple(
        ResyncThreadBody.model_validate(
            {"thread": thread, "out": _out(store, peer, thread, known=kind is ResyncKind.ASK), "in": ours}
        )
        for thread, ours in _incoming(store, peer).items()
    )
    for lane in Lane:
        body = ResyncBody(id=id, kind=kind, lane=lane, threads=threads)
        letter = Outgoing(peer, MessageType.RESYNC, body.model_dump_json(by_alias=True, exclude_none=True), lane=lane)
        put(node, store, letter)


def _incoming(store: Store, peer: str) -> dict[str, NumbersBody]:
    names = sorted(thread for thread, of in store.threads if of == peer)
    return {name: _numbers(seq for iss, thread, seq in store.places if (iss, thread) == (peer, name)) for name in names}


def _out(store: Store, peer: str, thread: str, *, known: bool) -> NumbersBody:
    """The numbers of which we have a text, or of which we know that the peer has the one that we have."""
    mine = [row for row in store.outbox.values() if row.peer == peer and row.thread == thread and row.text is not None]
    return _numbers(row.seq for row in mine if row.seq is not None and (row.status is not None or not known))


def _numbers(present: Iterable[int]) -> NumbersBody:
    numbers = set(present)
    upto = 0
    while upto + 1 in numbers:
        upto += 1
    return NumbersBody(upto=upto, also=tuple(sorted(number for number in numbers if number > upto)))


def _has(numbers: NumbersBody | None, seq: int) -> bool:
    return numbers is not None and (seq <= numbers.upto or seq in numbers.also)


def apply(node: Node, store: Store, text: Text) -> tuple[Fate, str | None]:
    """One of the messages of a resync."""
    if text.type == MessageType.RESYNC_COPY:
        copied = node.ground.texts[json.loads(text.body)["text"]]
        if text.iss in store.closed and copied.iss == node.code and copied.aud == text.iss:
            _adopt(node, store, copied)
            _finish(node, store, text.iss)
        return APPLIED
    body = ResyncBody.model_validate_json(text.body)
    store.parts[text.iss, body.id, body.kind, body.lane] = text.body
    lanes = {lane for peer, id, kind, lane in store.parts if (peer, id, kind) == (text.iss, body.id, body.kind)}
    if body.kind is ResyncKind.ANSWER:
        _finish(node, store, text.iss)
    elif len(lanes) == len(Lane) or (len(lanes) == 1 and not node.keeps(Rule.ASKED_ON_BOTH_LANES)):
        _answer(node, store, text.iss, body)
    return APPLIED


def _answer(node: Node, store: Store, peer: str, asked: ResyncBody) -> None:
    """Give back its later words, queue ours again that it lacks, and say what we have."""
    theirs = {one.thread: one for one in asked.threads}
    held = sorted((seq, thread) for iss, thread, seq in store.places if iss == peer)
    for seq, thread in held:
        known = theirs.get(thread)
        if known is None or not _has(known.out, seq):
            kept = store.inbox[peer, store.places[peer, thread, seq]]
            body = json.dumps({"text": kept.text.hash})
            put(node, store, Outgoing(peer, MessageType.RESYNC_COPY, body, lane=Lane.URGENT))
    for row in list(store.outbox.values()):
        if row.peer != peer or row.thread is None or row.seq is None:
            continue
        known = theirs.get(row.thread)
        if known is None or not _has(known.in_, row.seq):
            requeued = replace(row, left_by=None, status=None, reason=None, next_at=node.now)
            # The exchange may have become urgent since.
            store.outbox[row.id] = replace(requeued, lane=store.threads[row.thread, peer].lane)
    _list(node, store, peer, ResyncKind.ANSWER, asked.id)


def _adopt(node: Node, store: Store, text: Text) -> None:
    """A later word of ours, given back by the peer it was for."""
    place = next((row for row in store.outbox.values() if _is_at(row, text)), None)
    row = store.row_of(text.jti)
    if place is not None and place.jti != text.jti:
        store.outbox[place.id] = replace(place, thread=None, seq=None, prev=None, left_by=LeftBy.SUPERSEDED)
        store.lost.append((text.aud, text.thread or "", text.seq))
    if row is None:
        row = Letter(len(store.outbox) + 1, text.jti, text.aud, text.type, text.body, Lane.ROUTINE, node.now)
    adopted = replace(row, thread=text.thread, seq=text.seq, prev=text.prev, exp=text.exp)
    store.outbox[row.id] = replace(
        adopted, text=text, next_at=None, status=ReceiptStatus.STORED, left_by=LeftBy.RECEIPT
    )
    if text.thread is not None and text.seq is not None:
        _count(store, text.thread, text)
        _remember(node, store, text.thread, text)


def _is_at(row: Letter, text: Text) -> bool:
    return text.thread is not None and (row.peer, row.thread, row.seq) == (text.aud, text.thread, text.seq)


def _count(store: Store, thread_id: str, text: Text) -> None:
    key = (thread_id, text.aud)
    thread = store.threads.get(key, Thread())
    if text.seq is not None and text.seq >= thread.next_out:
        thread = replace(thread, next_out=text.seq + 1, last_out=text.jti)
    opener = text.iss if text.type == MessageType.EXCHANGE_OPEN else None
    store.threads[key] = replace(thread, opened_by=thread.opened_by or opener)


def _remember(node: Node, store: Store, thread: str, text: Text) -> None:
    """An opening brings its exchange back; of our states the newest counts, and the fates that it tells."""
    if text.type == MessageType.EXCHANGE_OPEN and UUID(thread) not in store.exchanges:
        value = dispatched(UUID(thread), OpenBody.model_validate_json(text.body), now=node.now)
        save(node, store, Record(value, is_incoming=False))
        move_lane(node, store, thread, lane_of(value.tier))
    if text.type != MessageType.EXCHANGE_STATE:
        return
    body = StateBody.model_validate_json(text.body)
    newest = store.adopted.get(thread)
    if newest is None or (body.snapshot.generation, text.seq or 0) > (_generation(newest[1]), newest[0]):
        store.adopted[thread] = (text.seq or 0, text.body)
    for told in body.answers:
        store.fates[text.aud, told.jti] = (told.fate, told.code)


def _generation(state: str) -> int:
    """The peer adopts no state that is older than the one it shows, whatever its number."""
    return StateBody.model_validate_json(state).snapshot.generation


def _finish(node: Node, store: Store, peer: str) -> None:
    """When the answer is whole and everything it lists is here again, the peer's threads reopen."""
    id = store.closed.get(peer)
    lists = [body for (of, name, kind, _), body in store.parts.items() if (of, name, kind) == (peer, id, "answer")]
    if len(lists) < len(Lane):
        return
    answer = ResyncBody.model_validate_json(lists[0])
    threads = [(one.thread, one.in_) for one in answer.threads]
    for thread, theirs in threads:
        if not all(
            _has(_out(store, peer, thread, known=True), seq) for seq in (*range(1, theirs.upto + 1), *theirs.also)
        ):
            return
    for thread, (_, body) in store.adopted.items():
        record = store.exchanges.get(UUID(thread))
        if record is not None and record.value.requesting == peer and (thread, peer) in store.threads:
            adopt_state(node, store, record, body)
    if node.keeps(Rule.VOID_FILLS):
        for thread in [name for name, of in store.threads if of == peer]:
            _fill(node, store, peer, thread)
    del store.closed[peer]


def adopt_state(node: Node, store: Store, record: Record, body: str) -> None:
    """The newest state that we had signed is the state again."""
    value = read_snapshot(StateBody.model_validate_json(body).snapshot, asked=record.value.asked)
    if value.generation > record.value.generation:
        save(node, store, replace(record, value=value))
        move_lane(node, store, str(value.id), lane_of(value.tier))


def _fill(node: Node, store: Store, peer: str, thread: str) -> None:
    mine = {row.seq for row in store.outbox.values() if (row.peer, row.thread) == (peer, thread)}
    for seq in range(1, store.threads[thread, peer].next_out):
        if seq not in mine:
            put(node, store, Outgoing(peer, MessageType.VOID, "{}", thread, at_seq=seq))
            store.lost.append((peer, thread, seq))
