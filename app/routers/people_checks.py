"""Checks on people: whether those are told who have to be, and whether somebody is on duty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from app.db import notifications
from app.domain.roster import Severity, find_faults
from app.routers.checking import Asked, Finding, NodeCheck
from app.services.roster.standing import load_standing_roster

NOTIFICATIONS_SHOWN = timedelta(days=1)
NOTIFIED_WITHIN = timedelta(minutes=5)
"""Of what people are told outside the node; what waits longer is not getting out."""


async def _notifications(asked: Asked) -> Finding:
    """What was not taken in a day, and what has waited longer than people who are late can wait."""
    standing = await notifications.standing(asked.session, since=asked.now - NOTIFICATIONS_SHOWN)
    waits = timedelta() if standing.oldest_at is None else asked.now - standing.oldest_at
    return Finding(not standing.alarmed and waits <= NOTIFIED_WITHIN, float(standing.alarmed))


async def _duty_roster(asked: Asked) -> Finding:
    """Whether a rule of the roster is broken now or within 48 hours; one that is not kept here breaks none."""
    roster = await load_standing_roster(asked.session, asked.runtime.node, now=asked.now)
    wrong = [one for one in find_faults(roster, asked.now) if one.severity is Severity.ERROR]
    return Finding(not wrong, float(len(wrong)))


PEOPLE_CHECKS: Mapping[str, NodeCheck] = {
    "notifications": NodeCheck(
        _notifications,
        "Was everybody told who had to be told that something is late?",
        limit=0,
        unit="notifications",
        next_act="The desk looks at the feed (`notification.failed`) and at `/v1/deadlines`, and tells people by "
        "telephone. The operator runs `counterpart notify list`, adds or mends the channel, and tries it with "
        "`counterpart notify test`.",
    ),
    "duty-roster": NodeCheck(
        _duty_roster,
        "Is somebody trained on duty for the next 48 hours, and has whoever is there taken over?",
        limit=0,
        unit="faults",
        next_act="Look at `/v1/roster` or `counterpart roster check`: a supervisor enters or changes a shift, or the "
        "officer on duty confirms the handover. Where nobody is on duty or trained, the escalation contact of the "
        "directory is called meanwhile.",
    ),
}
