"""A request passed by voice is noted at the requested node before its opening arrives (ruling 15)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from pydantic import StringConstraints

from app.db import exchanges, resyncs, threads
from app.db.threads import NewThread, ThreadKey
from app.domain.codes import Lane, RequestType
from app.domain.exchange.judging import awaiting_withdrawal
from app.domain.exchange.opening import Call, note_again, note_call
from app.domain.exchange.values import TERMINAL
from app.domain.fallback import check_of
from app.domain.request_types import REQUEST_KINDS, Opening
from app.domain.tiers import lane_of
from app.domain.wire import Closed, Code, Text
from app.errors import Conflict, FieldError, Refused
from app.services.look_ahead import look_ahead
from app.services.node import SYSTEM
from app.services.open_exchange import incoming
from app.services.recovery.restate import remembered
from app.services.send import move_lane
from app.services.send_state import send_state
from app.services.tell import Happening, tell
from app.services.warn_of_withdrawal import withdrawal_waits

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.exchanges import ExchangeRecord
    from app.db.threads import Thread
    from app.domain.exchange.values import Exchange
    from app.services.node import Actor, Node


class NotedCall(Closed):
    """What the caller said: the id printed on their sheet with its two check digits, who they are, what they ask."""

    exchange_id: UUID
    check: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")] | None = None
    requesting: Code
    type: RequestType
    noted: Text


async def note_exchange(
    session: Session, node: Node, call: NotedCall, *, actor: Actor, now: datetime
) -> ExchangeRecord:
    """Begin the exchange as DELIVERED, marked `noted`; raises Refused for an unknown state, Conflict if it exists.

    Check digits that were given must be those of the id: one that was misheard would wait for its opening for ever.
    """
    _check(node, call)
    key = ThreadKey(str(call.exchange_id), call.requesting)
    # The thread row first: whoever else notes or opens this exchange at this moment waits here, then finds it there.
    await threads.ensure(session, [NewThread(key, call.exchange_id, None, Lane.URGENT)], now=now)
    thread = (await threads.lock(session, [key]))[key]
    if await _is_there(session, key):
        raise Conflict("exchange_exists", "There is an exchange of that id already.")
    noted = Call(call.exchange_id, call.requesting, node.code, call.type, call.noted)
    value = await _begin(session, thread, noted, now)
    record = incoming(value, {}, now=now)
    await exchanges.add(session, record, now=now)
    await threads.move(session, [replace(thread, opened_by=call.requesting)])
    # The thread may be older than the note, and slower: something of it came while it was nobody's exchange.
    await move_lane(session, call.exchange_id, lane_of(record.value.tier), now=now)
    await send_state(session, node, record, now=now)
    happened = Happening(
        kind="exchange",
        subject=record.value.id,
        event="noted",
        state=record.value.state,
        generation=record.value.generation,
        detail={"requesting": call.requesting, "type": call.type},
        for_agency=False,
    )
    await tell(session, node, happened, actor=actor, now=now)
    if value.private.withdrawal_waiting:
        await tell(session, node, withdrawal_waits(value), actor=SYSTEM, now=now)
    return record


async def _is_there(session: ReadSession, key: ThreadKey) -> bool:
    known = await exchanges.load(session, UUID(key.id)) is not None
    return (
        known
        or await threads.belongs_elsewhere(session, key)
        or await resyncs.speaks_to_another(session, key.id, key.peer)
    )


async def _begin(session: Session, thread: Thread, call: Call, now: datetime) -> Exchange:
    """A new exchange; or one that a restore has left without its opening, as our own returned states have it.

    A verified `withdraw` or `stop` that came before the call and waits for the opening blocks it from the first moment.
    """
    known = await remembered(session, thread.key, now=now)
    value = note_call(call, now=now) if known is None else note_again(known, call, now=now)
    ahead = await look_ahead(session, thread.key, seq=thread.consumed_in)
    waits = (ahead.waits or ahead.withdraw is not None) and value.state not in TERMINAL
    return awaiting_withdrawal(value) if waits else value


def _check(node: Node, call: NotedCall) -> None:
    if REQUEST_KINDS[call.type].opening is not Opening.REQUEST:
        fault = FieldError("/type", "not_a_request", "This is an act or a test call, no exchange of its own.")
        raise Refused("not_a_request", "This cannot be noted.", errors=(fault,))
    if call.requesting == node.code or node.directory.point(call.requesting) is None:
        fault = FieldError("/requesting", "unknown_contact_point", "No other contact point has that code.")
        raise Refused("document_invalid", "The body breaks the rules listed in errors.", errors=(fault,))
    if call.check is not None and call.check != check_of(call.exchange_id):
        fault = FieldError("/check", "check_wrong", "These are not the check digits of that id: have it read again.")
        raise Refused("document_invalid", "The body breaks the rules listed in errors.", errors=(fault,))
