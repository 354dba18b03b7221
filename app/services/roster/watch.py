"""What is wrong with the roster is told: fourteen days ahead as a warning, 48 hours ahead as an error, each once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from app.db import rosters
from app.domain.moments import write_instant
from app.domain.roster import Rule, Severity, find_faults
from app.services.announce import Event, announce
from app.services.roster.standing import load_standing_roster

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.domain.roster import Finding
    from app.services.node import Node

TOLD = (Severity.WARNING, Severity.ERROR)


async def watch_roster(session: Session, node: Node, *, now: datetime) -> int:
    """Announce what has become a warning or an error; returns how many events that took.

    One event per rule and severity, with how often and since when, so that a bad month is no flood. A roster that is
    not kept here at all is no event: the node may have another one, and calls the directory's contacts.
    """
    roster = await load_standing_roster(session, node, now=now)
    new: defaultdict[tuple[Rule, Severity], list[Finding]] = defaultdict(list)
    for one in find_faults(roster, now) if roster.since is not None else ():
        if one.severity in TOLD and await rosters.note_told(session, _about(one), one.severity, now=now):
            new[one.rule, one.severity].append(one)
    for (rule, severity), found in new.items():
        event = Event(
            kind=f"roster.{severity.value}",
            subject_kind="node",
            subject_id=node.code,
            agency_id=None,
            data={
                "rule": rule.value,
                "count": len(found),
                "starts_at": write_instant(min(one.starts_at for one in found)),
                "ends_at": write_instant(max(one.ends_at for one in found)),
            },
        )
        await announce(session, event, now=now)
    return len(new)


def _about(one: Finding) -> str:
    """The same finding at every look: by its rule, its shift, and when it begins."""
    return f"{one.rule.value} {one.shift or '-'} {write_instant(one.starts_at)}"
