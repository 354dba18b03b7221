"""What a returned text of ours means beyond its number: an exchange we opened, a state we gave, acts we had judged."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import acts, exchanges, own_texts, recoveries, requests, resyncs
from app.db.exchanges import ExchangeRecord
from app.db.recoveries import LostItem
from app.db.resyncs import AdoptedFate, AdoptedState
from app.db.threads import ThreadKey
from app.domain.codes import Direction, Fate, IntakeState, MessageType
from app.domain.exchange.clocks import delivery_due
from app.domain.exchange.opening import dispatched
from app.domain.message_reading import read_body
from app.domain.messages import ActionBody, OpenBody, StateBody, write_body
from app.domain.resync import Lost
from app.errors import Malformed
from app.services.node import SYSTEM
from app.services.recovery.remember_file import remember_file
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.db.engine import Session
    from app.db.own_texts import OwnRow, OwnText
    from app.db.recoveries import Recovery
    from app.db.requests import RequestRecord
    from app.services.node import Node

SUPERSEDED = "superseded"

CARRIERS: Mapping[MessageType, type[OpenBody | ActionBody | StateBody]] = {
    MessageType.EXCHANGE_OPEN: OpenBody,
    MessageType.EXCHANGE_ACTION: ActionBody,
    MessageType.EXCHANGE_STATE: StateBody,
}
"""Messages that may name files."""

GRACE = timedelta(minutes=10)
"""How long after it is remembered an exchange is not called undeliverable: its states are on their way again."""


async def remember_effect(session: Session, node: Node, text: OwnText, recovery: Recovery, *, now: datetime) -> None:
    """Take from an adopted text what this node has to know again. The caller holds the lock of its thread.

    An act of the requesting side has none: who said it is not in the text, and its fate is in the other side's states.
    """
    listing = LostItem(recovery.id, text.peer, text.thread, text.seq, Lost.FILE, now)
    try:
        if await _names_lost_files(session, text, now=now):
            await recoveries.add_lost(session, listing)
        if text.type == MessageType.EXCHANGE_OPEN:
            await _remember_opening(session, node, text, recovery, now=now)
        elif text.type == MessageType.EXCHANGE_STATE:
            await _remember_state(session, text)
    except Malformed:
        await recoveries.add_lost(session, replace(listing, what=Lost.NOT_UNDERSTOOD))


async def end_superseded(session: Session, node: Node, row: OwnRow, recovery: Recovery, *, now: datetime) -> None:
    """List a message that lost its place, and end the act it carried: it never reached the other side as one."""
    thread = row.thread or ""
    await recoveries.add_lost(session, LostItem(recovery.id, row.peer, thread, row.seq, Lost.SUPERSEDED, now))
    ended = await acts.end(session, row.jti, fate=Fate.VOID, code=SUPERSEDED, now=now)
    record = None if ended is None else await exchanges.load(session, ended.exchange_id)
    if ended is None or record is None:
        return
    fate = Happening(
        kind="exchange",
        subject=record.value.id,
        event=f"{ended.action}_{Fate.VOID}",
        state=record.value.state,
        generation=record.value.generation,
        detail={"action": ended.action, "fate": Fate.VOID, "code": SUPERSEDED},
        for_agency=False,
        ids={"act_id": str(ended.id), "fate": str(Fate.VOID)},
    )
    await tell(session, node, fate, actor=SYSTEM, now=now)


async def _names_lost_files(session: Session, text: OwnText, *, now: datetime) -> bool:
    """Whether the text names a file of ours of which neither it nor its upload is here: lost with the database."""
    form = CARRIERS.get(MessageType(text.type)) if text.type in set(MessageType) else None
    named = () if form is None else read_body(form, json.loads(text.body)).body.attachments or ()
    return not all([await remember_file(session, text, one, now=now) for one in named])


async def _remember_state(session: Session, text: OwnText) -> None:
    """Keep the state until its thread opens, and each fate in it until the message that it is about comes again."""
    body = read_body(StateBody, json.loads(text.body)).body
    await resyncs.keep_state(session, AdoptedState(text.thread, text.peer, text.seq, text.body))
    fates = [AdoptedFate(text.peer, one.jti, text.thread, one.fate, one.code) for one in body.answers]
    await resyncs.add_fates(session, fates)


async def _remember_opening(session: Session, node: Node, text: OwnText, recovery: Recovery, *, now: datetime) -> None:
    """Have the exchange again, as it was dispatched; the peer's states bring it to where it is."""
    exchange_id = UUID(text.thread)
    body = read_body(OpenBody, json.loads(text.body)).body
    await own_texts.set_owner(session, ThreadKey(text.thread, text.peer), node.code)
    if await exchanges.load(session, exchange_id) is not None:
        return
    request = await _request_of(session, body, text.peer)
    value = dispatched(exchange_id, body, now=text.signed_at)
    record = ExchangeRecord(
        value=value,
        direction=Direction.OUTGOING,
        request_id=None if request is None else request.id,
        opening=write_body(body),
        not_understood=[],
        undeliverable=False,
        delivery_due_at=max(delivery_due(value), now + GRACE),
        due_at=None,
        created_at=text.signed_at,
    )
    await exchanges.add(session, record, now=now)
    if request is None:
        item = LostItem(recovery.id, text.peer, text.thread, text.seq, Lost.REQUEST_UNKNOWN, now)
        await recoveries.add_lost(session, item)
    else:
        await _mark_signed(session, node, request, exchange_id, now=now)
    recovered = Happening(
        kind="exchange",
        subject=exchange_id,
        event="recovered",
        state=value.state,
        generation=value.generation,
        agency_id=None if request is None else request.agency_id,
        detail={"requested": text.peer, "type": value.type},
        ids={"reference": value.request_reference},
    )
    await tell(session, node, recovered, actor=SYSTEM, now=now)


async def _request_of(session: Session, body: OpenBody, peer: str) -> RequestRecord | None:
    """The request at home that this opening was made from, if it was filed before the backup and not signed by then."""
    found = await requests.load(session, body.request_reference, for_update=True)
    if found is None or found.exchange_id is not None:
        return None
    return found if (found.requested, found.type) == (peer, body.type) else None


async def _mark_signed(
    session: Session, node: Node, request: RequestRecord, exchange_id: UUID, *, now: datetime
) -> None:
    """It has left the state already; nobody may send it a second time. Who signed it stands in what was lost."""
    signed = replace(
        request,
        state=IntakeState.SIGNED,
        generation=request.generation + 1,
        exchange_id=exchange_id,
        updated_at=now,
    )
    await requests.save(session, signed, read_generation=request.generation)
    recovered = Happening(
        kind="request",
        subject=request.id,
        event="recovered",
        state=signed.state,
        generation=signed.generation,
        agency_id=request.agency_id,
        ids={"reference": request.reference, "exchange_id": str(exchange_id)},
    )
    await tell(session, node, recovered, actor=SYSTEM, now=now)
