"""A `resync/1` arrives: its part is kept until the whole list is there on both lanes. The loop does the rest.

The effect itself touches no thread and no text, so it keeps nobody waiting, however long the list is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import recoveries, resyncs
from app.db.resyncs import ListKey, Part
from app.domain.codes import Fate, ResyncKind
from app.domain.delivery_messages import ResyncBody
from app.domain.message_reading import read_body
from app.domain.messages import write_body
from app.envelope.canonical import canonical
from app.services.inbound import Applied

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.services.inbound import Received
    from app.services.node import Node

MAX_UNFINISHED = 4
"""Lists of one kind that a peer may have begun and not completed; beginning a further one drops the oldest."""

WRONG_LANE = "wrong_lane"
MALFORMED = "malformed"


async def take_list(session: Session, _node: Node, received: Received, now: datetime) -> Applied:
    """Keep one part. Stale: of a list that was dealt with, or an answer to what we do not ask any more."""
    body = read_body(ResyncBody, received.body).body
    if body.lane is not received.lane:
        return Applied(Fate.REFUSED, WRONG_LANE)
    if body.part > body.parts or (body.kind is ResyncKind.WANT and body.parts != 1):
        return Applied(Fate.REFUSED, MALFORMED)
    key = ListKey(received.peer, body.id, body.kind)
    if body.kind is ResyncKind.ANSWER:
        closed = await recoveries.find_closed(session, received.peer)
        if closed is None or closed.resync_id != body.id:
            return Applied(Fate.STALE)
    elif await resyncs.was_answered(session, key):
        return Applied(Fate.STALE)
    waiting = await resyncs.unanswered(session, peer=received.peer, kind=body.kind)
    if key not in waiting:
        await resyncs.drop(session, waiting[: max(0, len(waiting) - MAX_UNFINISHED + 1)])
    part = Part(body.lane, body.part, body.parts, canonical(write_body(body)))
    await resyncs.add_part(session, key, part, now=now)
    return Applied(Fate.APPLIED)
