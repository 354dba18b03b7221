"""What can be asked of a counterpart, and in which form: the closed list, with its schemas and examples."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response

from app.domain.codes import RequestType, Tier
from app.domain.deadlines import PACKAGED, Clocks
from app.domain.documents.schemas import example, json_schema, members
from app.domain.request_types import REQUEST_KINDS, RequestKind
from app.errors import Unknown
from app.routers.answers import answer_json
from app.routers.deps import Caller, runtime_of
from app.routers.models import Listed, View
from app.routers.operations import Answered, Operation, Tag

router = APIRouter()


class Member(View):
    """A member of the document: whether it must be there, and why."""

    name: str
    required: bool
    reason: str | None


class RequestTypeView(View):
    """One type. `fileable`: whether an agency can file it; `offered`: the same, for there is a document for each.

    `basis` names articles, `tiers` those it can be filed in, `members` what its document holds; `targets` are the
    seconds that each step should take at most, by tier: targets of service, not duties in law.
    """

    type: RequestType
    note: str
    basis: list[str]
    opening: str
    returns: str
    creates_hold: bool
    fileable: bool
    offered: bool
    tiers: list[Tier]
    members: list[Member]
    targets: dict[str, dict[Tier, int]]


class RequestTypeInFull(RequestTypeView):
    """One type with the JSON Schema of its document and an example; null for what cannot be filed."""

    json_schema: dict[str, Any] | None
    example: dict[str, Any] | None


def _members(kind: RequestKind, clocks: Clocks = PACKAGED) -> dict[str, Any]:
    return {
        "type": kind.type,
        "note": kind.note,
        "basis": list(kind.root),
        "opening": kind.opening.value,
        "returns": kind.returns,
        "creates_hold": kind.creates_hold,
        "fileable": kind.fileable,
        "offered": kind.fileable,
        "tiers": list(kind.tiers),
        "members": [asdict(member) for member in members(kind.type)] if kind.fileable else [],
        "targets": {
            str(step): {tier: int(clocks.within(step, tier).total_seconds()) for tier in Tier} for step in kind.steps
        },
    }


def _document(kind: RequestKind) -> dict[str, Any]:
    if not kind.fileable:
        return {"json_schema": None, "example": None}
    return {"json_schema": json_schema(kind.type), "example": example(kind.type)}


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
            {"ping": PING | _document(REQUEST_KINDS[RequestType.PING])},
        )
    },
)


@router.get("/v1/request-types", **LIST.route())
async def list_request_types(request: Request, _caller: Caller) -> Response:
    """The closed list of types with their legal root and their targets of service. It is short: there is one page."""
    clocks = runtime_of(request).node.clocks
    return answer_json(200, {"data": [_members(kind, clocks) for kind in REQUEST_KINDS.values()], "next": None})


@router.get("/v1/request-types/{type}", **READ.route())
async def read_request_type(request: Request, _caller: Caller, type: str) -> Response:
    """One type in full. The schema tells the shape; the rules of law that a document must keep are beyond a schema."""
    try:
        kind = REQUEST_KINDS[RequestType(type)]
    except ValueError:
        raise Unknown("not_found", "There is no such type of request.") from None
    return answer_json(200, {**_members(kind, runtime_of(request).node.clocks), **_document(kind)})
