"""The week of a contact point: who is there, who is on call, and the proof that no minute of the 168 hours is left out.

Hours are wall-clock hours of the contact point's own time zone. A week that is covered on the wall clock stays covered
on the 23-hour and the 25-hour day, because an interval then just lasts shorter or longer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from app.domain.key_records import Entry

_DAY_MINUTES = 24 * 60
_HOUR_MINUTES = 60

Clock = Annotated[str, StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]


class Weekday(StrEnum):
    """Days in ISO order."""

    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


_WEEK = tuple(Weekday)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * _HOUR_MINUTES + int(minutes)


def _spell(minute_of_week: int) -> str:
    day, minute = divmod(minute_of_week, _DAY_MINUTES)
    return f"{_WEEK[day % len(_WEEK)]} {minute // _HOUR_MINUTES:02}:{minute % _HOUR_MINUTES:02}"


class Interval(Entry):
    """The same span on each of the named days. It ends on the day it begins, at 24:00 at the latest."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)]
    start: Clock
    end: Clock

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if _minutes(self.start) >= _minutes(self.end):
            raise ValueError(f"{self.start} to {self.end} does not end on the day it begins; a night is two intervals")
        return self

    def spans(self) -> list[tuple[int, int]]:
        """Start and end in minutes since Monday 00:00, one pair per day."""
        midnights = [_WEEK.index(day) * _DAY_MINUTES for day in self.days]
        return [(midnight + _minutes(self.start), midnight + _minutes(self.end)) for midnight in midnights]


def find_gap(intervals: tuple[Interval, ...]) -> tuple[str, str] | None:
    """The first stretch of the week that no interval covers, spelled; None when all 168 hours are covered."""
    reached = 0
    week = len(_WEEK) * _DAY_MINUTES
    for start, end in sorted(span for interval in intervals for span in interval.spans()):
        if start > reached:
            return _spell(reached), _spell(start)
        reached = max(reached, end)
    return None if reached >= week else (_spell(reached), _spell(week))


class Hours(Entry):
    """Art. 35 says round the clock: staffed and on-call intervals together must cover the whole week."""

    staffed: tuple[Interval, ...]
    on_call: tuple[Interval, ...]

    @model_validator(mode="after")
    def _covers_the_week(self) -> Self:
        gap = find_gap(self.staffed + self.on_call)
        if gap is not None:
            raise ValueError(f"nobody is there or on call from {gap[0]} to {gap[1]}")
        return self


def spell_interval(interval: Interval) -> str:
    """As a form prints it: `Mo-Fr 07:00-19:00`, days that follow one another drawn together."""
    runs: list[list[int]] = []
    for place in sorted({_WEEK.index(day) for day in interval.days}):
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    names = [_WEEK[place].value[:2].capitalize() for place in range(len(_WEEK))]
    days = ",".join(names[run[0]] if len(run) == 1 else f"{names[run[0]]}-{names[run[-1]]}" for run in runs)
    return f"{days} {interval.start}-{interval.end}"
