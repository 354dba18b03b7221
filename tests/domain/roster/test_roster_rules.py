"""The rules of the roster (domain.md 3.7), each with the roster that keeps it and the one that breaks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.roster import (
    HANDOVER_DUE,
    HORIZON,
    DutyRecord,
    Finding,
    Roster,
    Rule,
    Severity,
    Shift,
    covered_until,
    find_faults,
    needs_handover,
    on_duty,
    second_contact,
)
from tests.domain.roster.build import ANNA, BEN, CARA, CYBER, DAY, GOOD, HOUR, NOW, local_days, roster, shift

if TYPE_CHECKING:
    from collections.abc import Callable

MONTH = shift(0, NOW - DAY, NOW + 30 * DAY)
ROME = ZoneInfo("Europe/Rome")
ZONES = ("Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "Africa/Casablanca", "UTC")


def rules(made: Roster, now: datetime = NOW) -> list[Rule]:
    """Which rules are broken, each once."""
    return sorted({one.rule for one in find_faults(made, now)})


def only(made: Roster, now: datetime = NOW) -> Finding:
    """The one thing that is wrong."""
    (found,) = find_faults(made, now)
    return found


def test_a_good_roster_has_no_finding() -> None:
    """Somebody trained who reads English on duty through 28 days: nothing is wrong, also at a switchboard."""
    assert find_faults(roster([MONTH]), NOW) == []
    assert find_faults(roster([replace(MONTH, call_back=CARA)], switchboard=True), NOW) == []
    assert covered_until(roster([MONTH]), NOW) == MONTH.ends_at


BROKEN: dict[str, tuple[Callable[[], Roster], Rule]] = {
    "nobody after a week": (lambda: roster([replace(MONTH, ends_at=NOW + 7 * DAY)]), Rule.GAP),
    "a minute between two": (
        lambda: roster([replace(MONTH, ends_at=NOW + DAY), shift(1, NOW + DAY + HOUR / 60, NOW + 30 * DAY)]),
        Rule.GAP,
    ),
    "one person twice": (lambda: roster([replace(MONTH, secondary=ANNA)]), Rule.SAME_PERSON),
    "nobody reads English": (
        lambda: roster([MONTH], people=dict.fromkeys((ANNA, BEN), replace_reads("fr", "eng-x"))),
        Rule.LANGUAGE,
    ),
    "nobody was ever trained": (
        lambda: roster([MONTH], people=dict.fromkeys((ANNA, BEN), DutyRecord(reads=("en",)))),
        Rule.TRAINING,
    ),
    "the only training ends meanwhile": (
        lambda: roster([MONTH], people=trained_until(NOW.date() + 5 * DAY)),
        Rule.TRAINING,
    ),
    "a switchboard without anybody behind it": (lambda: roster([MONTH], switchboard=True), Rule.CALL_BACK),
    "nobody has taken over": (lambda: roster([MONTH], confirmed=frozenset()), Rule.HANDOVER),
    "no roster at all": (lambda: Roster((), {}, None), Rule.NOT_KEPT),
}


def replace_reads(*tags: str) -> DutyRecord:
    """Trained, and reads these languages."""
    return GOOD.model_copy(update={"reads": tags})


def trained_until(day: date) -> dict[object, DutyRecord]:
    """Anna alone is trained, up to that day."""
    training = CYBER.model_copy(update={"expires_on": day})
    return {ANNA: GOOD.model_copy(update={"training": (training,)}), BEN: DutyRecord(reads=("en",))}


@pytest.mark.parametrize("case", BROKEN)
def test_each_rule_is_found_alone(case: str) -> None:
    """What breaks one rule is found as that, and as nothing else."""
    make, rule = BROKEN[case]
    assert rules(make()) == [rule]


def test_one_of_two_is_enough() -> None:
    """Language and training are asked of the two officers together, not of each."""
    assert find_faults(roster([MONTH], people={BEN: GOOD}), NOW) == []
    assert rules(roster([MONTH], people={CARA: GOOD})) == [Rule.LANGUAGE, Rule.TRAINING]


@pytest.mark.parametrize(
    ("ahead", "severity"),
    [
        (47 * HOUR, Severity.ERROR),
        (48 * HOUR, Severity.ERROR),
        (49 * HOUR, Severity.WARNING),
        (14 * DAY, Severity.WARNING),
        (14 * DAY + HOUR, Severity.NOTICE),
        (27 * DAY, Severity.NOTICE),
    ],
)
def test_what_is_near_is_an_error_what_is_far_is_not(ahead: timedelta, severity: Severity) -> None:
    """A gap is a warning fourteen days ahead and an error 48 hours ahead; so is a training that ends."""
    ends = only(roster([replace(MONTH, ends_at=NOW + ahead)]))
    assert (ends.rule, ends.severity, ends.starts_at) == (Rule.GAP, severity, NOW + ahead)


def test_nothing_is_asked_beyond_28_days() -> None:
    """A roster that ends with the 28th day is whole; an instant less is a gap."""
    assert find_faults(roster([replace(MONTH, ends_at=NOW + HORIZON)]), NOW) == []
    assert rules(roster([replace(MONTH, ends_at=NOW + HORIZON - HOUR)])) == [Rule.GAP]


def test_training_ends_with_its_last_local_day() -> None:
    """Valid through the last day in the shift's own zone; the finding begins with the midnight after it."""
    found = only(roster([MONTH], people=trained_until(date(2026, 11, 30))))
    assert (found.starts_at, found.ends_at) == (datetime(2026, 11, 30, 23, tzinfo=UTC), MONTH.ends_at)
    assert (found.severity, found.shift) == (Severity.WARNING, MONTH.id)


