"""The exchange becomes again what our own returned states say that it is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import exchanges, own_texts, resyncs, threads
from app.db.threads import ThreadKey
from app.domain.codes import Direction, Fate, MessageType
from app.domain.exchange.opening import attach_again, read_opening
from app.domain.exchange.timers import next_timer
from app.domain.exchange.values import Asked
from app.domain.exchange_codes import Flag
from app.domain.message_reading import read_body
from app.domain.messages import ActionBody, OpenBody, StateBody, write_body
from app.domain.resync import replay
from app.services.bind_files import bind_files
from app.services.mark_exchange import mark_exchange
from app.services.node import SYSTEM
from app.services.open_exchange import formal_term, incoming
from app.services.send_state import send_state
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.domain.exchange.values import Exchange
    from app.domain.snapshot_bodies import SnapshotBody
    from app.services.inbound import Received
    from app.services.node import Node


CARRIERS: Mapping[MessageType, type[OpenBody | ActionBody]] = {
    MessageType.EXCHANGE_OPEN: OpenBody,
    MessageType.EXCHANGE_ACTION: ActionBody,
}
"""Messages of the requesting side that may name files."""


async def restate(session: Session, node: Node, key: ThreadKey, *, now: datetime) -> None:
    """Give the exchange of a locked thread the state of our texts.

    Without a record its opening is still to come, unless it was noted after a call. A state that the peer has not got
    and that would overrule this one (made after the restore, from what we remembered then) is overruled by a fresh one.
    """
    record = await exchanges.load(session, UUID(key.id), for_update=True)
    if record is None:
        await _note_again(session, node, key, now=now)
        return
    if record.direction is not Direction.INCOMING or record.value.requesting != key.peer:
        return
    value, unsent = await _replayed(session, key, record.value.asked)
    if value is None:
        return
    overruled = unsent >= value.generation
    if overruled:
        value = replace(value, generation=unsent + 1)
    after = replace(record, value=value, due_at=next_timer(value))
    await exchanges.save(session, after, read_generation=record.value.generation, now=now)
    await resyncs.set_applied(session, key.id, now=now)
    await _tell(session, node, value, now=now)
    if overruled:
        await send_state(session, node, after, now=now)


async def _note_again(session: Session, node: Node, key: ThreadKey, *, now: datetime) -> None:
    """An exchange that had been noted after a call stands without its opening, which then attaches as it would have."""
    value, _ = await _replayed(session, key, Asked())
    thread = await threads.load(session, key)
    if value is None or thread is None or Flag.NOTED not in value.flags:
        return
    await threads.move(session, [replace(thread, opened_by=key.peer)])
    await exchanges.add(session, incoming(value, {}, now=now), now=now)
    await resyncs.set_applied(session, key.id, now=now)
    await _tell(session, node, value, now=now)


async def take_again(session: Session, node: Node, received: Received, fate: Fate, *, now: datetime) -> None:
    """A message comes again whose fate is known: it is not judged, but what our states do not say is taken from it.

    That is the document of an opening, and the files that an applied message names.
    """
    form = CARRIERS.get(received.type)
    if form is None:
        return
    if received.type is MessageType.EXCHANGE_OPEN:
        await _begin_again(session, node, received, now=now)
    if fate is Fate.APPLIED:
        await bind_files(session, node, received, read_body(form, received.body).body.attachments, now=now)


async def remembered(session: Session, key: ThreadKey, *, now: datetime) -> Exchange | None:
    """What we had signed of an exchange whose opening has not come back; it counts as told from now on.

    The caller has locked the thread and stores it under a higher generation. None if nothing came back of it.
    """
    if not await resyncs.has_unapplied_state(session, key.id, key.peer):
        return None
    value, unsent = await _replayed(session, key, Asked())
    if value is None:
        return None
    await resyncs.set_applied(session, key.id, now=now)
    return replace(value, generation=max(value.generation, unsent + 1))


def _overruling(noted: Exchange, signed: Exchange | None) -> Exchange:
    """What was told of a call, unless what we had signed came back only after it: that is not overruled by a call."""
    return noted if signed is None else replace(signed, generation=max(signed.generation, noted.generation + 1))


async def _begin_again(session: Session, node: Node, received: Received, *, now: datetime) -> None:
    """Begin the exchange as our own states say it is, or give it its document where a call has begun it again.

    Without states of ours the opening has been applied here already. A call that was noted since the restore begins
    where they end (`remembered`), so nothing that was done since is overruled by them.
    """
    key = ThreadKey(received.thread or "", received.peer)
    understood = read_body(OpenBody, received.body)
    record = await exchanges.load(session, UUID(key.id), for_update=True)
    if record is None:
        value = await remembered(session, key, now=now)
        if value is None:
            return
        value = replace(value, asked=read_opening(understood.body))
    elif record.opening or record.direction is not Direction.INCOMING or record.value.requesting != key.peer:
        return
    else:
        value = _overruling(record.value, await remembered(session, key, now=now))
        value = attach_again(value, understood.body, now=now, confirm_within=formal_term(node))
    begun = incoming(value, write_body(understood.body), now=now, not_understood=understood.not_understood)
    if record is None:
        await exchanges.add(session, begun, now=now)
    else:
        await exchanges.save(session, begun, read_generation=record.value.generation, now=now)
    await mark_exchange(session, node, value.id, document=understood.body.document, now=now)
    await _tell(session, node, value, now=now)


async def _replayed(session: ReadSession, key: ThreadKey, asked: Asked) -> tuple[Exchange | None, int]:
    """The exchange by those states of ours that the peer has; and the highest generation of those that it has not."""
    there: list[SnapshotBody] = []
    unsent = -1
    for is_there, raw in await own_texts.states(session, key):
        snapshot = read_body(StateBody, json.loads(raw)).body.snapshot
        if is_there:
            there.append(snapshot)
        else:
            unsent = max(unsent, snapshot.generation)
    return (replay(there, asked=asked) if there else None), unsent


async def _tell(session: Session, node: Node, value: Exchange, *, now: datetime) -> None:
    recovered = Happening(
        kind="exchange",
        subject=value.id,
        event="recovered",
        state=value.state,
        generation=value.generation,
        for_agency=False,
        ids={"reference": value.request_reference},
    )
    await tell(session, node, recovered, actor=SYSTEM, now=now)
