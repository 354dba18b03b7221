"""A person of this desk answers a test call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import test_calls
from app.domain.codes import Direction, Lane, MessageType
from app.domain.messages import write_body
from app.domain.moments import to_milliseconds
from app.domain.service_messages import CallBody, CallPart
from app.errors import Conflict, Unknown
from app.services.call_to_test import tell_call
from app.services.record import record
from app.services.recovery.closed import refuse_closed
from app.services.send import Outgoing, put

if TYPE_CHECKING:
    from uuid import UUID

    from app.db.test_calls import CallRecord
    from app.services.node import Acting


async def waiting_call(acting: Acting, call_id: UUID) -> CallRecord:
    """A call to this desk, locked.

    Raises Unknown; Unavailable `recovering` while its caller is closed; Conflict `action_not_allowed` once answered.
    """
    call = await test_calls.load(acting.session, call_id, direction=Direction.INCOMING, for_update=True)
    if call is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    await refuse_closed(acting.session, acting.node, call.peer)
    if call.answered_at is not None:
        raise Conflict("action_not_allowed", "This test call has been answered.")
    return call


async def answer_test_call(acting: Acting, call: CallRecord) -> CallRecord:
    """Send the answer to a locked call, also a late one; that this person gave it is a fact."""
    body = CallBody(call_id=call.id, kind=call.kind, part=CallPart.ANSWER, at=to_milliseconds(acting.now))
    letter = Outgoing(call.peer, MessageType.TEST_CALL, write_body(body), lane=Lane.URGENT)
    await put(acting.session, acting.node, letter, now=acting.now)
    answered = replace(call, answered_at=acting.now, answered_by=acting.actor.person_id)
    await test_calls.save(acting.session, answered)
    said = {"kind": call.kind, "act": "answered"}
    fact = Fact(FactType.OPERATOR_ACTION, peer=call.peer, contents={"test_call": said})
    await record(acting.session, acting.node, fact, actor=acting.actor, now=acting.now)
    await tell_call(acting.session, answered, "test_call_answered", now=acting.now)
    return answered
