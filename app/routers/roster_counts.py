"""The roster in numbers, for monitors: whether somebody is on duty, until when, what is wrong. Nobody's name."""

from __future__ import annotations

from app.domain.roster import Rule, Severity, covered_until, find_faults, on_duty
from app.routers.deps import Reading
from app.routers.models import Moment, View
from app.services.roster.standing import load_standing_roster


class RosterFaultView(View):
    """How often a rule is broken, how badly, and when for the first time."""

    rule: Rule
    severity: Severity
    count: int
    starts_at: Moment


class RosterCountsView(View):
    """`kept` is false while no shift was ever entered here; then the directory's contacts are called."""

    kept: bool
    on_duty: bool
    covered_until: Moment | None
    faults: list[RosterFaultView]


EXAMPLE = {
    "kept": True,
    "on_duty": True,
    "covered_until": "2026-12-04T07:00:00.000Z",
    "faults": [
        {"rule": "roster_gap", "severity": "warning", "count": 1, "starts_at": "2026-12-04T07:00:00.000Z"},
    ],
}


async def count_roster(view: Reading) -> RosterCountsView:
    """The roster at this moment."""
    roster = await load_standing_roster(view.session, view.node, now=view.now)
    found = find_faults(roster, view.now)
    kinds = dict.fromkeys((one.rule, one.severity) for one in found)
    return RosterCountsView(
        kept=roster.since is not None,
        on_duty=on_duty(roster.shifts, view.now) is not None,
        covered_until=covered_until(roster, view.now),
        faults=[
            RosterFaultView(
                rule=rule,
                severity=severity,
                count=sum((one.rule, one.severity) == (rule, severity) for one in found),
                starts_at=min(one.starts_at for one in found if (one.rule, one.severity) == (rule, severity)),
            )
            for rule, severity in kinds
        ],
    )
