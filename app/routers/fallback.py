"""When a request cannot be delivered: what this node states about it, and how to pass it by voice (ruling 15)."""

from __future__ import annotations

import json
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from app.db import statements
from app.db.exchanges import ExchangeRecord
from app.db.statements import Attempts, Statement
from app.db.tables_evidence import StatementKind
from app.domain.codes import Direction, RequestType, State
from app.domain.fallback import Attendance, Reach, check_of, groups_of, how_to_reach
from app.domain.moments import write_instant
from app.envelope.format import decode_part
from app.errors import Unknown
from app.routers import fallback_operations as told
from app.routers.answers import NO_STORE, answer_json
from app.routers.deps import DESK, Command, Commanding, require_role
from app.routers.exchanges import find_exchange
from app.routers.fallback_operations import (
    CalledView,
    EscalationView,
    PhoneView,
    SendingView,
    SheetView,
    StatementView,
)
from app.routers.reading import remember_reading

router = APIRouter()

TEXT = "text/plain"

Format = Annotated[
    Literal["json", "text"] | None, Query(description="`text` is for printing; without it the Accept header decides.")
]
Accept = Annotated[str | None, Header(include_in_schema=False)]

MAY_BE_SAID = (
    "the two contact points, the exchange id and its check digits",
    "the type of request and its tier",
    "when the data will be lost, if that is known",
    "how and when you can be called back, on a number of the directory",
)
NOT_TO_BE_SAID = (
    "who and what the request is about, beyond what keeps data from being lost or a person from harm",
    "anything at all to somebody whom you have not called on a number of the directory",
)


@router.get("/v1/exchanges/{exchange_id}/statements", **told.STATEMENTS.route())
async def read_statements(command: Commanding, exchange_id: str) -> Response:
    """What this node has stated about the exchange under the key that signs its envelopes.

    `jws` is the statement; `content` is the same, decoded for reading. Whoever has the directory can verify it.
    """
    require_role(command.actor, *DESK)
    record = await find_exchange(command, exchange_id)
    await remember_reading(command, record.value.id)
    found = await statements.of_exchange(command.session, record.value.id)
    return answer_json(200, {"data": [_statement(one).model_dump(mode="json") for one in found], "next": None})


@router.get("/v1/exchanges/{exchange_id}/fallback-sheet", **told.SHEET.route())
async def read_sheet(
    command: Commanding,
    exchange_id: str,
    form: Annotated[Format, Query(alias="format")] = None,
    accept: Accept = None,
) -> Response:
    """Whom to call at the other contact point at this moment, what to say, and what to have noted there."""
    require_role(command.actor, *DESK)
    record = await find_exchange(command, exchange_id)
    await remember_reading(command, record.value.id)
    sheet = await _sheet(command, record)
    if form == "text" or (form is None and accept is not None and accept.startswith(TEXT)):
        return Response(as_text(sheet), headers=NO_STORE, media_type=f"{TEXT}; charset=utf-8")
    return answer_json(200, sheet)


def _statement(one: Statement) -> StatementView:
    content = json.loads(decode_part(one.jws.split(".")[1]))
    return StatementView(id=one.id, kind=StatementKind(one.kind), made_at=one.made_at, jws=one.jws, content=content)


async def _sheet(command: Command, record: ExchangeRecord) -> SheetView:
    value = record.value
    point = command.node.directory.point(record.peer)
    if point is None:
        raise Unknown("not_found", "The directory has no entry of that contact point any more.")
    reach = how_to_reach(point, now=command.now)
    outgoing = record.direction is Direction.OUTGOING
    attempts = await statements.attempts_to_open(command.session, value.id) if outgoing else None
    groups, check = groups_of(value.id), check_of(value.id)
    return SheetView(
        exchange_id=value.id,
        groups=list(groups),
        check=check,
        type=value.type,
        tier=value.tier,
        lost_by=_lost_by(record),
        made_at=command.now,
        sending=None if attempts is None else _sending(attempts),
        call=_called(reach),
        say=_say(record, groups=groups, check=check),
        may_be_said=list(MAY_BE_SAID),
        not_to_be_said=list(NOT_TO_BE_SAID),
        note=_note(value.id, value.type, command.node.code, check) if outgoing else None,
    )


