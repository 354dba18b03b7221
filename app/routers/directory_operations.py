"""How the routes of the directory, of test calls and of incidents describe themselves."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.domain.codes import Direction
from app.domain.fallback import Attendance
from app.domain.moments import Instant
from app.domain.service_messages import MAX_AFFECTED, CallKind
from app.domain.test_calls import Standing
from app.domain.wire import Code, Line, ShortText
from app.routers.examples import EXCHANGE_ID
from app.routers.models import Document, Listed, Moment, View
from app.routers.operations import ACTION_NOT_ALLOWED, ROLE_NOT_ALLOWED, Answered, Fault, JsonBody, Operation, Tag

AnyId = Annotated[UUID, Field(strict=False)]
CALL_ID = "0193503e-7a52-7c1e-9d0b-3f3c6f6b2f31"


class LastCallView(View):
    """Our latest test call to it, and how long a person there took to answer."""

    kind: CallKind
    called_at: Moment | None
    answered_at: Moment | None
    answered_after_seconds: int | None


class ContactPointView(View):
    """A contact point as the directory has it, in the networks of today, and what is known of its reachability."""

    code: str
    country: str
    party_kind: str
    agency: str
    networks: list[str]
    languages: list[str]
    time_zone: str
    attendance: Attendance
    local_time: str
    capabilities: dict[str, str]
    standing: Standing
    verified_at: Moment
    last_call: LastCallView | None


class ContactPointInFull(ContactPointView):
    """The same with everything the entry says; its keys are public ones."""

    entry: dict[str, Any]


class DirectoryVersion(View):
    """A version of the directory that this node has worked with, and the SHA-256 of its file."""

    version: int
    digest: str
    seen_at: Moment


class CallView(View):
    """A test call. Not real: it is about no case, and nothing follows from it but whether somebody answered."""

    id: UUID
    peer: str
    direction: Direction
    kind: CallKind
    is_test: Literal[True] = True
    note: str | None
    planned_at: Moment
    called_at: Moment | None
    due_at: Moment | None
    answered_at: Moment | None
    missed_at: Moment | None
    allowed_actions: list[str]


class NewCall(Document):
    """A test call: at once, at `planned_at`, or at a moment nobody knows of the coming night there."""

    kind: Annotated[CallKind, Field(strict=False)]
    note: ShortText | None = None
    planned_at: Instant | None = None
    at_night: bool = False


class CallAct(Document):
    """What a person who is called does."""

    action: Literal["answer"]


class NewIncident(Document):
    """What a supervisor reports (CETS 224 art. 14(7)). Each contact point learns of its own exchanges only."""

    discovered_at: Instant
    what: ShortText
    mitigations: ShortText
    contact: Line
    exchanges: Annotated[list[AnyId], Field(default_factory=list, max_length=MAX_AFFECTED)]
    peers: Annotated[list[Code], Field(default_factory=list, max_length=300)]
    limit_onward: bool = False


class IncidentView(View):
    """An incident as one contact point was told of it, or told us."""

    id: UUID
    peer: str
    direction: Direction
    discovered_at: Moment
    told_at: Moment
    what: str
    mitigations: str
    contact: str
    exchanges: list[UUID]
    limit_onward: bool
    over_at: Moment | None
    over_note: str | None
    allowed_actions: list[str]


class IncidentAct(Document):
    """A supervisor says why it is over. One that another contact point told of is over here alone."""

    action: Literal["end"]
    text: ShortText


POINT = {
    "code": "XT",
    "country": "XT",
    "party_kind": "STATE",
    "agency": "Kitano Cyber Desk",
    "networks": ["ETS185_35", "G7_24_7"],
    "languages": ["ja", "en"],
    "time_zone": "Asia/Tokyo",
    "attendance": "STAFFED",
    "local_time": "2026-11-22T18:30+09:00",
    "capabilities": {"preservation": "EXECUTES"},
    "standing": "verified",
    "verified_at": "2026-11-20T04:12:00.000Z",
    "last_call": {
        "kind": "PING",
        "called_at": "2026-11-20T04:10:00.000Z",
        "answered_at": "2026-11-20T04:12:00.000Z",
        "answered_after_seconds": 120,
    },
}
CALL = {
    "id": CALL_ID,
    "peer": "XT",
    "direction": "outgoing",
    "kind": "PING",
    "is_test": True,
    "note": None,
    "planned_at": "2026-11-22T09:30:00.000Z",
    "called_at": "2026-11-22T09:30:00.000Z",
    "due_at": "2026-11-22T09:45:00.000Z",
    "answered_at": None,
    "missed_at": None,
    "allowed_actions": [],
}
INCIDENT = {
    "id": "0193503e-7a52-7c1e-9d0b-3f3c6f6b2f41",
    "peer": "XT",
    "direction": "outgoing",
    "discovered_at": "2026-11-22T08:00:00.000Z",
    "told_at": "2026-11-22T09:30:00.000Z",
    "what": "A backup disk with answers of November was lost in transit.",
    "mitigations": "The disk is encrypted; its key was changed.",
    "contact": "Data protection officer, +99900555099",
    "exchanges": [EXCHANGE_ID],
    "limit_onward": True,
    "over_at": None,
    "over_note": None,
    "allowed_actions": ["end"],
}
LOST_DISK: dict[str, object] = {
    "discovered_at": "2026-11-22T08:00:00Z",
    "what": INCIDENT["what"],
    "mitigations": INCIDENT["mitigations"],
    "contact": INCIDENT["contact"],
    "exchanges": [],
    "peers": ["XT"],
}
FOUND = "The disk was found; its seal was not broken."
UNKNOWN_PEER = Fault("contact_point_unknown", 422, "A contact point is not there.")
EXCHANGE_UNKNOWN = Fault("exchange_unknown", 422, "An exchange is not there.")
TOO_FAR_AHEAD = Fault("too_far_ahead", 422, "This test call is planned too far ahead.")
NOBODY = Fault("nobody_concerned", 422, "Nobody would be told.")

POINTS = Operation(
    "listContactPoints",
    Tag.DIRECTORY,
    "List the contact points",
    {200: Answered("All, by code.", Listed[ContactPointView], {"one": {"data": [POINT], "next": None}})},
    errors=(ROLE_NOT_ALLOWED,),
)
READ_POINT = Operation(
    "readContactPoint",
    Tag.DIRECTORY,
    "Read a contact point",
    {200: Answered("Its entry.", ContactPointInFull, {"one": POINT | {"entry": {"code": "XT"}}})},
    errors=(ROLE_NOT_ALLOWED,),
)
CHANGES = Operation(
    "listDirectoryChanges",
    Tag.DIRECTORY,
    "List the versions of the directory",
    {
        200: Answered(
            "Newest first.",
            Listed[DirectoryVersion],
            {
                "two": {
                    "data": [{"version": 7, "digest": "9f86d081884c7d65", "seen_at": "2026-11-22T09:30:00.000Z"}],
                    "next": None,
                }
            },
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)
PLACE_CALL = Operation(
    "callContactPoint",
    Tag.DIRECTORY,
    "Make or plan a test call",
    {201: Answered("Noted, and made if its moment has come.", CallView, {"ping": CALL})},
    errors=(ROLE_NOT_ALLOWED, TOO_FAR_AHEAD),
    body=JsonBody(NewCall, {"ping": {"kind": "PING"}, "some_night": {"kind": "PING", "at_night": True}}),
    acts=True,
)
CALLS = Operation(
    "listTestCalls",
    Tag.DIRECTORY,
    "List test calls",
    {200: Answered("Both directions, the latest first.", Listed[CallView], {"one": {"data": [CALL], "next": None}})},
    errors=(ROLE_NOT_ALLOWED,),
)
ANSWER_CALL = Operation(
    "actOnTestCall",
    Tag.DIRECTORY,
    "Answer a test call",
    {200: Answered("Answered.", CallView, {"answered": CALL | {"direction": "incoming"}})},
    errors=(ROLE_NOT_ALLOWED, ACTION_NOT_ALLOWED),
    body=JsonBody(CallAct, {"answer": {"action": "answer"}}),
    acts=True,
)
REPORT = Operation(
    "reportIncident",
    Tag.DIRECTORY,
    "Report a security incident",
    {
        201: Answered(
            "What each contact point is told.", Listed[IncidentView], {"one": {"data": [INCIDENT], "next": None}}
        )
    },
    errors=(ROLE_NOT_ALLOWED, UNKNOWN_PEER, EXCHANGE_UNKNOWN, NOBODY),
    body=JsonBody(
        NewIncident,
        {
            "lost_disk": LOST_DISK,
        },
    ),
    acts=True,
)
INCIDENTS = Operation(
    "listIncidents",
    Tag.DIRECTORY,
    "List security incidents",
    {
        200: Answered(
            "Both directions, newest first.", Listed[IncidentView], {"one": {"data": [INCIDENT], "next": None}}
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)
END_INCIDENT = Operation(
    "actOnIncident",
    Tag.DIRECTORY,
    "End a security incident",
    {
        200: Answered(
            "It is over.",
            IncidentView,
            {"over": INCIDENT | {"over_at": "2026-11-23T09:30:00.000Z", "over_note": FOUND, "allowed_actions": []}},
        )
    },
    errors=(ROLE_NOT_ALLOWED, ACTION_NOT_ALLOWED),
    body=JsonBody(IncidentAct, {"end": {"action": "end", "text": FOUND}}),
    acts=True,
)