def test_a_gap_that_runs_is_the_same_gap_at_every_look() -> None:
    """It begins where the last shift ended, however late one looks, and is told apart from the next one."""
    later = shift(1, NOW + 2 * DAY, NOW + 40 * DAY)
    made = roster([later], since=NOW - 3 * HOUR)
    found = {(only(made, NOW + ahead).starts_at, only(made, NOW + ahead).ends_at) for ahead in (0 * HOUR, HOUR, DAY)}
    assert found == {(NOW - 3 * HOUR, later.starts_at)}
    assert covered_until(made, NOW) is None
    assert find_faults(made, later.starts_at) == []


def test_a_gap_that_is_over_is_forgotten() -> None:
    """Only what is still to come, or is running, can be mended."""
    assert find_faults(roster([replace(MONTH, starts_at=NOW)], since=NOW - 5 * HOUR), NOW) == []


def test_call_back_is_asked_at_every_hour() -> None:
    """Another shift's person behind the switchboard counts; what nobody stands behind is named to the minute."""
    behind = shift(1, NOW - DAY, NOW + 3 * DAY, call_back=CARA)
    found = only(roster([MONTH, behind], switchboard=True))
    assert (found.rule, found.starts_at, found.ends_at) == (Rule.CALL_BACK, behind.ends_at, MONTH.ends_at)


@pytest.mark.parametrize(
    ("late", "severity"),
    [(HANDOVER_DUE - HOUR / 60, Severity.NOTICE), (HANDOVER_DUE, Severity.WARNING), (HOUR, Severity.ERROR)],
)
def test_an_unconfirmed_handover_grows_worse(late: timedelta, severity: Severity) -> None:
    """Nobody who came has said that they know what is open."""
    now = MONTH.starts_at + late
    made = roster([MONTH], confirmed=frozenset())
    assert [one.severity for one in find_faults(made, now) if one.rule is Rule.HANDOVER] == [severity]


def test_nobody_hands_over_to_themselves() -> None:
    """The same officer leading two shifts on end confirms nothing; another one does."""
    first, second = shift(1, NOW - DAY, NOW), shift(2, NOW, NOW + DAY)
    assert not needs_handover(roster([first, second]), second)
    assert needs_handover(roster([first, replace(second, primary=CARA)]), replace(second, primary=CARA))
    assert needs_handover(roster([first]), first)