def _lost_by(record: ExchangeRecord) -> str | None:
    """When the data will be lost, as the document says; the document is shown as it was signed."""
    document = record.opening.get("document")
    necessity = document.get("necessity") if isinstance(document, dict) else None
    found = necessity.get("expected_loss_at") if isinstance(necessity, dict) else None
    return found if isinstance(found, str) else None


def _sending(attempts: Attempts) -> SendingView:
    newest = attempts.copies[-1] if attempts.copies else None
    return SendingView(
        queued_at=attempts.queued_at,
        copies=attempts.in_all,
        last_copy_at=None if newest is None else newest.began_at,
        last_copy_confirmed=newest is not None and newest.confirmed_at is not None,
    )


def _called(reach: Reach) -> CalledView:
    return CalledView(
        code=reach.code,
        country=reach.country,
        agency=reach.agency,
        ask_for=reach.ask_for,
        call_back_minutes=reach.call_back_minutes,
        phones=[PhoneView(number=one.number, label=one.label, languages=list(one.languages)) for one in reach.phones],
        spoken=list(reach.spoken),
        time_zone=reach.time_zone,
        local_time=reach.local_time.isoformat(timespec="minutes"),
        attendance=reach.attendance,
        hours=list(reach.hours),
        escalation=[EscalationView(role=one.role, phone=one.phone, email=one.email) for one in reach.escalation],
        emails=list(reach.emails),
        fax=list(reach.fax),
    )


def _say(record: ExchangeRecord, *, groups: tuple[str, ...], check: str) -> list[str]:
    value = record.value
    ours = record.direction is Direction.OUTGOING
    own, other = (value.requesting, value.requested) if ours else (value.requested, value.requesting)
    return [
        f"This is the contact point {own}, calling the contact point {other}.",
        _why(value.state, ours=ours),
        f"Its id, in eight groups: {', '.join(groups)}. The check digits are {check}.",
        f"It is of type {value.type} and tier {value.tier}.",
        "Please read the id and the check digits back to me.",
    ]


def _why(state: State, *, ours: bool) -> str:
    if not ours:
        return "This is about a request of yours that we have."
    if state is State.DISPATCHED:
        return "We have a signed request for you that your node has not confirmed. It goes on being sent."
    if state is State.DELIVERED:
        return "Your node has a signed request of ours, and no person at your desk has acknowledged it."
    return "This is about a request of ours that you have."


def _note(exchange_id: UUID, kind: RequestType, requesting: str, check: str) -> dict[str, object]:
    """What their duty officer writes into their own node: the signed request attaches to it when it arrives."""
    return {
        "method": "POST",
        "path": "/v1/exchanges",
        "body": {
            "exchange_id": str(exchange_id),
            "check": check,
            "requesting": requesting,
            "type": kind.value,
            "noted": "Who called, when, on which number they were called back, and what they asked for.",
        },
    }


def as_text(sheet: SheetView) -> str:
    """The sheet as one page to print or read from."""
    call = sheet.call
    attended = "staffed now" if call.attendance is Attendance.STAFFED else "on call now"
    lines = [
        f"EXCHANGE  {' '.join(sheet.groups)}  check {sheet.check}",
        f"          {sheet.type}, {sheet.tier}" + (f", data lost by {sheet.lost_by}" if sheet.lost_by else ""),
        "",
        f"CALL      {call.code} {call.country}: {call.agency}",
        f"          local time there {call.local_time} ({call.time_zone}), {attended}",
        *(f"          {one.number}  {one.label} ({', '.join(one.languages)})" for one in call.phones),
        *([f"          ask for: {call.ask_for}"] if call.ask_for else []),
        *([f"          they call back within {call.call_back_minutes} minutes"] if call.call_back_minutes else []),
        *(f"          {hours}" for hours in call.hours),
        *(f"ESCALATE  {one.phone}  {one.role}" for one in call.escalation),
        "",
        *(f"SAY       {line}" for line in sheet.say),
        "",
        *(f"MAY BE SAID      {line}" for line in sheet.may_be_said),
        *(f"NOT TO BE SAID   {line}" for line in sheet.not_to_be_said),
    ]
    if sheet.note is not None:
        lines += ["", "TO BE NOTED at their own node:", f"{sheet.note['method']} {sheet.note['path']}"]
        lines += [json.dumps(sheet.note["body"], indent=2)]
    if sheet.sending is not None:
        lines += ["", f"SENT      {sheet.sending.copies} copies since {write_instant(sheet.sending.queued_at)}"]
    return "\n".join(lines) + "\n"
