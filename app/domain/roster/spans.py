"""Stretches of time as pairs of instants in UTC, from the first up to, but without, the second.

Nothing here knows a day: on the nights when clocks change a local day lasts 23 or 25 hours, and a stretch of instants
is covered or not all the same.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]

_DAY = timedelta(days=1)


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as it takes, in order; spans that touch become one."""
    found: list[Span] = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def without(span: Span, covered: Iterable[Span]) -> list[Span]:
    """What of `span` no span of `covered` covers, in order."""
    left: list[Span] = []
    reached, last = span
    for begin, end in joined(covered):
        if begin >= last:
            break
        if begin > reached:
            left.append((reached, begin))
        reached = max(reached, end)
    if reached < last:
        left.append((reached, last))
    return left


def days(first: date, last: date, zone: ZoneInfo) -> Span:
    """The local days from `first` to `last`, both whole, as instants."""
    begin, end = (datetime.combine(day, time.min, zone) for day in (first, last + _DAY))
    return begin.astimezone(UTC), end.astimezone(UTC)
