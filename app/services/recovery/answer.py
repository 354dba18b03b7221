"""A peer was restored and told what it has: return its own texts that it lacks, queue ours again, say what we have."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from app.db import holdings, resyncs, threads
from app.db.threads import ThreadKey
from app.domain.codes import CopyReason, Lane, MessageType, ResyncKind
from app.domain.delivery_messages import MAX_TEXT_CHARACTERS, NumbersBody, ResyncBody, ResyncCopyBody
from app.domain.message_reading import read_body
from app.domain.messages import write_body
from app.domain.resync import are_complete, lacking
from app.services.recovery.ask import Headline, send_list
from app.services.send import ATTACHMENT_THREAD, Outgoing, put

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.resyncs import ListKey
    from app.services.node import Node

BETWEEN_ANSWERS = timedelta(minutes=10)
"""At most one whole answer per peer in this time: a peer that claims to be restored every minute is answered six times
an hour, and a real one that was restored twice waits so long."""

BETWEEN_WANTS = timedelta(minutes=1)

REMEMBERED = timedelta(days=1)
"""How long it is known that a list was answered; after that its copies are long gone."""

AT_ONCE = 200
"""Texts that are loaded at a time."""

NOTHING = NumbersBody(upto=0)


async def find_answerable(session: ReadSession, *, now: datetime) -> list[ListKey]:
    """Return the complete lists whose peers may be answered now, one per peer and kind, the oldest first."""
    found: dict[tuple[str, ResyncKind], ListKey] = {}
    for key in await resyncs.unanswered(session):
        pause = BETWEEN_WANTS if key.kind is ResyncKind.WANT else BETWEEN_ANSWERS
        if key.kind is ResyncKind.ANSWER or not _is_whole(key, await resyncs.places(session, key)):
            continue
        last = await resyncs.last_answered_at(session, key.peer, key.kind)
        if last is None or now - last >= pause:
            # Of several asks the one that came last tells what the peer has now; the others are answered with it.
            found[key.peer, key.kind] = key
    return list(found.values())


async def answer_list(session: Session, node: Node, key: ListKey, *, now: datetime) -> bool:
    """Answer one list, once. In this one transaction: copies, then our own messages again, then our list."""
    if await resyncs.was_answered(session, key):
        return False
    read = [read_body(ResyncBody, json.loads(raw)).body for raw in await resyncs.bodies(session, key)]
    if key.kind is ResyncKind.WANT:
        wanted = {jti for body in read for jti in body.want}
        texts = await holdings.texts_of(session, key.peer, wanted, longest=MAX_TEXT_CHARACTERS)
        await _return_texts(session, node, key, texts, now=now)
    else:
        told = {one.thread: (one.out, one.in_) for body in read for one in body.threads}
        await _return_lacking(session, node, key, told, now=now)
        await _queue_lacking(session, key.peer, told, now=now)
        await send_list(session, node, Headline(key.peer, key.resync_id, ResyncKind.ANSWER), now=now)
        await resyncs.drop(session, _earlier(await resyncs.unanswered(session, peer=key.peer, kind=key.kind), key))
    await resyncs.set_answered(session, key, now=now)
    await resyncs.forget_before(session, now - REMEMBERED)
    return True


def _is_whole(key: ListKey, places: set[tuple[Lane, int, int]]) -> bool:
    """A want has one part and is sent once, on either lane; an ask has come whole on both."""
    return bool(places) if key.kind is ResyncKind.WANT else are_complete(places)


def _earlier(waiting: Sequence[ListKey], key: ListKey) -> Sequence[ListKey]:
    return waiting[: waiting.index(key)] if key in waiting else ()


async def _return_lacking(
    session: Session, node: Node, key: ListKey, told: Mapping[str, tuple[NumbersBody, NumbersBody]], *, now: datetime
) -> None:
    """Chunks of files are not returned: they are too long to travel inside another message."""
    places = [
        (thread, seq)
        for thread, numbers in sorted((await holdings.peer_numbers_stored(session, key.peer)).items())
        if not thread.startswith(ATTACHMENT_THREAD)
        for seq in lacking(told.get(thread, (NOTHING, NOTHING))[0], numbers)
    ]
    for start in range(0, len(places), AT_ONCE):
        some = places[start : start + AT_ONCE]
        texts = await holdings.texts_at(session, key.peer, some, longest=MAX_TEXT_CHARACTERS)
        await _return_texts(session, node, key, texts, now=now)


async def _return_texts(
    session: Session, node: Node, key: ListKey, texts: Iterable[tuple[str, str]], *, now: datetime
) -> None:
    reason = CopyReason.WANTED if key.kind is ResyncKind.WANT else CopyReason.RESYNC
    lanes: dict[str, Lane] = {}
    for thread, jws in texts:
        if thread not in lanes:
            known = await threads.load(session, ThreadKey(thread, key.peer))
            lanes[thread] = Lane.ROUTINE if known is None else known.lane
        body = write_body(ResyncCopyBody(reason=reason, text=jws, resync=key.resync_id))
        letter = Outgoing(key.peer, MessageType.RESYNC_COPY, body, lane=lanes[thread])
        await put(session, node, letter, now=now)


async def _queue_lacking(
    session: Session, peer: str, told: Mapping[str, tuple[NumbersBody, NumbersBody]], *, now: datetime
) -> None:
    for thread, numbers in sorted((await holdings.own_numbers(session, peer)).items()):
        its_in = told.get(thread, (NOTHING, NOTHING))[1]
        lost = [(thread, seq) for seq in lacking(its_in, [one.seq for one in numbers])]
        for start in range(0, len(lost), AT_ONCE):
            await holdings.queue_again(session, peer, lost[start : start + AT_ONCE], now=now)
