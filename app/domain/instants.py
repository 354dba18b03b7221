"""RFC 3339 times as evidence: the text as written, the offset it gave, and the instant in UTC.

A time without an offset names no instant and is refused (`C-TZ`); the caller must not guess a zone. A second of 60 is
read as 59 and marked, because a log line from a leap second is still evidence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

MAX_OFFSET = timedelta(hours=14)
"""No place on earth keeps a larger distance from UTC."""
MAX_LENGTH = 40

_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LEAP_SECOND = 60
_MINUTES = 60


class NoInstant(ValueError):
    """The text names no instant; `code` says why: `C-TZ` (no offset) or `bad_time`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Instant:
    """`text` is what was written, `utc` what it means; `leap` if the seconds said 60."""

    text: str
    utc: datetime
    leap: bool = False

    @property
    def normal_form(self) -> str:
        """UTC with `Z`, fractions only where there are any."""
        return write_utc(self.utc)


def write_utc(moment: datetime) -> str:
    """RFC 3339 in UTC, without a fraction when it is zero."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_instant(text: str) -> Instant:
    """Read an RFC 3339 date-time; raises NoInstant, which never repeats the text."""
    matched = _INSTANT.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if matched is None:
        raise NoInstant("bad_time", "Write date and time as in 2026-11-21T23:14:05+01:00 (RFC 3339).")
    day, hour, minute, second, fraction, offset = matched.groups()
    if offset is None:
        raise NoInstant("C-TZ", "Add the offset from UTC, or Z: without it the text names no instant.")
    leap = int(second) == _LEAP_SECOND
    try:
        local = datetime.combine(date.fromisoformat(day), datetime.min.time(), _zone(offset)).replace(
            hour=int(hour),
            minute=int(minute),
            second=int(second) - leap,
            microsecond=int((fraction or "0").ljust(6, "0")[:6]),
        )
        utc = local.astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise NoInstant("bad_time", "There is no such date, time or offset.") from fault
    return Instant(text, utc, leap)


def read_day(text: str) -> date:
    """Read a full-date (YYYY-MM-DD); raises NoInstant."""
    if _DAY.fullmatch(text) is None:
        raise NoInstant("bad_time", "Write the date as in 2026-11-21.")
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise NoInstant("bad_time", "There is no such date.") from fault


def _zone(offset: str) -> timezone:
    if offset in {"Z", "z"}:
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    distance = timedelta(hours=hours, minutes=minutes)
    if minutes >= _MINUTES or distance > MAX_OFFSET:
        message = "no such offset"
        raise ValueError(message)
    return timezone(-distance if offset[0] == "-" else distance)
