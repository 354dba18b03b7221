"""Tell a closed peer what we have of every thread with it: it returns what we lack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.db import own_texts, recoveries
from app.domain.codes import Lane, MessageType, ResyncKind
from app.domain.delivery_messages import ResyncBody
from app.domain.messages import write_body
from app.domain.resync import split_parts
from app.services.identifiers import new_id
from app.services.recovery.listing import list_threads
from app.services.send import Outgoing, put

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import Session
    from app.db.recoveries import RecoveringPeer
    from app.services.node import Node

ASK_AGAIN = timedelta(minutes=15)
"""A peer that is there but has not brought us to an end in this time is asked anew, with what we have by now."""

REPEAT = timedelta(seconds=30)
"""Confirmed and not answered, the same ask is published again after so long; later more and more seldom."""

SELDOM = 10
"""Of the age of an ask this part is waited before it is published again: after a day, every two hours and a half."""


async def ask_peer(session: Session, node: Node, closed: RecoveringPeer, *, now: datetime) -> None:
    """Queue the list on both lanes, for the first time or anew under another name.

    On both, since the peer answers when it has consumed both: then nothing of ours is still under way to it. Listed as
    `out` are only the texts that the peer is known to have: what it has in another's place has to come back as well.
    """
    resync_id = closed.resync_id if closed.asked_at is None else new_id()
    if closed.asked_at is not None:
        await own_texts.end_asks(session, closed.peer, now=now)
    newest = await recoveries.newest(session)
    since = None if newest is None else newest.remembers_until
    await send_list(session, node, Headline(closed.peer, resync_id, ResyncKind.ASK, since), now=now)
    await recoveries.set_asked(session, closed, resync_id, now=now)


@dataclass(frozen=True, slots=True)
class Headline:
    """For whom a list is, under which name, what for; `since`: the newest moment that the asking node remembers."""

    peer: str
    resync_id: UUID
    kind: ResyncKind
    since: datetime | None = None


async def send_list(session: Session, node: Node, head: Headline, *, now: datetime) -> None:
    """Queue an `ask` or an `answer`: all threads with this peer as they are here, in parts, each on both lanes."""
    parts = split_parts(await list_threads(session, head.peer, head.kind))
    for number, threads in enumerate(parts, start=1):
        for lane in Lane:
            body = ResyncBody(
                id=head.resync_id,
                kind=head.kind,
                lane=lane,
                part=number,
                parts=len(parts),
                since=head.since,
                threads=threads,
            )
            letter = Outgoing(head.peer, MessageType.RESYNC, write_body(body), lane=lane)
            await put(session, node, letter, now=now)


async def remind(session: Session, node: Node, closed: RecoveringPeer, *, now: datetime) -> bool:
    """Repeat the ask of a peer that has not answered, or ask anew one that did not bring us to an end.

    Returns whether anything became due. A silent peer's queue gets the same few messages ever more seldom.
    """
    if closed.asked_at is None:
        return False
    age = now - closed.asked_at
    if age >= ASK_AGAIN and await own_texts.heard_since(session, closed.peer, closed.asked_at):
        await ask_peer(session, node, closed, now=now)
        return True
    if closed.answered_at is not None:
        return False
    pause = max(REPEAT, age / SELDOM)
    return await own_texts.repeat_asks(session, closed.peer, confirmed_before=now - pause, now=now) > 0
