"""How the routes of statements and fallback sheets describe themselves, and what they show."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.db.tables_evidence import StatementKind
from app.domain.codes import RequestType, Tier
from app.domain.fallback import Attendance
from app.routers.examples import EXCHANGE_ID
from app.routers.models import Listed, Moment, View
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Operation, Tag


class StatementView(View):
    """A statement of this node: `jws` is a compact JWS under one of its `sig` keys, `content` repeats the payload."""

    id: UUID
    kind: StatementKind
    made_at: Moment
    jws: str
    content: dict[str, Any]


class PhoneView(View):
    """One number, in the order in which to try them."""

    number: str
    label: str
    languages: list[str]


class EscalationView(View):
    """Whom to turn to when nobody answers."""

    role: str
    phone: str
    email: str


class CalledView(View):
    """The contact point to call, as the directory has it, and what time it is there."""

    code: str
    country: str
    agency: str
    ask_for: str | None
    call_back_minutes: int | None
    phones: list[PhoneView]
    spoken: list[str]
    time_zone: str
    local_time: str
    attendance: Attendance
    hours: list[str]
    escalation: list[EscalationView]
    emails: list[str]
    fax: list[str]


class SendingView(View):
    """What was tried so far to deliver the request."""

    queued_at: Moment
    copies: int
    last_copy_at: Moment | None
    last_copy_confirmed: bool


class SheetView(View):
    """One page for the telephone. `groups` and `check` are how the exchange's id is read aloud.

    `lost_by` is the time the request names, as it was written. `sending` and `note` are null for an exchange that the
    other side opened.
    """

    exchange_id: UUID
    groups: list[str]
    check: str
    type: RequestType
    tier: Tier
    lost_by: str | None
    made_at: Moment
    sending: SendingView | None
    call: CalledView
    say: list[str]
    may_be_said: list[str]
    not_to_be_said: list[str]
    note: dict[str, Any] | None


GROUPS = ["0193", "503e", "9c10", "7d52", "8a44", "1e6f", "0c9b", "7a20"]
CHECK = "28"

_STATEMENT = {
    "id": "01935119-4e5a-7b1d-8f3e-2b4f3d1c5a60",
    "kind": "undeliverable",
    "made_at": "2026-11-22T13:40:00.412Z",
    "jws": "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiWEEtc2lnLTIwMjZhIiwidHlwIjoiY3Atc3RhdGVtZW50K2p3cyJ9.eyJ2IjoxfQ.c2ln",
    "content": {
        "v": 1,
        "kind": "undeliverable",
        "iss": "XA",
        "exchange_id": EXCHANGE_ID,
        "requesting": "XA",
        "requested": "XT",
        "type": "PRESERVATION",
        "tier": "URGENT",
        "jti": "0193503e-9c11-7a00-9f1e-6c0d2b7e4f10",
        "queued_at": "2026-11-22T09:40:00.000Z",
        "copies_in_all": 1,
        "copies": [{"copy": 1, "lane": "urgent", "began_at": "2026-11-22T09:40:00.031Z"}],
        "clock": {
            "began_at": "2026-11-22T09:40:00.000Z",
            "seconds": 14400,
            "ran_out_at": "2026-11-22T13:40:00.000Z",
        },
        "made_at": "2026-11-22T13:40:00.412Z",
        "dir_version": 1,
        "log": {"origin": "log.xa.example/2026", "size": 812, "root": "qkn2gxUhPsHlfrTsSb2PjRx3vCIcs3jDxQd1e0vLqGw="},
    },
}

_SHEET = {
    "exchange_id": EXCHANGE_ID,
    "groups": GROUPS,
    "check": CHECK,
    "type": "PRESERVATION",
    "tier": "URGENT",
    "lost_by": "2026-11-22T12:00:00+01:00",
    "made_at": "2026-11-22T13:41:00.000Z",
    "sending": {
        "queued_at": "2026-11-22T09:40:00.000Z",
        "copies": 9,
        "last_copy_at": "2026-11-22T13:02:11.000Z",
        "last_copy_confirmed": False,
    },
    "call": {
        "code": "XT",
        "country": "Kitano",
        "agency": "National Police, Cyber Liaison Office",
        "ask_for": None,
        "call_back_minutes": None,
        "phones": [{"number": "+99900777001", "label": "Duty officer, day and night", "languages": ["ja", "en"]}],
        "spoken": ["ja", "en"],
        "time_zone": "Asia/Tokyo",
        "local_time": "2026-11-22T22:41+09:00",
        "attendance": "ON_CALL",
        "hours": ["staffed MON TUE WED THU FRI 08:00-20:00", "on call SAT SUN 00:00-24:00"],
        "escalation": [{"role": "Head of office", "phone": "+99900777050", "email": "head@police-kitano.example"}],
        "emails": ["contact24@police-kitano.example"],
        "fax": [],
    },
    "say": ["This is the contact point XA, calling the contact point XT."],
    "may_be_said": ["the type of request and its tier"],
    "not_to_be_said": ["identifiers of targets, names of persons and facts of the case"],
    "note": {
        "method": "POST",
        "path": "/v1/exchanges",
        "body": {"exchange_id": EXCHANGE_ID, "check": CHECK, "requesting": "XA", "type": "PRESERVATION", "noted": "…"},
    },
}

_PRINTED = f"EXCHANGE  {' '.join(GROUPS)}  check {CHECK}\n          PRESERVATION, URGENT\n"

STATEMENTS = Operation(
    "readStatements",
    Tag.EXCHANGES,
    "Read what this node stated about an exchange",
    {
        200: Answered(
            "Every statement, oldest first; none while nothing had to be stated.",
            Listed[StatementView],
            {"undeliverable": {"data": [_STATEMENT], "next": None}},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)

SHEET = Operation(
    "readFallbackSheet",
    Tag.EXCHANGES,
    "Read how to pass an exchange by voice",
    {
        200: Answered(
            "One page for the telephone.",
            SheetView,
            {"by_telephone": _SHEET},
            also={"text/plain": {"printed": _PRINTED}},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)
