"""Checks for machines: one question each, 200 when the answer is yes and 503 when it is no."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response

from app.errors import Unknown
from app.routers.answers import answer_json
from app.routers.checking import Asked, Finding, NodeCheck
from app.routers.deps import MONITORING, Reading, ReadingOnly, needs
from app.routers.health import Outcome
from app.routers.models import Moment, View
from app.routers.node_checks import CHECKS, ask
from app.routers.operations import ROLE_NOT_ALLOWED, Answered, Operation, Tag

router = APIRouter(dependencies=[Depends(needs(*sorted(MONITORING)))])

NOBODY = "Nobody has to do anything."


class NodeCheckView(View):
    """One question and its answer, `pass` or `fail`.

    `observed` is what was found and `limit` what is still good, both in `unit`; `peers` are the contact points that it
    is about. `next_act` says who does what.
    """

    name: str
    outcome: Outcome
    question: str
    observed: float
    limit: float
    unit: str
    peers: list[str]
    next_act: str


class ChecksView(View):
    """All questions; the outcome is the worst of them."""

    time: Moment
    outcome: Outcome
    checks: list[NodeCheckView]


def _example(name: str, outcome: Outcome, observed: float, peers: tuple[str, ...] = ()) -> dict[str, object]:
    check = CHECKS[name]
    return {
        "name": name,
        "outcome": outcome.value,
        "question": check.question,
        "observed": observed,
        "limit": check.limit,
        "unit": check.unit,
        "peers": list(peers),
        "next_act": NOBODY if outcome is Outcome.PASS else check.next_act,
    }


GOOD = _example("outbox-age", Outcome.PASS, 0.0)
BAD = _example("outbox-age", Outcome.FAIL, 4020.0, ("XT",))
TIME = "2026-11-22T03:40:00.000Z"

ALL = Operation(
    "readChecks",
    Tag.MONITORING,
    "Is everything as it should be",
    {
        200: Answered(
            "Every answer is yes.", ChecksView, {"quiet": {"time": TIME, "outcome": "pass", "checks": [GOOD]}}
        ),
        503: Answered(
            "At least one answer is no.",
            ChecksView,
            {"silent_peer": {"time": TIME, "outcome": "fail", "checks": [BAD]}},
        ),
    },
    errors=(ROLE_NOT_ALLOWED,),
)
ONE = Operation(
    "readCheck",
    Tag.MONITORING,
    "Is one thing as it should be",
    {
        200: Answered("It is.", NodeCheckView, {"quiet": GOOD}),
        503: Answered("It is not.", NodeCheckView, {"silent_peer": BAD}),
    },
    errors=(ROLE_NOT_ALLOWED,),
)


@router.get("/v1/monitoring/checks", **ALL.route())
async def read_checks(view: ReadingOnly) -> Response:
    """Each check with what it found. 503 when any of them fails; `fail` takes no node out of service by itself.

    Names: `database`, `broker`, `outbox-age`, `gaps`, `quarantine`, `dead-letters`, `key-expiry`, `audit-chain`,
    `clock-skew`, `recovery`, `notifications`, `duty-roster`, `revoked-keys`. For monitors,
    supervisors and administrators.
    """
    asked = _asked(view)
    checks = [_shown(name, check, await ask(asked, name)) for name, check in CHECKS.items()]
    bad = any(check.outcome is Outcome.FAIL for check in checks)
    shown = ChecksView(time=view.now, outcome=Outcome.FAIL if bad else Outcome.PASS, checks=checks)
    return answer_json(503 if bad else 200, shown)


@router.get("/v1/monitoring/checks/{name}", **ONE.route())
async def read_check(name: str, view: ReadingOnly) -> Response:
    """One of the checks, for a monitor that knows only up and down. 404 for a name that is none of them.

    For monitors, supervisors and administrators.
    """
    check = CHECKS.get(name)
    if check is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    shown = _shown(name, check, await ask(_asked(view), name))
    return answer_json(200 if shown.outcome is Outcome.PASS else 503, shown)


def _asked(view: Reading) -> Asked:
    return Asked(view.runtime, view.session, view.now)


def _shown(name: str, check: NodeCheck, found: Finding) -> NodeCheckView:
    return NodeCheckView(
        name=name,
        outcome=Outcome.PASS if found.good else Outcome.FAIL,
        question=check.question,
        observed=found.observed,
        limit=check.limit,
        unit=check.unit,
        peers=list(found.peers),
        next_act=NOBODY if found.good else check.next_act,
    )
