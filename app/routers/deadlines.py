"""What the duty officer has to see to next: every step that is waited for, soonest first, by either side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from app.db import deadline_lists, escalations
from app.db.deadline_lists import About
from app.db.escalations import Listed
from app.domain.calling import how_to_call
from app.domain.codes import RequestType, Tier
from app.domain.deadlines import BY_TELEPHONE, Level, Step, Subject, Whose
from app.envelope.format import decode_part, encode_part
from app.routers.deps import DESK, Reading, ReadingOnly, needs
from app.routers.listing import DEFAULT_LIMIT, Cursor, Limit, answer_page, bad_cursor
from app.routers.models import Moment, View
from app.routers.operations import OF_QUERY, ROLE_NOT_ALLOWED, Answered, Operation, Tag

router = APIRouter(dependencies=[Depends(needs(*sorted(DESK)))])

PLACE_BYTES = 8
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class DeadlineView(View):
    """One step that is waited for.

    `whose` is seen from here. `escalated` is the highest level that people were told of, in per cent of the time it
    had; null before the first. `telephone` says whom to call where the other side is late with its first word, and
    `sheet` where the whole script is. `href` is the request or exchange itself.
    """

    kind: Subject
    id: UUID
    hold_id: UUID | None
    reference: str
    type: RequestType
    requesting: str | None
    requested: str
    state: str
    tier: Tier
    step: Step
    whose: Whose
    started_at: Moment
    due_at: Moment
    overdue: bool
    escalated: int | None
    telephone: str | None
    sheet: str | None
    href: str


class DeadlinesPage(View):
    """Soonest first."""

    data: list[DeadlineView]
    next: str | None


EXAMPLE: dict[str, Any] = {
    "kind": "exchange",
    "id": "0193523a-7a00-7000-8000-000000000001",
    "hold_id": None,
    "reference": "XA-2026-7K3QF9D",
    "type": "PRESERVATION",
    "requesting": "XA",
    "requested": "XT",
    "state": "DELIVERED",
    "tier": "EMERGENCY",
    "step": "acknowledgement",
    "whose": "theirs",
    "started_at": "2026-11-22T18:02:00.000Z",
    "due_at": "2026-11-22T18:17:00.000Z",
    "overdue": True,
    "escalated": 100,
    "telephone": "XT on +999005551000 (duty desk; ask for the cyber liaison office)",
    "sheet": "/v1/exchanges/0193523a-7a00-7000-8000-000000000001/fallback-sheet",
    "href": "/v1/exchanges/0193523a-7a00-7000-8000-000000000001",
}
LIST = Operation(
    "listDeadlines",
    Tag.EXCHANGES,
    "What is due next",
    {200: Answered("Soonest first.", DeadlinesPage, {"at_night": {"data": [EXAMPLE], "next": None}})},
    errors=(ROLE_NOT_ALLOWED, *OF_QUERY),
)

WhoseStep = Annotated[
    Whose | None, Query(description="Only steps of this side; what both have to see to is in either list.")
]


@router.get("/v1/deadlines", **LIST.route())
async def list_deadlines(
    view: ReadingOnly, request: Request, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None, whose: WhoseStep = None
) -> Response:
    """Steps of requests and exchanges that somebody waits for, and ends of holds, soonest first; what is late leads.

    As of the last look of the clocks, a second or so ago. For the duty officer and the supervisor.
    """
    after = None if cursor is None else _read_place(cursor)
    found = await escalations.page(view.session, limit=limit + 1, after=after, whose=whose)
    shown = found[:limit]
    known = await deadline_lists.about(view.session, {one.deadline.subject for one in shown})
    told = await escalations.told_levels(view.session, [one.deadline for one in shown])
    data = [
        _show(view, one, known[one.deadline.subject], told=told.get(_key(one)))
        for one in shown
        if _is_there(one, known)
    ]
    following = _write_place(shown[-1]) if len(found) > limit else None
    return answer_page(request, data, following)


def _is_there(one: Listed, known: dict[UUID, About]) -> bool:
    return one.deadline.subject in known


def _key(one: Listed) -> tuple[UUID, Step, datetime]:
    return one.deadline.subject, one.deadline.step, one.deadline.due_at


def _show(view: Reading, one: Listed, about: About, *, told: Level | None) -> DeadlineView:
    due = one.deadline
    href = f"/v1/{due.kind}s/{due.subject}"
    by_telephone = due.whose is Whose.THEIRS and due.step in BY_TELEPHONE
    return DeadlineView(
        kind=due.kind,
        id=due.subject,
        hold_id=due.hold,
        reference=about.reference,
        type=about.type,
        requesting=about.requesting,
        requested=about.requested,
        state=about.state,
        tier=due.tier,
        step=due.step,
        whose=due.whose,
        started_at=due.started_at,
        due_at=due.due_at,
        overdue=due.due_at <= view.now,
        escalated=None if told is None else int(told),
        telephone=how_to_call(view.node.directory, about.requested) if by_telephone else None,
        sheet=f"{href}/fallback-sheet" if by_telephone else None,
        href=href,
    )


def _write_place(one: Listed) -> str:
    """The instant in microseconds and the row's id: both stand in the entry, or tell nothing."""
    instant = (one.deadline.due_at - _BEGINNING) // _MICROSECOND
    return encode_part(instant.to_bytes(PLACE_BYTES, signed=True) + one.id.bytes)


def _read_place(cursor: str) -> tuple[datetime, UUID]:
    try:
        raw = decode_part(cursor)
        instant = int.from_bytes(raw[:PLACE_BYTES], signed=True)
        return _BEGINNING + instant * _MICROSECOND, UUID(bytes=raw[PLACE_BYTES:])
    except (ValueError, OverflowError):
        raise bad_cursor("cursor") from None
