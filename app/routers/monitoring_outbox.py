"""What does not get out: per contact point and lane, with its reason and the next act."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Depends, Response

from app.db import recoveries, waiting
from app.db.waiting import WayOut
from app.domain.codes import Lane
from app.domain.directory import Directory
from app.routers.advised import CALL, Advised, age, words_of
from app.routers.answers import answer_json
from app.routers.deps import MONITORING, ReadingOnly, needs
from app.routers.models import Moment, View
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Operation, Tag
from app.services.advise_on_waiting import Case, Waits, advise_on_case, judge_way

router = APIRouter(dependencies=[Depends(needs(*sorted(MONITORING)))])


class WayOutView(Advised):
    """Everything without a receipt to one contact point on one lane.

    `moving` is false when somebody has to look. `untried` was never published; `confirmed` is with the broker;
    `troubles` counts what the latest attempts met. `next_at`: when something is published next, null where only a
    receipt can tell.
    """

    peer: str
    lane: Lane
    moving: bool
    count: int
    untried: int
    confirmed: int
    troubles: dict[str, int]
    oldest_seconds: float
    since: Moment
    next_at: Moment | None


class OutboxView(View):
    """All ways on which anything waits."""

    time: Moment
    ways: list[WayOutView]


OUTBOX_EXAMPLE = {
    "time": "2026-11-22T03:40:00.000Z",
    "ways": [
        {
            "peer": "XT",
            "lane": "urgent",
            "moving": False,
            "count": 3,
            "untried": 0,
            "confirmed": 3,
            "troubles": {},
            "oldest_seconds": 4020.0,
            "since": "2026-11-22T02:33:00.000Z",
            "next_at": None,
            "reason": "no_receipt",
            "meaning": "It was sent, and the node of XT has not receipted it.",
            "next_act": f"{CALL}: is their node running? Nothing is lost: sending goes on by itself. One message is "
            "tried now and then, and everything follows with the first receipt.",
        }
    ],
}
OUTBOX = Operation(
    "readOutbox",
    Tag.MONITORING,
    "What has no receipt, and why",
    {200: Answered("Counts and ages per contact point and lane.", OutboxView, {"silent_peer": OUTBOX_EXAMPLE})},
    errors=(ROLE_NOT_ALLOWED,),
)


@router.get("/v1/monitoring/outbox", **OUTBOX.route())
async def read_outbox(view: ReadingOnly) -> Response:
    """Everything sent that no signed receipt has ended, per contact point and lane, with what is to be done about it.

    For monitors, supervisors and administrators. `counterpart outbox list` names the messages.
    """
    closed = await recoveries.closed_peers(view.session)
    ways = await waiting.ways_out(view.session)
    stuck = await waiting.stuck_ways(view.session, now=view.now)
    cases = [judge_way(way, closed=way.way.peer in closed, stuck=way.way in stuck, now=view.now) for way in ways]
    shown = [_way(way, case, view.node.directory, now=view.now) for way, case in zip(ways, cases, strict=True)]
    return answer_json(200, OutboxView(time=view.now, ways=shown))


def _way(way: WayOut, case: Case, directory: Directory, *, now: datetime) -> WayOutView:
    return WayOutView(
        peer=way.way.peer,
        lane=way.way.lane,
        moving=case.reason is Waits.MOVING,
        count=way.count,
        untried=way.untried,
        confirmed=way.confirmed,
        troubles={trouble.value: count for trouble, count in sorted(way.troubles.items())},
        oldest_seconds=age(way.oldest_at, now),
        since=case.since,
        next_at=way.next_at,
        **words_of(advise_on_case(directory, way.way, case)),
    )
