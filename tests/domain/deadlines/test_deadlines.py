"""Clocks: targets per tier, the shrinking acknowledgement, the working day of triage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.codes import Tier
from app.domain.deadlines import TARGETS, Step, acknowledgement_due, due, triage_due

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("step", "emergency", "urgent", "routine"),
    [
        (Step.DELIVERY, MINUTE, 5 * MINUTE, 15 * MINUTE),
        (Step.DELIVERY_ALARM, 30 * MINUTE, 4 * HOUR, DAY),
        (Step.ACKNOWLEDGEMENT, 15 * MINUTE, HOUR, DAY),
        (Step.SUBSTANCE, HOUR, 8 * HOUR, 7 * DAY),
        (Step.PRESERVED, 4 * HOUR, DAY, 7 * DAY),
        (Step.RISK_NOTICE, 30 * MINUTE, 4 * HOUR, 2 * DAY),
    ],
)
def test_targets_are_those_of_the_table(
    step: Step, emergency: timedelta, urgent: timedelta, routine: timedelta
) -> None:
    """The targets of domain.md 6.3 and 6.10, tier by tier."""
    assert [due(step, tier, start=NOW) - NOW for tier in Tier] == [emergency, urgent, routine]


def test_every_step_is_due_the_sooner_the_more_urgent() -> None:
    """No target of an urgent request is longer than that of a routine one; some steps have dates instead."""
    for target in TARGETS.values():
        assert target.emergency <= target.urgent <= target.routine
    assert set(Step) - set(TARGETS) == {Step.CONFIRMATION, Step.REVIEW, Step.MLA_RECEIPT, Step.HOLD_END}


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=3), HOUR),
        (4 * HOUR, HOUR),
        (40 * MINUTE, 10 * MINUTE),
        (20 * MINUTE, 5 * MINUTE),
        (8 * MINUTE, 5 * MINUTE),
        (-HOUR, 5 * MINUTE),
    ],
)
def test_urgent_acknowledgement_shrinks_with_the_time_left(left: timedelta, expected: timedelta) -> None:
    """A quarter of the time left, at most an hour, at least five minutes."""
    assert acknowledgement_due(Tier.URGENT, expected_loss_at=NOW + left, start=NOW) == NOW + expected


def test_acknowledgement_of_other_tiers_does_not_shrink() -> None:
    """Emergencies have a quarter of an hour, routine a day, whatever is lost when; urgent without a date an hour."""
    soon = NOW + 20 * MINUTE
    assert acknowledgement_due(Tier.EMERGENCY, expected_loss_at=soon, start=NOW) == NOW + 15 * MINUTE
    assert acknowledgement_due(Tier.ROUTINE, expected_loss_at=soon, start=NOW) == NOW + DAY
    assert acknowledgement_due(Tier.URGENT, expected_loss_at=None, start=NOW) == NOW + HOUR


def test_triage_of_emergencies_and_urgent_requests_counts_minutes() -> None:
    """A quarter of an hour and two hours, weekend or not."""
    assert triage_due(Tier.EMERGENCY, start=NOW, zone=PARIS) == NOW + 15 * MINUTE
    assert triage_due(Tier.URGENT, start=NOW, zone=PARIS) == NOW + 2 * HOUR


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-11-18T15:00:00+01:00", "2026-11-19T15:00:00+01:00"),
        ("2026-11-20T15:00:00+01:00", "2026-11-23T15:00:00+01:00"),
        ("2026-11-21T15:00:00+01:00", "2026-11-24T00:00:00+01:00"),
        ("2026-11-22T10:30:00+01:00", "2026-11-24T00:00:00+01:00"),
        ("2026-10-23T15:00:00+02:00", "2026-10-26T15:00:00+01:00"),
    ],
)
def test_routine_triage_has_one_working_day(start: str, expected: str) -> None:
    """Midweek the next day, Friday until Monday, a weekend until the end of Monday, by the clock on the wall."""
    begun = datetime.fromisoformat(start)
    assert triage_due(Tier.ROUTINE, start=begun, zone=PARIS) == datetime.fromisoformat(expected)


def test_weekend_is_the_country_s_own() -> None:
    """Where Friday and Saturday are free, Thursday's request is due on Sunday."""
    thursday = datetime.fromisoformat("2026-11-19T12:00:00+03:00")
    due_at = triage_due(Tier.ROUTINE, start=thursday, zone=ZoneInfo("Asia/Riyadh"), weekend={4, 5})
    assert due_at == datetime.fromisoformat("2026-11-22T12:00:00+03:00")


def test_triage_is_due_even_if_no_day_works() -> None:
    """A weekend of seven days is senseless, but the clock still ends."""
    assert triage_due(Tier.ROUTINE, start=NOW, zone=PARIS, weekend=range(7)) > NOW
