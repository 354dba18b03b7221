"""A request passed by voice is noted at the requested node before its opening arrives (ruling 15)."""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from pydantic import StringConstraints

from app.db import exchanges, threads
from app.db.threads import NewThread, ThreadKey
from app.domain.codes import RequestType
from app.domain.exchange.opening import Call, note_call
from app.domain.fallback import check_of
from app.domain.request_types import REQUEST_KINDS, Opening
from app.domain.tiers import lane_of
from app.domain.wire import Closed, Code, Text
from app.errors import Conflict, FieldError, Refused
from app.services.open_exchange import incoming
from app.services.send import move_lane
from app.services.send_state import send_state
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.exchanges import ExchangeRecord
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
    noted = Call(call.exchange_id, call.requesting, node.code, call.type, call.noted)
    record = incoming(note_call(noted, now=now), {}, now=now)
    # The thread row first: whoever else notes or opens this exchange at this moment waits here, then finds it there.
    await threads.ensure(session, [NewThread(key, call.exchange_id, None, lane_of(record.value.tier))], now=now)
    locked = await threads.lock(session, [key])
    if await exchanges.load(session, call.exchange_id) is not None or await threads.belongs_elsewhere(session, key):
        raise Conflict("exchange_exists", "There is an exchange of that id already.")
    await threads.move(session, [replace(locked[key], opened_by=call.requesting)])
    await exchanges.add(session, record, now=now)
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
    return record


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
