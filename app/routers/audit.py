"""The record for those who need not trust us: entries, signed checkpoints, and proofs that verify offline."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from app.audit.leaf import Leaf, read_leaf
from app.audit.strict import to_base64
from app.db import audit_reading, exchanges
from app.db.audit_reading import START, Position, StoredLeaf
from app.domain.codes import Role
from app.errors import Unknown
from app.routers.answers import NO_STORE, answer_json
from app.routers.audit_examples import CASE_ENTRY, CHECKPOINT, CONSISTENCY, ENTRY, PROOF
from app.routers.deps import Commanding, ReadingOnly, needs, require_role
from app.routers.listing import DEFAULT_LIMIT, Cursor, Limit, answer_page, bad_cursor, parse_id
from app.routers.models import Listed, View
from app.routers.operations import NOT_FOUND, ROLE_NOT_ALLOWED, Answered, Fault, Operation, Tag
from app.routers.reading import remember_reading
from app.services import prove
from app.services.case_audit import Entry, read_entries

router = APIRouter()

AUDITORS = [Depends(needs(Role.AUDITOR))]
TEXT = "text/plain"
PLACE = struct.Struct(">hq")
MAX_SIZE = 2**53 - 1

NOT_YET = Fault("not_yet_published", 503, "This event waits for the next checkpoint.", {"retry_after": 2})
SIZES = Fault("sizes_out_of_range", 422, "This must not be above the size of the newest checkpoint.")
EVENT_UNKNOWN = Fault("event_unknown", 404, "There is no such event.")


class EntryView(View):
    """One entry of the log. `leaf` is the text whose bytes were hashed; the other members are read from it.

    `at` is when it was recorded; `index` is its place, given later, so neighbours may be out of order by moments.
    `commitments` are HMAC-SHA256 values under random keys: they tell nothing about the content.
    """

    index: int
    log: str
    id: str
    at: str
    type: str
    actor: str
    thread: str | None
    jti: str | None
    peer: str | None
    commitments: dict[str, str]
    leaf: str


class CaseEntryView(EntryView):
    """An entry of one case, opened: `contents` by field; fields whose content was erased, and such as do not fit."""

    contents: dict[str, Any]
    erased: list[str]
    altered: list[str]


class ConsistencyView(View):
    """RFC 6962 consistency proof in base64, first hash first."""

    start: Annotated[int, Field(alias="from")]
    to: int
    proof: list[str]


def asked_place(cursor: Cursor = None) -> Position:
    """Where a page begins. Raises Refused for a cursor that is none of ours."""
    if cursor is None:
        return START
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"==", altchars=b"-_", validate=True)
        return Position(*PLACE.unpack(raw))
    except (UnicodeEncodeError, binascii.Error, struct.error):
        raise bad_cursor("cursor") from None


AskedPlace = Annotated[Position, Depends(asked_place)]

GET_CHECKPOINT = Operation(
    "getCheckpoint",
    Tag.AUDIT,
    "Get the newest checkpoint",
    {200: Answered("The head of the log as a C2SP signed note.", None, {"three_leaves": CHECKPOINT}, media_type=TEXT)},
    errors=(ROLE_NOT_ALLOWED, NOT_YET),
)


@router.get("/v1/audit/checkpoint", dependencies=AUDITORS, **GET_CHECKPOINT.route())
async def get_checkpoint(view: ReadingOnly) -> Response:
    """Origin, size and root of the log, signed by its key (in the directory, use `log`). Keep it: it is a promise."""
    return _text(await prove.newest_checkpoint(view.session, view.node.log_origin))


GET_PROOF = Operation(
    "getProof",
    Tag.AUDIT,
    "Prove that an entry is in the log",
    {200: Answered("A C2SP tlog-proof.", None, {"second_of_three": PROOF}, media_type=TEXT)},
    errors=(ROLE_NOT_ALLOWED, EVENT_UNKNOWN, NOT_YET),
)


@router.get("/v1/audit/proofs", dependencies=AUDITORS, **GET_PROOF.route())
async def get_proof(
    view: ReadingOnly, event_id: Annotated[UUID, Query(description="The `id` of the entry.")]
) -> Response:
    """Index, hashes and checkpoint: with the bytes of `leaf` and the log's key it verifies offline, for ever."""
    return _text(await prove.prove_event(view.session, event_id))


