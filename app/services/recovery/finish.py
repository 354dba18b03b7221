"""A peer has answered and returned everything: its threads open again, equal on both sides."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from app.audit.facts import Fact, FactType
from app.db import holdings, own_texts, recoveries, resyncs, threads
from app.db.recoveries import LostItem
from app.db.resyncs import ListKey
from app.db.threads import NewThread, Place, ThreadKey
from app.domain.codes import MessageType, ResyncKind
from app.domain.delivery_messages import NumbersBody, ResyncBody
from app.domain.message_reading import read_body
from app.domain.messages import VoidBody, write_body
from app.domain.resync import Lost, are_complete, awaited, believed, holes
from app.services.announce import Event, announce
from app.services.node import SYSTEM
from app.services.record import record
from app.services.recovery.restate import restate
from app.services.send import ATTACHMENT_THREAD, Outgoing, put_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.holdings import OwnNumber
    from app.db.recoveries import RecoveringPeer
    from app.db.threads import Thread
    from app.services.node import Node

GIVE_UP = timedelta(hours=24)
"""After so long a text that the peer says it has and does not return is listed as lost; our numbers go on above it."""

NOTHING = NumbersBody(upto=0)
REASON = "Lost in a restore from a backup; nobody has the text."

Told = dict[str, NumbersBody]
Own = dict[str, list["OwnNumber"]]


async def finish_peer(session: Session, node: Node, closed: RecoveringPeer, *, now: datetime) -> bool:
    """Open the peer if its answer is whole and every text it names has come back; False while something is awaited."""
    told = await _answer_of(session, closed)
    if told is None:
        return False
    if closed.answered_at is None:
        await recoveries.set_answered(session, closed, now=now)
        closed = replace(closed, answered_at=now)
    revoked = await _revoked(session, closed)
    missing = _awaited(told, await holdings.own_numbers(session, closed.peer), revoked)
    if missing and now - (closed.answered_at or now) < GIVE_UP:
        return False
    states = await resyncs.unapplied_states(session, closed.peer)
    own = await holdings.own_numbers(session, closed.peer)
    locked = await _lock(session, closed.peer, {*told, *own, *states, *revoked}, now=now)
    own = await holdings.own_numbers(session, closed.peer)
    await recoveries.set_done(session, closed, now=now)
    for thread, seq in _awaited(told, own, revoked):
        item = LostItem(closed.recovery_id, closed.peer, thread, seq, Lost.KEPT_BACK, now)
        await recoveries.add_lost(session, item)
    for key in sorted(locked):
        numbers = own.get(key.id, [])
        taken = {*believed(told.get(key.id, NOTHING), known_top=_top(numbers)), *revoked.get(key.id, ())}
        await _close_gaps(session, node, closed, (locked[key], numbers, taken), now=now)
    for one in states:
        await restate(session, node, ThreadKey(one, closed.peer), now=now)
    await _note_done(session, node, closed, now=now)
    return True


async def _answer_of(session: ReadSession, closed: RecoveringPeer) -> Told | None:
    """What the peer says it has of ours, once all parts have come on both lanes; None until then."""
    key = ListKey(closed.peer, closed.resync_id, ResyncKind.ANSWER)
    if not are_complete(await resyncs.places(session, key)):
        return None
    read = [read_body(ResyncBody, json.loads(raw)).body for raw in await resyncs.bodies(session, key)]
    return {one.thread: one.in_ for body in read for one in body.threads}


async def _revoked(session: ReadSession, closed: RecoveringPeer) -> dict[str, set[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    for thread, seq in await recoveries.places_listed(session, closed, Lost.KEY_REVOKED):
        found[thread].add(seq)
    return dict(found)


def _top(numbers: Sequence[OwnNumber]) -> int:
    return max((one.seq for one in numbers), default=0)


def _awaited(told: Told, own: Own, revoked: Mapping[str, set[int]]) -> list[tuple[str, int]]:
    """Our numbers that the peer has and we cannot account for; a file's chunks do not come back."""
    missing = []
    for thread, its_in in sorted(told.items()):
        if thread.startswith(ATTACHMENT_THREAD):
            continue
        numbers = own.get(thread, [])
        held = {one.seq for one in numbers if one.is_there} | revoked.get(thread, set())
        missing += [(thread, seq) for seq in awaited(its_in, known_top=_top(numbers), held=held)]
    return missing


async def _lock(session: Session, peer: str, ids: set[str], *, now: datetime) -> dict[ThreadKey, Thread]:
    rows = [NewThread(ThreadKey(one, peer), _exchange_of(one), None, None) for one in ids]
    await threads.ensure(session, rows, now=now)
    return await threads.lock(session, [row.key for row in rows])


def _exchange_of(thread: str) -> UUID | None:
    return None if thread.startswith(ATTACHMENT_THREAD) else UUID(thread)


async def _close_gaps(
    session: Session,
    node: Node,
    closed: RecoveringPeer,
    line: tuple[Thread, Sequence[OwnNumber], set[int]],
    *,
    now: datetime,
) -> None:
    """Fill each number of ours that nobody has, and let the next one lie above all that anybody has.

    A message of ours without a text, in a place that the peer does not name, keeps it and is published as it is.
    """
    thread, numbers, taken = line
    key, seqs = thread.key, {one.seq for one in numbers}
    if key.id.startswith(ATTACHMENT_THREAD):
        there = [(key.id, one.seq) for one in numbers if one.seq in taken and not one.is_there]
        await holdings.take_as_there(session, key.peer, there, now=now)
    for seq in holes({*seqs, *taken}, below=thread.next_out):
        place = Place(seq, await own_texts.name_at(session, key, seq - 1), thread.lane)
        letter = Outgoing(
            key.peer,
            MessageType.VOID,
            write_body(VoidBody(reason=REASON)),
            thread=key.id,
            exchange_id=thread.exchange_id,
        )
        await put_at(session, node, letter, place, now=now)
        await recoveries.add_lost(session, LostItem(closed.recovery_id, closed.peer, key.id, seq, Lost.VOIDED, now))
    top = max({*seqs, *taken}, default=0)
    if top:
        await own_texts.raise_counter(session, key, above=top)


async def _note_done(session: Session, node: Node, closed: RecoveringPeer, *, now: datetime) -> None:
    await resyncs.set_answered(session, ListKey(closed.peer, closed.resync_id, ResyncKind.ANSWER), now=now)
    contents = {"recovery": {"id": str(closed.recovery_id), "resync": str(closed.resync_id)}}
    fact = Fact(FactType.RECOVERY_PEER_DONE, peer=closed.peer, contents=contents)
    await record(session, node, fact, actor=SYSTEM, now=now)
    await announce(session, Event("node.peer_open", "node", node.code, None, {"peer": closed.peer}), now=now)
