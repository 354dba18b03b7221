"""How the routes of requests describe themselves."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from app.domain.documents import example
from app.domain.documents.kinds import KINDS, AnyDocument
from app.domain.intake_acts import AnyIntakeAct
from app.routers.examples import EXCHANGE_ID, REQUEST, TIMELINE
from app.routers.models import Listed, View
from app.routers.operations import (
    ACTION_NOT_ALLOWED,
    FOUR_EYES,
    ROLE_NOT_ALLOWED,
    STALE_GENERATION,
    Answered,
    Fault,
    JsonBody,
    Operation,
    Tag,
)
from app.routers.request_views import RequestView
from app.routers.views import TimelineEntry


class Checked(View):
    """What filing would say: the document can be filed, and these are the warnings."""

    valid: bool
    warnings: list[dict[str, Any]]


INVALID_DOCUMENT = Fault("invalid_document", 422, "The document breaks the rules listed.")
NOT_A_REQUEST = Fault("not_a_request", 422, "This is an act or a test call; it cannot be filed.")
UNKNOWN_CONTACT_POINT = Fault("unknown_contact_point", 422, "No contact point of the directory has that code.")
DOMESTIC_MATTER = Fault("domestic_matter", 422, "A request goes to another state.")
NO_BASIS = Fault(
    "N-NOBASIS",
    422,
    "No instrument in force between the two states covers this request; another road is needed.",
    {"instead": [{"code": "D-INTERPOL", "contact": "Interpol National Central Bureau Port-Clair, +99900555060"}]},
)
INVALID_ACT = Fault("invalid_act", 422, "The act breaks the rules listed.")
OF_DOCUMENT = (INVALID_DOCUMENT, NOT_A_REQUEST, UNKNOWN_CONTACT_POINT, DOMESTIC_MATTER)

SIGNED = REQUEST | {
    "state": "SIGNED",
    "generation": 4,
    "exchange_id": EXCHANGE_ID,
    "allowed_actions": ["retarget"],
    "desk": {
        "triage": [],
        "duplicates": [],
        "merged_into": None,
        "joined": [],
        "review_due_at": None,
        "reviewed": False,
    },
}

FILE = Operation(
    "fileRequest",
    Tag.REQUESTS,
    "File a request",
    {
        201: Answered(
            "Filed; not yet seen by anybody.",
            RequestView,
            {"filed": REQUEST | {"state": "INTAKE", "generation": 1}},
            headers={"Location": "Where to read it."},
        ),
        200: Answered(
            "With `validate_only`: what filing would say.", Checked, {"valid": {"valid": True, "warnings": []}}
        ),
    },
    errors=(ROLE_NOT_ALLOWED, *OF_DOCUMENT),
    body=JsonBody(
        TypeAdapter(AnyDocument).json_schema(mode="validation"),
        {type_.lower(): example(type_) for type_ in KINDS},
    ),
    acts=True,
)

LIST = Operation(
    "listRequests",
    Tag.REQUESTS,
    "List requests",
    {
        200: Answered(
            "One page, newest first.",
            Listed[RequestView],
            {"page": {"data": [REQUEST], "next": None}},
            headers={"Link": 'The next page, `rel="next"`.'},
        )
    },
    errors=(ROLE_NOT_ALLOWED,),
)

READ = Operation(
    "readRequest",
    Tag.REQUESTS,
    "Read a request",
    {200: Answered("The request.", RequestView, {"in_triage": REQUEST, "signed": SIGNED})},
    errors=(ROLE_NOT_ALLOWED,),
)

READ_TIMELINE = Operation(
    "readRequestTimeline",
    Tag.REQUESTS,
    "Read a request's timeline",
    {200: Answered("All lines, oldest first.", Listed[TimelineEntry], {"filed": TIMELINE})},
    errors=(ROLE_NOT_ALLOWED,),
)

ACT = Operation(
    "actOnRequest",
    Tag.REQUESTS,
    "Act on a request",
    {200: Answered("The request after the act.", RequestView, {"approved": REQUEST, "signed": SIGNED})},
    errors=(ROLE_NOT_ALLOWED, FOUR_EYES, STALE_GENERATION, ACTION_NOT_ALLOWED, INVALID_ACT, NO_BASIS, *OF_DOCUMENT),
    body=JsonBody(
        TypeAdapter(AnyIntakeAct).json_schema(mode="validation"),
        {
            "open": {"action": "open"},
            "return": {"action": "return", "codes": ["C-PORT"], "text": "Add the source port; the address is shared."},
            "decline": {"action": "decline", "code": "D-NOTCRIM", "text": "A civil dispute."},
            "redirect": {
                "action": "redirect",
                "code": "D-MLA",
                "text": "Content needs a letter of request; have the data preserved meanwhile.",
            },
            "merge": {
                "action": "merge",
                "into": "XA-2026-C5H66SX",
                "text": "The data are already being preserved; you see what becomes of it here.",
            },
            "approve": {"action": "approve"},
            "sign": {"action": "sign"},
            "retarget": {"action": "retarget", "new_requested": "XS"},
            "withdraw": {"action": "withdraw"},
        },
    ),
    acts=True,
)
