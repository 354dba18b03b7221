"""After a batch: the requested node answers the thread once, with the state and every fate in it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from app.db import exchanges, inbox, threads
from app.domain.codes import Direction, Fate, MessageType
from app.domain.exchange.opening import not_opened
from app.domain.message_reading import read_body
from app.domain.messages import OpenBody, write_body
from app.errors import Malformed
from app.services.inbound import read_kept
from app.services.open_exchange import incoming
from app.services.send import ATTACHMENT_THREAD
from app.services.send_state import send_state

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.exchanges import ExchangeRecord
    from app.db.threads import ThreadKey
    from app.services.node import Node


async def answer_thread(session: Session, node: Node, key: ThreadKey, now: datetime) -> None:
    """Queue one `exchange.state/1` if the thread is one that the peer opened towards us; else say nothing."""
    thread = await threads.load(session, key)
    if thread is None or thread.opened_by != key.peer or key.id.startswith(ATTACHMENT_THREAD):
        return
    record = await exchanges.load(session, UUID(key.id), for_update=True)
    if record is None:
        record = await _record_not_opened(session, node, key, now=now)
    if record is not None and record.direction is Direction.INCOMING:
        await send_state(session, node, record, now=now)


async def _record_not_opened(session: Session, node: Node, key: ThreadKey, *, now: datetime) -> ExchangeRecord | None:
    """An opening that expired, was voided or was refused leaves a CLOSED exchange, so that later acts find an end."""
    fates = await inbox.fates(session, key)
    opening = next((one for one in fates if one.type == MessageType.EXCHANGE_OPEN), None)
    if opening is None or opening.fate is Fate.APPLIED:
        return None
    (row,) = await inbox.find(session, [(key.peer, opening.jti)], [])
    try:
        body = read_body(OpenBody, read_kept(row).claims.body).body
    except Malformed:
        return None
    own = body.model_copy(update={"requesting": key.peer, "requested": node.code})
    value = not_opened(UUID(key.id), own, fate=opening.fate, now=now)
    record = incoming(value, write_body(own), now=now)
    await exchanges.add(session, record, now=now)
    return record
