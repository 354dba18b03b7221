"""How much time one target of a request may ask about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from app.domain.codes import DataCategory
from app.domain.law.faults import Fault
from app.domain.law.rows import Row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

WIDEST_ON_FILE = 168
"""Hours. More than a week of a shared address is no question about a person."""


class Widest(Row):
    """The days of a kind of data beyond which an officer is warned."""

    category: DataCategory
    days: Annotated[int, Field(ge=1, le=3650)]


class IntervalsFile(Row):
    """`intervals.yaml`: every kind of data once, and the hours of a shared address, beyond which nothing is taken."""

    intervals: tuple[Widest, ...] = ()
    shared_address_hours: Annotated[int, Field(ge=1, le=WIDEST_ON_FILE)] = 24

    def widest(self, categories: Collection[DataCategory]) -> timedelta | None:
        """The narrowest of their widths; None where the file has none of them."""
        days = [row.days for row in self.intervals if row.category in categories]
        return timedelta(days=min(days)) if days else None

    @property
    def shared_address(self) -> timedelta:
        """The width of a question about a shared or changing address (IP-6)."""
        return timedelta(hours=self.shared_address_hours)


def check_intervals(file: IntervalsFile) -> Iterator[Fault]:
    """Kinds of data that are listed twice, or not at all."""
    listed = [row.category for row in file.intervals]
    for place, category in enumerate(listed):
        if category in listed[:place]:
            yield Fault("intervals", ("intervals", place, "category"), f"{category} is listed twice")
    for category in DataCategory:
        if category not in listed:
            yield Fault("intervals", ("intervals",), f"{category} is missing")
