"""When a test call is made, until when a person must answer it, and what silence says of a contact point."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.domain.service_messages import CallKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

ANSWER_WITHIN: Mapping[CallKind, timedelta] = MappingProxyType(
    {CallKind.PING: timedelta(minutes=15), CallKind.DRILL: timedelta(hours=1)}
)
"""A ping is as urgent as an emergency: that is what it tests."""

EVERY = timedelta(days=28)
"""Between two planned calls to one contact point, on average; the day is as little known before as the hour."""

MOST_AHEAD = EVERY
"""Of a call that a person plans: one for next year would keep the planned ones away until then."""

NIGHT = (time(2), time(5))
"""Local hours in which a planned call comes, at a moment nobody knows before."""

MISSED_BEFORE_UNVERIFIED = 2


class Standing(StrEnum):
    """What is known of a contact point's reachability. UNVERIFIED: nobody answered twice; its registrar calls back."""

    VERIFIED = "verified"
    STALE = "stale"
    UNVERIFIED = "unverified"


def next_day(last: date | None, today: date, *, draw: float) -> date:
    """The day of the next planned call, after today: within four weeks, or two to six weeks after the last one."""
    days = timedelta(days=int(draw * EVERY.days))
    tomorrow = today + timedelta(days=1)
    return tomorrow + days if last is None else max(tomorrow, last + EVERY / 2 + days)


def night_moment(day: date, zone: ZoneInfo, *, draw: float) -> datetime:
    """A moment of that night: `draw` from 0 up to 1 chooses it between two and five o'clock of that zone.

    On the night when clocks change it is still within those hours of the wall clock.
    """
    begin, end = (datetime.combine(day, hour, zone) for hour in NIGHT)
    span = end.timestamp() - begin.timestamp()
    return datetime.fromtimestamp(begin.timestamp() + draw * span, tz=zone)


def is_unverified(answered: Sequence[bool]) -> bool:
    """Whether the latest calls that are over, newest first, were missed one after the other."""
    latest = answered[:MISSED_BEFORE_UNVERIFIED]
    return len(latest) == MISSED_BEFORE_UNVERIFIED and not any(latest)
