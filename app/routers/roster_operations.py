"""How the routes of the roster describe themselves."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from app.domain.contact_points import TimeZone
from app.domain.moments import Instant
from app.domain.roster import DutyRecord, Mode
from app.domain.wire import Generation, ShortText
from app.routers.examples import EXCHANGE_ID
from app.routers.models import Document, Listed
from app.routers.operations import (
    ACTION_NOT_ALLOWED,
    ROLE_NOT_ALLOWED,
    STALE_GENERATION,
    Answered,
    Fault,
    JsonBody,
    Operation,
    Tag,
)
from app.routers.roster_views import DutyPersonView, HandoverView, RosterView, ShiftInFull, ShiftView

MOST_SHIFTS = 200
"""In one command: three months of two shifts a day."""

AnyId = Annotated[UUID, Field(strict=False)]


class NewShift(Document):
    """A shift. Without `time_zone`, that of the contact point; `call_back` is for switchboards."""

    starts_at: Instant
    ends_at: Instant
    time_zone: TimeZone | None = None
    mode: Annotated[Mode, Field(strict=False)]
    primary: AnyId
    secondary: AnyId
    supervisor: AnyId
    call_back: AnyId | None = None


class NewShifts(Document):
    """Shifts that are entered together, or not at all."""

    shifts: Annotated[list[NewShift], Field(min_length=1, max_length=MOST_SHIFTS)]


class ChangeShift(Document):
    """Another plan in the place of the one that was read."""

    action: Literal["change"]
    generation: Generation
    shift: NewShift
    reason: ShortText


class WithdrawShift(Document):
    """The shift will not be."""

    action: Literal["withdraw"]
    generation: Generation
    reason: ShortText


class NoteHandover(Document):
    """A note for whoever leads this shift."""

    action: Literal["note"]
    generation: Generation | None = None
    text: ShortText


class ConfirmHandover(Document):
    """I have read the list of this digest and take the shift over."""

    action: Literal["confirm"]
    generation: Generation | None = None
    digest: Annotated[str, Field(min_length=43, max_length=43, pattern="^[A-Za-z0-9_-]+$")]
    text: ShortText | None = None


class DescribePerson(Document):
    """What is known of a person, in the place of what was; `generation` 0 before the first time."""

    action: Literal["describe"]
    generation: Generation
    record: DutyRecord


AnyShiftAct = ChangeShift | WithdrawShift | NoteHandover | ConfirmHandover
SHIFT_ACT: TypeAdapter[AnyShiftAct] = TypeAdapter(Annotated[AnyShiftAct, Field(discriminator="action")])
SHIFT_ACTS = frozenset({"change", "withdraw", "note", "confirm"})
OF_SUPERVISORS = frozenset({"change", "withdraw"})
PERSON_ACT: TypeAdapter[DescribePerson] = TypeAdapter(DescribePerson)

SHIFT_ID = "01935041-2a52-7c1e-9d0b-3f3c6f6b2f51"
ANNA, BEN, SUE = (f"01935040-7a52-7c1e-9d0b-3f3c6f6b2f6{number}" for number in (1, 2, 3))
PLAN: dict[str, Any] = {
    "starts_at": "2026-11-22T19:00:00Z",
    "ends_at": "2026-11-23T07:00:00Z",
    "time_zone": "Europe/Rome",
    "mode": "STAFFED",
    "primary": ANNA,
    "secondary": BEN,
    "supervisor": SUE,
}
RECORD: dict[str, Any] = {
    "reads": ["fr", "en"],
    "training": [
        {
            "course": "First responder, electronic evidence",
            "provider": "National police academy (ECTEG package)",
            "level": "basic",
            "completed_on": "2025-03-14",
            "expires_on": "2028-03-13",
        }
    ],
    "phone": "+99900555017",
    "mail": "anna@desk.xa.example",
}


def _person(position: str, person_id: str, name: str) -> dict[str, Any]:
    return {
        "position": position,
        "person_id": person_id,
        "name": name,
        "reads": RECORD["reads"],
        "qualified_until": "2028-03-13T23:00:00.000Z",
        "phone": RECORD["phone"],
        "mail": RECORD["mail"],
    }


SHIFT: dict[str, Any] = {
    "id": SHIFT_ID,
    "generation": 1,
    "starts_at": "2026-11-22T19:00:00.000Z",
    "ends_at": "2026-11-23T07:00:00.000Z",
    "time_zone": "Europe/Rome",
    "local_start": "2026-11-22T20:00+01:00",
    "local_end": "2026-11-23T08:00+01:00",
    "hours": 12.0,
    "mode": "STAFFED",
    "people": [
        _person("primary", ANNA, "Duty officer 1"),
        _person("secondary", BEN, "Duty officer 2"),
        _person("supervisor", SUE, "Supervisor 1"),
    ],
    "languages": ["en", "fr"],
    "qualified_until": "2028-03-13T23:00:00.000Z",
    "withdrawn": False,
    "reason": None,
    "entered_at": "2026-11-20T08:00:00.000Z",
    "entered_by": SUE,
    "allowed_actions": ["change", "withdraw", "note"],
}
HANDOVER: dict[str, Any] = {
    "shift_id": SHIFT_ID,
    "needed": True,
    "listed": [
        {
            "kind": "exchange",
            "id": EXCHANGE_ID,
            "exchange_id": EXCHANGE_ID,
            "reference": "XA-2026-7K3QF9D",
            "type": "PRESERVATION",
            "direction": "outgoing",
            "peer": "XT",
            "tier": "URGENT",
            "state": "DELIVERED",
            "ends_at": None,
        }
    ],
    "digest": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
    "notes": [
        {"at": "2026-11-22T18:40:00.000Z", "person_id": BEN, "name": "Duty officer 2", "text": "XT calls at 21."}
    ],
    "confirmed_at": None,
    "confirmed_by": None,
    "remark": None,
}
PERSON: dict[str, Any] = {
    "person_id": ANNA,
    "name": "Duty officer 1",
    "role": "duty_officer",
    "generation": 1,
    **RECORD,
    "allowed_actions": ["describe"],
}
STANDING: dict[str, Any] = {
    "time": "2026-11-22T20:00:00.000Z",
    "kept": True,
    "covered_until": "2026-12-04T07:00:00.000Z",
    "on_duty": SHIFT,
    "next": None,
    "second_contact": {"person_id": BEN, "name": "Duty officer 2", "default": None, "because": None},
    "handover_needed": True,
    "handover_confirmed": True,
    "findings": [
        {
            "rule": "roster_gap",
            "severity": "warning",
            "starts_at": "2026-12-04T07:00:00.000Z",
            "ends_at": "2026-12-20T20:00:00.000Z",
            "shift": None,
        }
    ],
}
SHIFT_INVALID = Fault("shift_invalid", 422, "A shift breaks the rules listed in errors.")
NOT_YOUR_SHIFT = Fault("not_your_shift", 403, "Only the officers of a shift take it over.")

READ = Operation(
    "readRoster",
    Tag.ROSTER,
    "Who is on duty, and what is wrong with the roster",
    {200: Answered("At this moment.", RosterView, {"runs_out": STANDING})},
    errors=(ROLE_NOT_ALLOWED,),
)
ON_DUTY = Operation(
    "listOnDuty",
    Tag.ROSTER,
    "Who was on duty at an instant",
    {200: Answered("As it was planned then.", Listed[ShiftView], {"one": {"data": [SHIFT], "next": None}})},
    errors=(ROLE_NOT_ALLOWED,),
)
LIST = Operation(
    "listShifts",
    Tag.ROSTER,
    "List shifts",
    {200: Answered("In the order in which they begin.", Listed[ShiftView], {"one": {"data": [SHIFT], "next": None}})},
    errors=(ROLE_NOT_ALLOWED,),
)
ENTER = Operation(
    "enterShifts",
    Tag.ROSTER,
    "Enter shifts",
    {201: Answered("All of them.", Listed[ShiftView], {"one": {"data": [SHIFT], "next": None}})},
    errors=(ROLE_NOT_ALLOWED, SHIFT_INVALID),
    body=JsonBody(NewShifts, {"one_night": {"shifts": [PLAN]}}),
    acts=True,
)
READ_SHIFT = Operation(
    "readShift",
    Tag.ROSTER,
    "Read a shift with its history",
    {200: Answered("All its versions.", ShiftInFull, {"first": SHIFT | {"versions": [SHIFT]}})},
    errors=(ROLE_NOT_ALLOWED,),
)
ACT_ON_SHIFT = Operation(
    "actOnShift",
    Tag.ROSTER,
    "Change, withdraw or hand over a shift",
    {200: Answered("Done.", ShiftInFull, {"first": SHIFT | {"versions": [SHIFT]}})},
    errors=(ROLE_NOT_ALLOWED, NOT_YOUR_SHIFT, STALE_GENERATION, ACTION_NOT_ALLOWED, SHIFT_INVALID),
    body=JsonBody(
        Annotated[AnyShiftAct, Field(discriminator="action")],
        {
            "change": {"action": "change", "generation": 1, "shift": PLAN, "reason": "Ill; Ben leads."},
            "withdraw": {"action": "withdraw", "generation": 1, "reason": "Entered twice."},
            "note": {"action": "note", "text": "XT calls at 21."},
            "confirm": {"action": "confirm", "digest": HANDOVER["digest"]},
        },
    ),
    acts=True,
)
READ_HANDOVER = Operation(
    "readHandover",
    Tag.ROSTER,
    "What is handed over to a shift",
    {200: Answered("What is open and pressing.", HandoverView, {"one": HANDOVER})},
    errors=(ROLE_NOT_ALLOWED,),
)
PEOPLE = Operation(
    "listDutyPeople",
    Tag.ROSTER,
    "Who can be on the roster",
    {200: Answered("By name.", Listed[DutyPersonView], {"one": {"data": [PERSON], "next": None}})},
    errors=(ROLE_NOT_ALLOWED,),
)
DESCRIBE = Operation(
    "actOnDutyPerson",
    Tag.ROSTER,
    "Describe a person on the roster",
    {200: Answered("Described.", DutyPersonView, {"trained": PERSON})},
    errors=(ROLE_NOT_ALLOWED, STALE_GENERATION, ACTION_NOT_ALLOWED),
    body=JsonBody(DescribePerson, {"trained": {"action": "describe", "generation": 0, "record": RECORD}}),
    acts=True,
)