GET_CONSISTENCY = Operation(
    "getConsistency",
    Tag.AUDIT,
    "Prove that the log only grew",
    {200: Answered("The hashes that lead from the old root to the new one.", ConsistencyView, {"grown": CONSISTENCY})},
    errors=(ROLE_NOT_ALLOWED, SIZES, NOT_YET),
)


@router.get("/v1/audit/consistency", dependencies=AUDITORS, **GET_CONSISTENCY.route())
async def get_consistency(
    view: ReadingOnly,
    old: Annotated[int, Query(alias="from", ge=1, le=MAX_SIZE, description="Size of the checkpoint you have.")],
    new: Annotated[int, Query(alias="to", ge=1, le=MAX_SIZE, description="Size of a newer one.")],
) -> Response:
    """Verify with RFC 9162 section 2.1.4.2 and the roots of your two checkpoints."""
    proof = await prove.prove_consistency(view.session, view.node.log_origin, old=old, new=new)
    return answer_json(200, {"from": old, "to": new, "proof": [to_base64(part) for part in proof]})


LIST_ENTRIES = Operation(
    "listAuditEvents",
    Tag.AUDIT,
    "List entries of the log",
    {200: Answered("Entries in order of the log.", Listed[EntryView], {"one": {"data": [ENTRY], "next": None}})},
    errors=(ROLE_NOT_ALLOWED,),
)


@router.get("/v1/audit/events", dependencies=AUDITORS, **LIST_ENTRIES.route())
async def list_entries(
    request: Request, view: ReadingOnly, place: AskedPlace, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Every entry that a published checkpoint covers, oldest first. They hold no content and no names."""
    found = await audit_reading.published_leaves(view.session, after=place, limit=limit + 1)
    shown = [_shown(stored, read_leaf(stored.leaf)) for stored in found[:limit]]
    return answer_page(request, shown, _following([stored.position for stored in found], limit))


LIST_OF_CASE = Operation(
    "listExchangeAudit",
    Tag.AUDIT,
    "List the entries of one exchange",
    {
        200: Answered(
            "Entries in order of the log, opened.",
            Listed[CaseEntryView],
            {"viewed": {"data": [CASE_ENTRY], "next": None}},
        )
    },
    errors=(ROLE_NOT_ALLOWED, NOT_FOUND),
)


@router.get("/v1/exchanges/{exchange_id}/audit", **LIST_OF_CASE.route())
async def list_of_case(
    exchange_id: str, command: Commanding, place: AskedPlace, limit: Limit = DEFAULT_LIMIT
) -> Response:
    """Who did and saw what in this exchange and the request behind it, with contents. Reading it is itself recorded."""
    require_role(command.actor, Role.AUDITOR)
    record = await exchanges.load(command.session, parse_id(exchange_id))
    if record is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    cases = [record.value.id, *([record.request_id] if record.request_id else [])]
    await remember_reading(command, record.value.id)
    found = await read_entries(command.session, cases, after=place, limit=limit + 1)
    following = _following([entry.stored.position for entry in found], limit)
    return answer_page(command.request, [_opened(entry) for entry in found[:limit]], following)


def _shown(stored: StoredLeaf, leaf: Leaf) -> dict[str, Any]:
    return {
        "index": stored.position.leaf_index,
        "log": leaf.log,
        "id": leaf.id,
        "at": leaf.at,
        "type": leaf.type,
        "actor": leaf.actor,
        "thread": leaf.thread,
        "jti": leaf.jti,
        "peer": leaf.peer,
        "commitments": leaf.commitments,
        "leaf": stored.leaf.decode(),
    }


def _opened(entry: Entry) -> dict[str, Any]:
    known = {"contents": entry.contents, "erased": entry.erased, "altered": entry.altered}
    return {**_shown(entry.stored, entry.leaf), **known}


def _following(places: list[Position], limit: int) -> str | None:
    """The cursor behind the last entry shown, when more than `limit` were found."""
    if len(places) <= limit:
        return None
    return base64.urlsafe_b64encode(PLACE.pack(*places[limit - 1])).rstrip(b"=").decode("ascii")


def _text(content: str) -> Response:
    return Response(content, headers=NO_STORE, media_type=TEXT)
