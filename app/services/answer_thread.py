"""After a batch: the requested node answers the thread once, with the state and every fate in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import exchanges, inbox, threads
from app.domain.codes import Direction, Fate, MessageType, RequestType, Tier
from app.domain.exchange.opening import not_opened
from app.domain.message_reading import read_body
from app.domain.messages import OpenBody, write_body
from app.domain.wire import MAX_LINE
from app.errors import Malformed
from app.services.inbound import read_kept
from app.services.look_ahead import look_ahead
from app.services.node import SYSTEM
from app.services.open_exchange import incoming
from app.services.send import ATTACHMENT_THREAD
from app.services.send_state import send_state
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.exchanges import ExchangeRecord
    from app.db.threads import Thread, ThreadKey
    from app.services.node import Node

UNNAMED = "ZZ"
"""In the place of the two codes, which are those of the thread and not what a text says."""


async def answer_thread(session: Session, node: Node, key: ThreadKey, now: datetime) -> None:
    """Queue one `exchange.state/1` if the thread is one that the peer opened towards us, or tried to; else say nothing.

    An opening that was refused because its id is another peer's is answered in its own thread, from what its sender
    wrote and nothing else: neither that there is an exchange of that id nor anything about it is told.
    """
    thread = await threads.load(session, key)
    if thread is None or thread.opened_by not in {None, key.peer} or key.id.startswith(ATTACHMENT_THREAD):
        return
    stored = await exchanges.load(session, UUID(key.id), for_update=True)
    if stored is not None and stored.direction is Direction.INCOMING and stored.value.requesting == key.peer:
        await send_state(session, node, await _as_marked(session, thread, stored, now=now), now=now)
        return
    record = await _never_opened(session, node, key, now=now)
    if record is None:
        return
    if stored is None and not await threads.belongs_elsewhere(session, key):
        await exchanges.add(session, record, now=now)
    elif stored is not None:
        await _tell_refused(session, node, (stored, thread), now=now)
    await send_state(session, node, record, now=now)


async def _as_marked(session: Session, thread: Thread, stored: ExchangeRecord, *, now: datetime) -> ExchangeRecord:
    """Take the mark of a waiting withdrawal away when none waits any more and none was judged: officers ended it."""
    if not stored.value.private.withdrawal_waiting:
        return stored
    ahead = await look_ahead(session, thread.key, seq=thread.consumed_in)
    if ahead.waits or ahead.withdraw is not None:
        return stored
    value = replace(stored.value, private=replace(stored.value.private, withdrawal_waiting=False))
    unmarked = replace(stored, value=value)
    await exchanges.save(session, unmarked, read_generation=value.generation, now=now)
    return unmarked


async def _never_opened(session: ReadSession, node: Node, key: ThreadKey, *, now: datetime) -> ExchangeRecord | None:
    """An opening that expired, was voided or was refused leaves a CLOSED exchange, so that later acts find an end."""
    fates = await inbox.fates(session, key)
    opening = next((one for one in fates if one.type == MessageType.EXCHANGE_OPEN), None)
    if opening is None or opening.fate is Fate.APPLIED:
        return None
    (row,) = await inbox.find(session, [(key.peer, opening.jti)], [])
    claims = read_kept(row).claims
    try:
        body = read_body(OpenBody, claims.body).body
    except Malformed:
        salvaged = _salvage(claims.body, at=claims.issued_at)
        if salvaged is None:
            return None
        body = salvaged
    own = body.model_copy(update={"requesting": key.peer, "requested": node.code})
    value = not_opened(UUID(key.id), own, fate=opening.fate, now=now)
    return incoming(value, write_body(own), now=now)


def _salvage(raw: Mapping[str, Any], *, at: datetime) -> OpenBody | None:
    """What its sender needs in an answer to an opening that officers ended because nobody here could read it.

    None if even the type of the request is not known here: no snapshot can speak of it.
    """
    tier, reference = raw.get("tier"), raw.get("request_reference")
    try:
        return OpenBody(
            type=RequestType(str(raw.get("type"))),
            tier=Tier(tier) if isinstance(tier, str) and tier in set(Tier) else Tier.ROUTINE,
            requesting=UNNAMED,
            requested=UNNAMED,
            request_reference=reference[:MAX_LINE] if isinstance(reference, str) else "",
            opened_at=at,
            document={},
        )
    except ValueError:
        return None


async def _tell_refused(session: Session, node: Node, found: tuple[ExchangeRecord, Thread], *, now: datetime) -> None:
    """Tell our own desk, once: a call noted under the wrong code is found out when the real opening comes."""
    stored, thread = found
    if thread.next_out > 1:
        return
    refused = Happening(
        kind="exchange",
        subject=stored.value.id,
        event="opening_refused",
        state=stored.value.state,
        generation=stored.value.generation,
        detail={"from": thread.key.peer},
        for_agency=False,
    )
    await tell(session, node, refused, actor=SYSTEM, now=now)
