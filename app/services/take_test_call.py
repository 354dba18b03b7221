"""`test-call/1` arrives: a call that a person here should answer, or the answer to one of ours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import test_calls
from app.db.test_calls import CallRecord
from app.domain.codes import Direction, Fate
from app.domain.message_reading import read_body
from app.domain.service_messages import CallBody, CallPart
from app.domain.test_calls import ANSWER_WITHIN
from app.services.call_to_test import tell_call
from app.services.inbound import Applied

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.services.inbound import Received
    from app.services.node import Node

UNKNOWN_CALL = Applied(Fate.REFUSED, "unknown_call")


async def take_test_call(session: Session, _node: Node, received: Received, now: datetime) -> Applied:
    """Show a call to the desk once; take an answer once. A late answer still says that somebody is there."""
    body = read_body(CallBody, received.body).body
    if body.part is CallPart.ANSWER:
        return await _take_answer(session, received, body, now=now)
    # Not the caller's own clock where it is ahead of ours: it would stand before all others in the list.
    at = min(body.at, received.received_at)
    call = CallRecord(
        id=body.call_id,
        peer=received.peer,
        direction=Direction.INCOMING,
        kind=body.kind,
        note=body.note,
        planned_at=at,
        called_at=received.received_at,
        due_at=at + ANSWER_WITHIN[body.kind],
    )
    if await test_calls.add(session, call):
        await tell_call(session, call, "test_call", now=now)
    return Applied(Fate.APPLIED)


async def _take_answer(session: Session, received: Received, body: CallBody, *, now: datetime) -> Applied:
    call = await test_calls.load(
        session, body.call_id, direction=Direction.OUTGOING, peer=received.peer, for_update=True
    )
    if call is None or call.called_at is None:
        return UNKNOWN_CALL
    if call.answered_at is None:
        answered = replace(call, answered_at=received.received_at)
        await test_calls.save(session, answered)
        await tell_call(session, answered, "test_call_answered", now=now)
    return Applied(Fate.APPLIED)
