"""How far a deadline has run, in parts of its term, and who is told of it (domain.md 6.7). No level changes a state."""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.domain.deadlines.clocks import Step, later
from app.domain.deadlines.opened import Whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from app.domain.deadlines.opened import Deadline


class Level(IntEnum):
    """Per cent of the term that have gone by."""

    HALF = 50
    DUE = 100
    DOUBLE = 200


class Audience(StrEnum):
    """Who is told; which channels reach them is the operator's matter."""

    DESK = "desk"
    SECOND_CONTACT = "second_contact"
    ESCALATION = "escalation"
    SUPERVISOR = "supervisor"
    REGISTRAR = "registrar"
    CENTRAL_AUTHORITY = "central_authority"
    OPERATOR = "operator"


_LATE_ONLY = (Level.DUE,)
_OURS = (Level.HALF, Level.DUE)
_WATCHED = (Level.DUE, Level.DOUBLE)

_LEVELS: Mapping[Step, tuple[Level, ...]] = MappingProxyType(
    {
        # Their end has warnings of its own, thirty days ahead and nearer.
        Step.HOLD_END: (),
        # Dates agreed long before: half of them is no news.
        Step.REVIEW: _LATE_ONLY,
        Step.CONFIRMATION: _LATE_ONLY,
        Step.MLA_RECEIPT: _LATE_ONLY,
        Step.REGULARISATION: _LATE_ONLY,
        Step.SIGNATURE_REVIEW: _LATE_ONLY,
        # The desk may already try another road; everybody else waits for the alarm.
        Step.DELIVERY: _LATE_ONLY,
        Step.DELIVERY_ALARM: _WATCHED,
    }
)
"""Steps with levels of their own; see `levels_of` for the others."""

_SUPERVISED = frozenset({Step.REGULARISATION, Step.SIGNATURE_REVIEW})
BY_TELEPHONE = frozenset({Step.DELIVERY, Step.DELIVERY_ALARM, Step.ACKNOWLEDGEMENT})
"""Steps of the other side at which nobody there has answered yet: the telephone helps. The own list is told of them,
but for the first: a minute without a receipt is no alarm yet."""


def levels_of(deadline: Deadline) -> tuple[Level, ...]:
    """The levels this deadline can reach here, in order.

    Half of the term only where the step is ours: nobody pages a colleague for another state's work. The registrar is
    for what no person abroad has taken.
    """
    if deadline.step in _LEVELS:
        return _LEVELS[deadline.step]
    levels = _LATE_ONLY if deadline.whose is Whose.THEIRS else _OURS
    return (*levels, Level.DOUBLE) if deadline.step is Step.ACKNOWLEDGEMENT else levels


def level_at(deadline: Deadline, level: Level) -> datetime:
    """The instant at which the deadline reaches that level; for a date that lay in the past when it was set, that."""
    if level is Level.DUE:
        return deadline.due_at
    term = max(timedelta(), deadline.due_at - deadline.started_at)
    return later(deadline.due_at, term * (level - Level.DUE) / Level.DUE)


def reached_level(deadline: Deadline, now: datetime) -> Level | None:
    """The highest level reached; None before the first. Lower ones that nobody was told of are told with it."""
    return max((level for level in levels_of(deadline) if level_at(deadline, level) <= now), default=None)


def next_level_at(deadlines: Iterable[Deadline], now: datetime) -> datetime | None:
    """When any of these deadlines reaches its next level, or its end; None if time alone brings nothing more."""
    coming = (level_at(one, level) for one in deadlines for level in {Level.DUE, *levels_of(one)})
    return min((instant for instant in coming if instant > now), default=None)


def audience_of(deadline: Deadline, level: Level, *, told: Level | None = None) -> tuple[Audience, ...]:
    """Whom to tell when `level` is reached and the levels up to `told` were told before.

    The people of the levels that were skipped, while the node was down, are told too: of the highest level, once.
    """
    skipped = [one for one in levels_of(deadline) if one <= level and (told is None or one > told)]
    return tuple(dict.fromkeys(who for one in skipped for who in _audience(deadline, one)))


def _audience(deadline: Deadline, level: Level) -> tuple[Audience, ...]:
    if level is Level.HALF:
        return (Audience.SECOND_CONTACT,)
    if level is Level.DOUBLE:
        return (Audience.REGISTRAR,)
    if deadline.step in _SUPERVISED:
        return (Audience.DESK, Audience.SUPERVISOR)
    if deadline.step is Step.DELIVERY or (deadline.whose is Whose.THEIRS and deadline.step not in BY_TELEPHONE):
        return (Audience.DESK,)
    return (Audience.DESK, Audience.ESCALATION)
