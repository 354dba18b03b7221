"""Calendar months in UTC, and which of them can be told of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

FINAL_AFTER = timedelta(days=7)
"""Since the end of a month: by then what the other side noted in it has arrived, and nothing is added any more."""

YEARS_BACK = 1
"""Besides the present year. What is older may have been erased, and would be counted again as less than it was."""


class Month(NamedTuple):
    """A calendar month, as `2026-11` in text; ordered by time."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def begins_at(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def before(self) -> Month:
        """The month before it."""
        return Month(self.year, self.month - 1) if self.month > 1 else Month(self.year - 1, 12)

    @property
    def after(self) -> Month:
        """The month after it."""
        return Month(self.year, self.month + 1) if self.month < 12 else Month(self.year + 1, 1)  # noqa: PLR2004 - months of a year


def month_of(moment: datetime) -> Month:
    """The month in UTC that holds `moment`."""
    utc = moment.astimezone(UTC)
    return Month(utc.year, utc.month)


def last_final(now: datetime) -> Month:
    """The newest month of which nothing changes any more."""
    return month_of(now - FINAL_AFTER).before


def first_shown(now: datetime) -> Month:
    """The oldest month that figures are given of: January, for periods are counted from the start of a year."""
    return Month(month_of(now).year - YEARS_BACK, 1)
