"""Rosters of invented people: a week like any other, and the two nights on which clocks change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID

from app.domain.roster import DutyRecord, Mode, Roster, Shift, Training

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

ANNA, BEN, CARA, SUE = (UUID(int=number) for number in (1, 2, 3, 9))
CYBER = Training(
    course="First responder",
    provider="Academy",
    level="basic",
    completed_on=date(2025, 1, 10),
    expires_on=date(2027, 6, 30),
)
GOOD = DutyRecord(reads=("fr", "en-GB"), training=(CYBER,))


def shift(number: int, begin: datetime, end: datetime, **other: object) -> Shift:
    """Anna with Ben behind her, unless `other` says otherwise; in UTC."""
    made = Shift(
        id=UUID(int=100 + number),
        starts_at=begin.astimezone(UTC),
        ends_at=end.astimezone(UTC),
        time_zone="Europe/Rome",
        mode=Mode.STAFFED,
        primary=ANNA,
        secondary=BEN,
        supervisor=SUE,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def roster(shifts: Sequence[Shift], **other: object) -> Roster:
    """Two people who are trained and read English, a roster kept for long, all shifts taken over."""
    known = {ANNA: GOOD, BEN: GOOD, CARA: GOOD}
    confirmed = frozenset(one.id for one in shifts)
    made = Roster(shifts=tuple(shifts), people=known, since=NOW - 30 * DAY, confirmed=confirmed)
    return replace(made, **other)  # type: ignore[arg-type]


def local_days(first: date, count: int, zone: ZoneInfo, *, at: Sequence[int] = (8, 20)) -> list[Shift]:
    """Shifts that begin at these local hours of each day, each up to the next: 11 or 13 hours when clocks change."""
    begins = [
        datetime(day.year, day.month, day.day, hour, tzinfo=zone)
        for day in (first + number * DAY for number in range(count))
        for hour in at
    ]
    return [shift(number, *pair) for number, pair in enumerate(pairwise(begins))]
