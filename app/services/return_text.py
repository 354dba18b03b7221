"""Give a peer back the text it had signed first, when it has signed another one in its place (ruling 11)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.db import returned_texts
from app.domain.codes import CopyReason, MessageType
from app.domain.delivery_messages import MAX_TEXT_CHARACTERS, ResyncCopyBody
from app.domain.messages import write_body
from app.services.send import Outgoing, put

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.inbox import Stored
    from app.domain.codes import Lane
    from app.services.node import Node

SELDOM = timedelta(hours=1)
"""Between two returns of the same text: a peer that contradicts itself again and again is not answered each time."""

NOT_RETURNED = frozenset({MessageType.RECEIPT, MessageType.HEARTBEAT})
"""Types whose first text is of no use to anybody."""


async def return_text(session: Session, node: Node, first: Stored, *, lane: Lane, now: datetime) -> bool:
    """Queue `first` as `resync.copy/1` to the peer that signed it, unless it has got it within the last hour.

    From it a peer that was restored from a backup learns what it does not remember. Returns whether it was queued.
    """
    if first.type in NOT_RETURNED or len(first.jws) > MAX_TEXT_CHARACTERS:
        return False
    if not await returned_texts.take_turn(session, first.iss, first.inner_hash, not_since=now - SELDOM, now=now):
        return False
    body = write_body(ResyncCopyBody(reason=CopyReason.EQUIVOCATION, text=first.jws))
    await put(session, node, Outgoing(first.iss, MessageType.RESYNC_COPY, body, lane=lane), now=now)
    return True