def test_whoever_came_last_is_on_duty() -> None:
    """Two shifts overlap while one hands over: the new one counts. At its end nobody is on duty by it any more."""
    old, new = shift(1, NOW - DAY, NOW + HOUR), shift(2, NOW, NOW + DAY)
    assert on_duty([old, new], NOW - HOUR) == old
    assert on_duty([new, old], NOW) == new
    assert on_duty([old, new], new.ends_at) is None


def test_who_is_called_second() -> None:
    """The second of the shift; the directory's contact where nobody is there or trained, or no roster is kept."""
    good = second_contact(roster([MONTH]), NOW)
    assert (good.person, good.default) == (BEN, False)
    gap = second_contact(roster([]), NOW)
    assert (gap.person, gap.default, gap.because) == (None, True, Rule.GAP)
    untrained = second_contact(roster([MONTH], people={}), NOW)
    assert (untrained.person, untrained.default, untrained.because) == (BEN, True, Rule.TRAINING)
    assert second_contact(Roster((), {}, None), NOW).because is Rule.NOT_KEPT


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 27), 11), (date(2026, 10, 24), 13)])
def test_a_day_of_23_or_25_hours_stays_covered(day: date, hours: int) -> None:
    """Shifts by the local clock follow each other without gap, though that night's lasts 11 or 13 hours."""
    shifts = local_days(day, 31, ROME)
    begin = shifts[0].starts_at
    night = next(
        one
        for one in shifts
        if one.starts_at.astimezone(ROME).date() == day and one.starts_at.astimezone(ROME).hour == 20
    )
    assert night.ends_at - night.starts_at == hours * HOUR
    assert find_faults(roster(shifts, since=begin), begin) == []


def test_control_twelve_hours_by_the_clock_leave_a_gap_that_night() -> None:
    """Whoever adds twelve hours to the beginning leaves the extra hour of October to nobody: that hour is found."""
    shifts = [replace(one, ends_at=one.starts_at + 12 * HOUR) for one in local_days(date(2026, 10, 24), 31, ROME)]
    begin = shifts[0].starts_at
    found = only(roster(shifts, since=begin), begin)
    assert (found.rule, found.ends_at - found.starts_at) == (Rule.GAP, HOUR)


@settings(max_examples=60, deadline=None)
@given(
    first=st.dates(date(2026, 1, 1), date(2028, 12, 1)),
    zone=st.sampled_from(ZONES),
    hours=st.lists(st.integers(4, 23), min_size=1, max_size=4, unique=True).map(sorted),
    missing=st.integers(0, 200),
)
def test_local_shifts_cover_any_month_and_a_missing_one_is_found(
    first: date, zone: str, hours: list[int], missing: int
) -> None:
    """Whatever the zone and the nights when its clocks change: whole as entered; without one, that alone is a gap."""
    shifts = [replace(one, time_zone=zone) for one in local_days(first, 31, ZoneInfo(zone), at=hours)]
    begin = shifts[0].starts_at
    everybody = dict.fromkeys((ANNA, BEN), always_trained())
    whole = roster(shifts, since=begin, people=everybody)
    assert find_faults(whole, begin) == []
    assert sum_of(shifts) == shifts[-1].ends_at - begin
    within = [one for one in shifts if one.ends_at <= begin + HORIZON]
    gone = within[missing % len(within)]
    found = only(replace(whole, shifts=tuple(one for one in shifts if one != gone)), begin)
    assert (found.rule, found.starts_at, found.ends_at) == (Rule.GAP, gone.starts_at, gone.ends_at)


def always_trained() -> DutyRecord:
    """Trained in every year that the test knows."""
    lasting = CYBER.model_copy(update={"completed_on": date(2020, 1, 1), "expires_on": date(2035, 1, 1)})
    return GOOD.model_copy(update={"training": (lasting,)})


def sum_of(shifts: list[Shift]) -> timedelta:
    """The instants covered, counted one by one shift: none twice, none left out."""
    return sum((one.ends_at - one.starts_at for one in shifts), timedelta())
