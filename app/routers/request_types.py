"""What can be asked of a counterpart, and in which form: the closed list, with its schemas and examples."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from app.domain.codes import RequestType, Tier
from app.domain.deadlines import TARGETS
from app.domain.documents.schemas import example, json_schema
from app.domain.request_types import REQUEST_KINDS, RequestKind
from app.errors import Unknown
from app.routers.answers import answer_json
from app.routers.deps import Caller
from app.routers.models import Listed, View
from app.routers.operations import Answered, Operation, Tag

router = APIRouter()


class RequestTypeView(View):
    """One type. `fileable`: whether an agency can ever file it; `offered`: whether this node has its document.

    `basis` names articles; `targets` are the seconds that each step should take at most, by tier: targets of service,
    not duties in law.
    """

    type: RequestType
    note: str
    basis: list[str]
    opening: str
    returns: str
    creates_hold: bool
    fileable: bool
    offered: bool
    targets: dict[str, dict[Tier, int]]


class RequestTypeInFull(RequestTypeView):
    """One type with the JSON Schema of its document and an example; null where this node has no document for it."""

    json_schema: dict[str, Any] | None
    example: dict[str, Any] | None


def _members(kind: RequestKind) -> dict[str, Any]:
    return {
        "type": kind.type,
        "note": kind.note,
        "basis": list(kind.root),
        "opening": kind.opening.value,
        "returns": kind.returns,
        "creates_hold": kind.creates_hold,
        "fileable": kind.fileable,
        "offered": kind.offered,
        "targets": {
            str(step): {tier: int(TARGETS[step].within(tier).total_seconds()) for tier in Tier} for step in kind.steps
        },
    }


ADVICE = _members(REQUEST_KINDS[RequestType.TECHNICAL_ADVICE])
PING = _members(REQUEST_KINDS[RequestType.PING])

LIST = Operation(
    "listRequestTypes",
    Tag.REFERENCE,
    "List what can be asked",
    {
        200: Answered(
            "All types, those that cannot be filed too.",
            Listed[RequestTypeView],
            {"two": {"data": [ADVICE, PING], "next": None}},
        )
    },
)
READ = Operation(
    "readRequestType",
    Tag.REFERENCE,
    "Read one type",
    {
        200: Answered(
            "The type, the JSON Schema of its document, and an example that is accepted as it stands.",
            RequestTypeInFull,
            {"ping": PING | {"json_schema": None, "example": None}},
        )
    },
)


@router.get("/v1/request-types", **LIST.route())
async def list_request_types(_caller: Caller) -> Response:
    """The closed list of types with their legal root and their targets of service. It is short: there is one page."""
    return answer_json(200, {"data": [_members(kind) for kind in REQUEST_KINDS.values()], "next": None})


@router.get("/v1/request-types/{type}", **READ.route())
async def read_request_type(_caller: Caller, type: str) -> Response:
    """One type in full. The schema tells the shape; the rules of law that a document must keep are beyond a schema."""
    try:
        kind = REQUEST_KINDS[RequestType(type)]
    except ValueError:
        raise Unknown("not_found", "There is no such type of request.") from None
    document = {"json_schema": json_schema(kind.type), "example": example(kind.type)} if kind.offered else {}
    return answer_json(200, {"json_schema": None, "example": None, **_members(kind), **document})
