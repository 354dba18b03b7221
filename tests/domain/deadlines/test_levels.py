"""How far a deadline has run, and who is told: by the time alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.domain.codes import Tier
from app.domain.deadlines import (
    Audience,
    Deadline,
    Level,
    Step,
    Subject,
    Whose,
    audience_of,
    levels_of,
    next_level_at,
    reached_level,
)

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ID = UUID("0193523a-7a00-7000-8000-000000000009")
DESK, SECOND, LIST = Audience.DESK, Audience.SECOND_CONTACT, Audience.ESCALATION
SUPERVISOR, REGISTRAR = Audience.SUPERVISOR, Audience.REGISTRAR


def deadline(step: Step = Step.ACKNOWLEDGEMENT, whose: Whose = Whose.OURS) -> Deadline:
    """A quarter of an hour from now."""
    return Deadline(Subject.EXCHANGE, ID, step, Tier.EMERGENCY, whose, NOW, NOW + 15 * MINUTE)


@pytest.mark.parametrize(
    ("after", "ours", "theirs"),
    [
        (0 * MINUTE, None, None),
        (7 * MINUTE, None, None),
        (7.5 * MINUTE, Level.HALF, None),
        (15 * MINUTE - timedelta(microseconds=1), Level.HALF, None),
        (15 * MINUTE, Level.DUE, Level.DUE),
        (29 * MINUTE, Level.DUE, Level.DUE),
        (30 * MINUTE, Level.DOUBLE, Level.DOUBLE),
        (400 * DAY, Level.DOUBLE, Level.DOUBLE),
    ],
)
def test_levels_are_parts_of_the_term(after: timedelta, ours: Level | None, theirs: Level | None) -> None:
    """Half only where the step is ours; the whole and the double of an acknowledgement on both sides."""
    assert reached_level(deadline(), NOW + after) == ours
    assert reached_level(deadline(whose=Whose.THEIRS), NOW + after) == theirs


@pytest.mark.parametrize(
    ("step", "whose", "told"),
    [
        (Step.ACKNOWLEDGEMENT, Whose.OURS, {50: (SECOND,), 100: (DESK, LIST), 200: (REGISTRAR,)}),
        (Step.ACKNOWLEDGEMENT, Whose.THEIRS, {100: (DESK, LIST), 200: (REGISTRAR,)}),
        (Step.DELIVERY, Whose.THEIRS, {100: (DESK,)}),
        (Step.DELIVERY_ALARM, Whose.THEIRS, {100: (DESK, LIST), 200: (REGISTRAR,)}),
        (Step.SUBSTANCE, Whose.OURS, {50: (SECOND,), 100: (DESK, LIST)}),
        (Step.SUBSTANCE, Whose.THEIRS, {100: (DESK,)}),
        (Step.TRIAGE, Whose.OURS, {50: (SECOND,), 100: (DESK, LIST)}),
        (Step.INTAKE, Whose.OURS, {50: (SECOND,), 100: (DESK, LIST)}),
        (Step.REGULARISATION, Whose.BOTH, {100: (DESK, SUPERVISOR)}),
        (Step.SIGNATURE_REVIEW, Whose.OURS, {100: (DESK, SUPERVISOR)}),
        (Step.REVIEW, Whose.OURS, {100: (DESK, LIST)}),
        (Step.RELEASE, Whose.OURS, {50: (SECOND,), 100: (DESK, LIST)}),
        (Step.HOLD_END, Whose.THEIRS, {}),
    ],
)
def test_who_is_told_at_which_level(step: Step, whose: Whose, told: dict[int, tuple[Audience, ...]]) -> None:
    """The registrar only of what no person abroad has taken, and never of a matter at home."""
    one = deadline(step, whose)
    before = {level: max((low for low in levels_of(one) if low < level), default=None) for level in levels_of(one)}
    assert {int(level): audience_of(one, level, told=before[level]) for level in levels_of(one)} == told


def test_levels_that_were_skipped_are_told_with_the_highest() -> None:
    """After a night without the node: one telling, of the highest level, to everybody who has to know."""
    assert audience_of(deadline(), Level.DOUBLE) == (SECOND, DESK, LIST, REGISTRAR)
    assert audience_of(deadline(), Level.DOUBLE, told=Level.HALF) == (DESK, LIST, REGISTRAR)
    assert audience_of(deadline(), Level.DUE, told=Level.DUE) == ()


def test_the_next_look_is_at_the_next_level_of_any() -> None:
    """Half, whole, double, and then never again; the end of a hold is looked at too, though nobody is told of it."""
    one, end = deadline(), replace(deadline(Step.HOLD_END), due_at=NOW + DAY)
    at, looks = NOW, []
    while (at_next := next_level_at([one, end], at)) is not None:
        looks.append(at_next - NOW)
        at = at_next
    assert looks == [7.5 * MINUTE, 15 * MINUTE, 30 * MINUTE, DAY]


def test_dates_of_other_nodes_do_no_harm() -> None:
    """A date before its beginning is due at once; one at the end of the calendar is never doubled past it."""
    past = replace(deadline(), due_at=NOW - DAY)
    assert reached_level(past, NOW - DAY) is Level.DOUBLE
    far = replace(deadline(), due_at=datetime.max.replace(microsecond=999_000, tzinfo=UTC))
    assert reached_level(far, NOW) is None
    assert next_level_at([far], far.due_at - MINUTE) == far.due_at
