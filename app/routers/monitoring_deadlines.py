"""The clocks in numbers: what is waited for, what is late, what was escalated, how people are told of it."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Depends, Response

from app.db import escalations, notifications
from app.domain.codes import Tier
from app.domain.deadlines import Level, Step, Whose
from app.routers.answers import answer_json
from app.routers.deps import MONITORING, ReadingOnly, needs
from app.routers.models import Moment, View
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Operation, Tag
from app.routers.roster_counts import EXAMPLE as ROSTER
from app.routers.roster_counts import RosterCountsView, count_roster

router = APIRouter(dependencies=[Depends(needs(*sorted(MONITORING)))])

DAY = timedelta(days=1)
SOON = (timedelta(hours=1), timedelta(hours=4), DAY)
HOLDS_WITHIN = (7 * DAY, 14 * DAY, 30 * DAY)
STEPS = tuple(step for step in Step if step is not Step.HOLD_END)


class StepView(View):
    """One step, tier and side: how many are waited for, how many are late, and when the next one is due."""

    step: Step
    tier: Tier
    whose: Whose
    open: int
    overdue: int
    next_due_at: Moment | None


class EndedView(View):
    """How often a step was done in its time, and how often after it, since the beginning."""

    step: Step
    tier: Tier
    whose: Whose
    met: int
    missed: int


class DueView(View):
    """How many steps are due within so many seconds, those that are late included."""

    seconds: int
    count: int


class NotificationsView(View):
    """Telling people outside the node: what waits, since when, and what failed with nothing taken there since."""

    pending: int
    oldest_seconds: float
    alarmed: int


class DeadlinesView(View):
    """`escalated` counts levels told of in the last 24 hours, by per cent of the time the step had."""

    time: Moment
    steps: list[StepView]
    due: list[DueView]
    holds_ending: list[DueView]
    ended: list[EndedView]
    escalated: dict[str, int]
    notifications: NotificationsView
    roster: RosterCountsView


EXAMPLE = {
    "time": "2026-11-22T18:20:00.000Z",
    "steps": [
        {
            "step": "acknowledgement",
            "tier": "EMERGENCY",
            "whose": "theirs",
            "open": 2,
            "overdue": 1,
            "next_due_at": "2026-11-22T18:31:00.000Z",
        }
    ],
    "due": [{"seconds": 3600, "count": 2}, {"seconds": 14400, "count": 2}, {"seconds": 86400, "count": 5}],
    "holds_ending": [
        {"seconds": 604800, "count": 0},
        {"seconds": 1209600, "count": 1},
        {"seconds": 2592000, "count": 4},
    ],
    "ended": [{"step": "acknowledgement", "tier": "EMERGENCY", "whose": "ours", "met": 41, "missed": 1}],
    "escalated": {"50": 0, "100": 1, "200": 0},
    "notifications": {"pending": 0, "oldest_seconds": 0.0, "alarmed": 0},
    "roster": ROSTER,
}
READ = Operation(
    "readDeadlines",
    Tag.MONITORING,
    "What is due and what is late",
    {200: Answered("Counts at this moment.", DeadlinesView, {"night": EXAMPLE})},
    errors=(ROLE_NOT_ALLOWED,),
)


@router.get("/v1/monitoring/deadlines", **READ.route())
async def read_deadlines(view: ReadingOnly) -> Response:
    """Per step and tier: how many are waited for, how many are late, the next one due; holds ending; who is on duty.

    Of the roster whether somebody is, until when, and what is wrong; levels that were told of in a day. No id, no name,
    no reference. For monitors, supervisors and administrators; the desk's own list is `/v1/deadlines`.
    """
    session, now = view.session, view.now
    due = await escalations.due_within(session, STEPS, [now + one for one in SOON])
    ending = await escalations.due_within(session, [Step.HOLD_END], [now + one for one in HOLDS_WITHIN])
    told = await escalations.told_since(session, now - DAY)
    standing = await notifications.standing(session, since=now - DAY)
    waits = timedelta() if standing.oldest_at is None else now - standing.oldest_at
    shown = DeadlinesView(
        time=now,
        steps=[StepView.model_validate(one) for one in await escalations.counts(session, now=now)],
        due=[DueView(seconds=_seconds(one), count=count) for one, count in zip(SOON, due, strict=True)],
        holds_ending=[
            DueView(seconds=_seconds(one), count=count) for one, count in zip(HOLDS_WITHIN, ending, strict=True)
        ],
        ended=[EndedView.model_validate(one) for one in await escalations.outcomes(session)],
        escalated={str(int(level)): told[level] for level in Level},
        notifications=NotificationsView(
            pending=standing.pending, oldest_seconds=max(0.0, waits.total_seconds()), alarmed=standing.alarmed
        ),
        roster=await count_roster(view),
    )
    return answer_json(200, shown)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
