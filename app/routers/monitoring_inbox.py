"""What does not get its turn, and what is kept aside: with its reason and the next act."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Depends, Response

from app.db import backlog, quarantine, recoveries, waiting
from app.db.quarantine import Counted
from app.db.waiting import Gap
from app.domain.codes import Lane
from app.domain.directory import Directory
from app.routers.advised import CALL, Advised, age, words_of
from app.routers.answers import answer_json
from app.routers.deps import MONITORING, ReadingOnly, needs
from app.routers.models import Moment, View
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Operation, Tag
from app.services.advise_on_quarantine import advise_on_quarantine
from app.services.advise_on_waiting import advise_on_gap

router = APIRouter(dependencies=[Depends(needs(*sorted(MONITORING)))])


class GapView(Advised):
    """Messages of one thread that wait for others. `alarmed`: the desk has been told."""

    peer: str
    lane: Lane
    missing: list[int]
    missing_count: int
    waiting: int
    since: Moment
    seconds: float
    alarmed: bool


class QuarantinedView(Advised):
    """What nobody has dealt with, of one sender for one reason. `proven` is false where the sender is only said to be.

    `peer` is null where the bytes do not even say that.
    """

    peer: str | None
    proven: bool
    count: int
    since: Moment
    seconds: float


class DuplicatesView(View):
    """Copies of known messages that came from one contact point, since this node was set up. They do nothing."""

    peer: str
    copies: int


class InboxView(View):
    """What waits for an earlier message or for a person. `stopped` counts, per sender, what waits behind quarantine."""

    time: Moment
    gaps: list[GapView]
    quarantined: list[QuarantinedView]
    stopped: dict[str, int]
    duplicates: list[DuplicatesView]


INBOX_EXAMPLE = {
    "time": "2026-11-22T03:40:00.000Z",
    "gaps": [
        {
            "peer": "XT",
            "lane": "urgent",
            "missing": [2],
            "missing_count": 1,
            "waiting": 1,
            "since": "2026-11-22T02:33:00.000Z",
            "seconds": 4020.0,
            "alarmed": True,
            "reason": "gap",
            "meaning": "A message of XT did not arrive; what came after waits for it. Other threads go on.",
            "next_act": f"{CALL}: their operator runs `counterpart outbox list --peer` with our code, then "
            "`counterpart outbox retry`. Nothing that waits here is lost.",
        }
    ],
    "quarantined": [
        {
            "peer": "XT",
            "proven": True,
            "count": 1,
            "since": "2026-11-22T03:31:00.000Z",
            "seconds": 540.0,
            "reason": "unknown_type",
            "meaning": "It is of a type that this release does not know.",
            "next_act": "The operator installs the release that knows it; it is taken up at the next start. Its "
            "exchange with XT stands still until then, all others go on. Must it go on now, a duty officer rejects it: "
            "XT is told so.",
        }
    ],
    "stopped": {"XT": 2},
    "duplicates": [{"peer": "XT", "copies": 4}],
}
INBOX = Operation(
    "readInbox",
    Tag.MONITORING,
    "What waits here, and for what",
    {200: Answered("Gaps, quarantine, duplicates.", InboxView, {"gap_and_new_type": INBOX_EXAMPLE})},
    errors=(ROLE_NOT_ALLOWED,),
)


@router.get("/v1/monitoring/inbox", **INBOX.route())
async def read_inbox(view: ReadingOnly) -> Response:
    """Messages behind a gap, what is in quarantine and what waits behind that, copies that came again.

    For monitors, supervisors and administrators. `counterpart quarantine list` names the things.
    """
    session, directory, now = view.session, view.node.directory, view.now
    closed = await recoveries.closed_peers(session)
    shown = InboxView(
        time=now,
        gaps=[_gap(gap, directory, now=now) for gap in await waiting.gaps(session, passing_over=closed)],
        quarantined=[_quarantined(one, directory, now=now) for one in await quarantine.count_ways(session)],
        stopped=await waiting.stopped_threads(session),
        duplicates=[
            DuplicatesView(peer=peer, copies=copies)
            for peer, copies in sorted((await backlog.duplicates(session)).items())
        ],
    )
    return answer_json(200, shown)


def _gap(gap: Gap, directory: Directory, *, now: datetime) -> GapView:
    return GapView(
        peer=gap.key.peer,
        lane=gap.lane,
        missing=list(gap.missing),
        missing_count=gap.missing_count,
        waiting=gap.waiting,
        since=gap.since,
        seconds=age(gap.since, now),
        alarmed=gap.alarmed == gap.missing[0],
        **words_of(advise_on_gap(directory, gap, now=now)),
    )


def _quarantined(one: Counted, directory: Directory, *, now: datetime) -> QuarantinedView:
    return QuarantinedView(
        peer=one.peer,
        proven=one.authenticated,
        count=one.count,
        since=one.since,
        seconds=age(one.since, now),
        **words_of(advise_on_quarantine(directory, one.reason, one.peer)),
    )
