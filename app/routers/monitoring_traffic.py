"""Operational data: one record per message, for a ministry's own statistics. No content, no reference, no name."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, PlainSerializer

from app.db.operational_data import Record, Window, records
from app.domain.codes import Direction, Lane
from app.errors import FieldError, Refused
from app.routers.answers import answer_json
from app.routers.deps import MONITORING, ReadingOnly, needs
from app.routers.models import Moment, View
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Operation, Tag

router = APIRouter(dependencies=[Depends(needs(*sorted(MONITORING)))])

SETTLED = timedelta(seconds=60)
"""Records younger than this are not given out: a transaction that began earlier may still commit one of before."""

USUAL = timedelta(hours=1)
MAX_RECORDS = 1_000
PASSED = frozenset({"stored", "held", "applied"})
FAILED = frozenset({"quarantined", "stale", "refused", "expired", "void"})

Exact = Annotated[
    AwareDatetime,
    PlainSerializer(
        lambda moment: moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        return_type=str,
        when_used="json",
    ),
]
"""A time to the microsecond: a place between two records, to be sent back as it is."""


class RecordView(View):
    """The way of one message, as it stands now.

    `at` is when it was queued here or first received here. Outgoing: first published, first confirmed by the broker,
    receipted by the other node. Incoming: processed. `succeeded` is null while that is open. `fault_origin` says whose
    word `fault_code` is: `peer`, `this_node`, or `broker` for a way that did not take it.
    """

    message_id: str
    direction: Direction
    peer: str
    message_type: str
    lane: Lane
    at: Moment
    published_at: Moment | None
    confirmed_at: Moment | None
    receipted_at: Moment | None
    processed_at: Moment | None
    text_bytes: int | None
    copies: int
    duplicates: int
    succeeded: bool | None
    fault_code: str | None
    fault_origin: str | None


class TrafficView(View):
    """Records in order of `at`. `next_from` is the `from` of the next call: nothing is missed, nothing comes twice."""

    data: list[RecordView]
    next_from: Exact


_RECORD = {
    "message_id": "0193523a-7a52-7c1e-9d0b-3f3c6f6b2f11",
    "direction": "outgoing",
    "peer": "XT",
    "message_type": "exchange.open/1",
    "lane": "urgent",
    "at": "2026-11-22T03:12:08.114Z",
    "published_at": "2026-11-22T03:12:08.171Z",
    "confirmed_at": "2026-11-22T03:12:08.190Z",
    "receipted_at": "2026-11-22T03:12:08.412Z",
    "processed_at": None,
    "text_bytes": 3120,
    "copies": 1,
    "duplicates": 0,
    "succeeded": True,
    "fault_code": None,
    "fault_origin": None,
}
TRAFFIC_EXAMPLE = {"data": [_RECORD], "next_from": "2026-11-22T03:39:00.000000Z"}

TRAFFIC = Operation(
    "readOperationalData",
    Tag.MONITORING,
    "One record per message",
    {200: Answered("A page of records.", TrafficView, {"one_message": TRAFFIC_EXAMPLE})},
    errors=(ROLE_NOT_ALLOWED,),
)


@router.get("/v1/monitoring/operational-data", **TRAFFIC.route())
async def read_operational_data(
    view: ReadingOnly,
    start: Annotated[
        Moment | None, Query(alias="from", description="First moment; without it, an hour before `to`.")
    ] = None,
    end: Annotated[
        Moment | None, Query(alias="to", description="The moment before which to stop; at most a minute ago.")
    ] = None,
    peer: Annotated[
        str | None, Query(max_length=15, description="Code of one contact point; without it, all of them.")
    ] = None,
    limit: Annotated[
        int,
        Query(ge=1, le=MAX_RECORDS, description="How many, if there are so many; those of one moment stay together."),
    ] = 200,
) -> Response:
    """What was sent and received, by when it was queued or received here; receipts and heartbeats have no record.

    Begin again with `from` = `next_from`, for ever: nothing is missed. A record tells what is known when it is read;
    one that is still open may be read again later. For monitors, supervisors and administrators.
    """
    settled = view.now - SETTLED
    until = settled if end is None else min(end, settled)
    window = Window(until - USUAL if start is None else start, until, peer)
    if end is not None and start is not None and end < start:
        detail = "`to` lies before `from`."
        errors = (FieldError("?to", "before_from", detail),)
        raise Refused("parameters_invalid", detail, errors=errors)
    found = await records(view.session, window, limit=limit)
    full = len(found) >= limit
    following = found[-1].at + timedelta(microseconds=1) if full else max(window.start, window.end)
    return answer_json(200, TrafficView(data=[_record(one) for one in found], next_from=following))


def _record(one: Record) -> RecordView:
    code, origin = _fault(one)
    return RecordView(
        message_id=str(one.message_id),
        direction=one.direction,
        peer=one.peer,
        message_type=one.type,
        lane=Lane(one.lane),
        at=one.at,
        published_at=one.published_at,
        confirmed_at=one.confirmed_at,
        receipted_at=one.receipted_at,
        processed_at=one.processed_at,
        text_bytes=one.text_bytes,
        copies=one.copies,
        duplicates=one.duplicates,
        succeeded=_succeeded(one),
        fault_code=code,
        fault_origin=origin,
    )


def _succeeded(one: Record) -> bool | None:
    if one.direction is Direction.INCOMING and one.status in {"held", "quarantined"}:
        return None
    return True if one.status in PASSED else False if one.status in FAILED else None


def _fault(one: Record) -> tuple[str | None, str | None]:
    """The code, and whose word it is. Outgoing with a receipt: the peer's; without one: what the way said."""
    if one.direction is Direction.OUTGOING:
        if one.status in PASSED:
            return None, None
        ours = one.fault_code in {"unknown_peer", "no_key", "unsealable"}
        origin = "peer" if one.status is not None else "this_node" if ours else "broker"
        return (one.fault_code, origin) if one.fault_code is not None else (None, None)
    if one.status == "applied" or (one.status == "held" and one.fault_code is None):
        return None, None
    return one.fault_code or one.status, "this_node"
