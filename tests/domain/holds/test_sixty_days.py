"""How long a hold lasts: the end of the sixtieth local day, and never less than sixty times 24 hours, anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.holds import end_of_hold, extended_end, working_days_later

ZONES = sorted(available_timezones())
ROME = ZoneInfo("Europe/Rome")
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


def wall_clock_midnight(preserved_at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The unprotected rule, for comparison: midnight after the last local day, and nothing else."""
    day = preserved_at.astimezone(zone).date() + timedelta(days=days + 1)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


@settings(max_examples=400, deadline=None)
@given(preserved_at=instants, zone=zones, days=st.integers(60, 400))
def test_no_hold_is_shorter_than_its_days_anywhere(preserved_at: datetime, zone: ZoneInfo, days: int) -> None:
    """Not by an hour, in no zone, on no day of the year (art. 29(7))."""
    assert end_of_hold(preserved_at, days, zone=zone) >= preserved_at + timedelta(days=days)


@settings(max_examples=400, deadline=None)
@given(preserved_at=instants, zone=zones, days=st.integers(60, 400))
def test_the_last_local_day_is_over_when_a_hold_ends(preserved_at: datetime, zone: ZoneInfo, days: int) -> None:
    """Whoever reads the date on a calendar in the requested state is not surprised."""
    last_day = preserved_at.astimezone(zone).date() + timedelta(days=days)
    assert end_of_hold(preserved_at, days, zone=zone).astimezone(zone).date() > last_day


@settings(max_examples=400, deadline=None)
@given(preserved_at=instants, zone=zones, days=st.integers(60, 400))
def test_a_hold_is_at_most_a_day_and_a_clock_change_longer_than_its_days(
    preserved_at: datetime, zone: ZoneInfo, days: int
) -> None:
    """The rule gives the benefit of the doubt, not more: no clock was ever put forward by more than a day."""
    longest = timedelta(days=days + 2, hours=3)
    assert end_of_hold(preserved_at, days, zone=zone) <= preserved_at + longest


@settings(max_examples=400, deadline=None)
@given(preserved_at=instants, zone=zones, days=st.integers(60, 400), more=st.integers(1, 200))
def test_an_extension_adds_at_least_its_days(preserved_at: datetime, zone: ZoneInfo, days: int, more: int) -> None:
    """The new end lies at least so many times 24 hours after the old one, so no path leads below the minimum."""
    end = end_of_hold(preserved_at, days, zone=zone)
    assert extended_end(end, more, zone=zone) >= end + timedelta(days=more)


def test_every_zone_keeps_the_minimum_through_a_year() -> None:
    """Each zone of the database, every fifth day of 2026, at the two instants around local midnight."""
    too_short = [
        (zone, edge.isoformat())
        for zone in ZONES
        for edge in edges_of_days(ZoneInfo(zone))
        if end_of_hold(edge, 60, zone=ZoneInfo(zone)) < edge + timedelta(days=60)
    ]
    assert too_short == []


def edges_of_days(zone: ZoneInfo) -> list[datetime]:
    """The instants just before and at local midnight, through 2026."""
    first = datetime(2026, 1, 1, tzinfo=zone).astimezone(UTC)
    midnights = [first + timedelta(days=day) for day in range(0, 365, 5)]
    return [edge for midnight in midnights for edge in (midnight - timedelta(seconds=1), midnight)]


def test_the_wall_clock_alone_would_give_less_than_sixty_days() -> None:
    """Negative control: late in the evening, with the clocks put forward meanwhile, midnight comes too early."""
    evening = datetime(2026, 3, 1, 23, 30, tzinfo=ROME).astimezone(UTC)
    assert wall_clock_midnight(evening, 60, ROME) < evening + timedelta(days=60)
    assert end_of_hold(evening, 60, zone=ROME) == evening + timedelta(days=60)


def test_the_hours_alone_would_end_before_the_day_does() -> None:
    """Negative control for the other rule: sixty times 24 hours end in the middle of the sixtieth local day."""
    morning = datetime(2026, 6, 1, 8, 0, tzinfo=ROME).astimezone(UTC)
    assert morning + timedelta(days=60) < end_of_hold(morning, 60, zone=ROME)
    assert end_of_hold(morning, 60, zone=ROME) == datetime(2026, 7, 31, 22, 0, tzinfo=UTC)


CASES = {
    "clocks put back meanwhile: the local day ends an hour later": (
        "Europe/Rome",
        "2025-09-10T21:30:00+00:00",
        "2025-11-09T23:00:00+00:00",
    ),
    "no clock is ever changed": ("Asia/Tokyo", "2026-11-22T09:30:00+00:00", "2027-01-21T15:00:00+00:00"),
    "midnight is skipped on the last day": (
        "America/Asuncion",
        "2023-08-02T12:00:00+00:00",
        "2023-10-02T03:00:00+00:00",
    ),
    "a whole day is skipped meanwhile": ("Pacific/Apia", "2011-11-15T12:00:00+00:00", "2012-01-14T12:00:00+00:00"),
    "midnight comes twice: the later one": (
        "America/Havana",
        "2026-09-02T12:00:00+00:00",
        "2026-11-02T05:00:00+00:00",
    ),
}


@pytest.mark.parametrize("sentence", CASES)
def test_a_known_change_of_clocks(sentence: str) -> None:
    """Cases worked out by hand."""
    zone, preserved_at, end = CASES[sentence]
    assert end_of_hold(datetime.fromisoformat(preserved_at), 60, zone=ZoneInfo(zone)) == datetime.fromisoformat(end)


@pytest.mark.parametrize("days", [59, 1, 0, -60])
def test_fewer_than_sixty_days_are_no_hold(days: int) -> None:
    """The minimum is not a default: less is an error."""
    with pytest.raises(ValueError, match="sixty"):
        end_of_hold(datetime(2026, 11, 22, tzinfo=UTC), days, zone=ROME)


@pytest.mark.parametrize(
    ("day", "over"),
    [
        ("2026-11-19T09:00:00+01:00", "2026-11-25T00:00:00+01:00"),
        ("2026-11-21T09:00:00+01:00", "2026-11-26T00:00:00+01:00"),
    ],
    ids=["from a Thursday over the weekend", "from a Saturday"],
)
def test_three_working_days_leave_out_the_weekend(day: str, over: str) -> None:
    """Counted on the calendar of the requested side, to the end of the day."""
    assert working_days_later(datetime.fromisoformat(day), 3, zone=ROME) == datetime.fromisoformat(over)
