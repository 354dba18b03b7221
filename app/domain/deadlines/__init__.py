"""When each step is due, whose it is, and who is told when it is late (domain.md 6.3, 6.7, 6.10).

These are targets of service, not duties in law: missing one escalates and never voids anything, nor changes any state.
"""

from __future__ import annotations

from app.domain.deadlines.clocks import (
    PACKAGED,
    SHORTEST_ACKNOWLEDGEMENT,
    TARGETS,
    WEEKEND,
    Clocks,
    Step,
    Target,
    acknowledgement_due,
    due,
    triage_due,
)
from app.domain.deadlines.levels import (
    BY_TELEPHONE,
    Audience,
    Level,
    audience_of,
    level_at,
    levels_of,
    next_level_at,
    reached_level,
)
from app.domain.deadlines.opened import (
    Deadline,
    DeskWork,
    Standpoint,
    Subject,
    Whose,
    is_overdue,
    open_deadlines,
    open_deadlines_of_request,
)

__all__ = [
    "BY_TELEPHONE",
    "PACKAGED",
    "SHORTEST_ACKNOWLEDGEMENT",
    "TARGETS",
    "WEEKEND",
    "Audience",
    "Clocks",
    "Deadline",
    "DeskWork",
    "Level",
    "Standpoint",
    "Step",
    "Subject",
    "Target",
    "Whose",
    "acknowledgement_due",
    "audience_of",
    "due",
    "is_overdue",
    "level_at",
    "levels_of",
    "next_level_at",
    "open_deadlines",
    "open_deadlines_of_request",
    "reached_level",
    "triage_due",
]
