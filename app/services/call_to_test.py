"""A contact point is called to see whether somebody answers: now, at a moment, or some night."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import test_calls
from app.db.test_calls import CallRecord
from app.domain.codes import Direction, Lane, MessageType
from app.domain.messages import write_body
from app.domain.moments import to_milliseconds
from app.domain.service_messages import CallBody, CallKind, CallPart
from app.domain.test_calls import ANSWER_WITHIN, MOST_AHEAD
from app.errors import FieldError, Refused, Unknown
from app.services.announce import Event, announce
from app.services.identifiers import new_id
from app.services.record import record
from app.services.recovery.closed import refuse_closed
from app.services.send import Outgoing, put

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.services.node import Acting, Node


@dataclass(frozen=True, slots=True)
class Planned:
    """Whom to call, how, and when; `note` is what the other desk reads."""

    peer: str
    kind: CallKind
    at: datetime
    note: str | None = None


async def call_to_test(acting: Acting, planned: Planned) -> CallRecord:
    """Note the call and, if its moment has come, make it.

    Raises Unknown for a code the directory does not have; Unavailable `recovering` for a peer that is closed; Refused
    `too_far_ahead`.
    """
    if acting.node.directory.point(planned.peer) is None or planned.peer == acting.node.code:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    await refuse_closed(acting.session, acting.node, planned.peer)
    if planned.at > acting.now + MOST_AHEAD:
        wrong = FieldError("/planned_at", "too_far_ahead", f"At most {MOST_AHEAD.days} days from now.")
        raise Refused("too_far_ahead", "This test call is planned too far ahead.", errors=(wrong,))
    call = CallRecord(new_id(), planned.peer, Direction.OUTGOING, planned.kind, planned.note, planned.at)
    await test_calls.plan(acting.session, call)
    said = {"kind": call.kind, "planned_at": call.planned_at.isoformat()}
    fact = Fact(FactType.OPERATOR_ACTION, peer=call.peer, contents={"test_call": said})
    await record(acting.session, acting.node, fact, actor=acting.actor, now=acting.now)
    if planned.at > acting.now:
        return call
    return await make_call(acting.session, acting.node, call, now=acting.now)


async def make_call(session: Session, node: Node, call: CallRecord, *, now: datetime) -> CallRecord:
    """Queue `test-call/1` on the urgent lane; it means nothing any more once the time to answer is over."""
    due_at = now + ANSWER_WITHIN[call.kind]
    body = CallBody(call_id=call.id, kind=call.kind, part=CallPart.CALL, at=to_milliseconds(now), note=call.note)
    letter = Outgoing(call.peer, MessageType.TEST_CALL, write_body(body), exp=due_at, lane=Lane.URGENT)
    await put(session, node, letter, now=now)
    made = replace(call, called_at=now, due_at=due_at)
    await test_calls.save(session, made)
    await tell_call(session, made, "test_call_made", now=now)
    return made


async def tell_call(session: Session, call: CallRecord, what: str, *, now: datetime) -> None:
    """Tell the feed what became of a call; it is about the contact point, and nothing of a case."""
    event = Event(
        f"contact_point.{what}",
        "contact_point",
        call.peer,
        None,
        {"call_id": str(call.id), "kind": call.kind, "direction": call.direction},
    )
    await announce(session, event, now=now)
