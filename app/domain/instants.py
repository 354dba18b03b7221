"""RFC 3339 times as evidence: the text as written, the offset it gave, and the instant in UTC.

A time without an offset names no instant and is refused (`C-TZ`); the caller must not guess a zone. The name of a zone
behind it (RFC 9557, `2026-11-21T23:14:05[Europe/Rome]`) stands for the offset, except in the hour that comes twice when
clocks are put back: there the offset must be written. A second of 60 is read as 59 and marked, because a log line from
a leap second is still evidence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

MAX_OFFSET = timedelta(hours=14)
"""No place on earth keeps a larger distance from UTC."""
MAX_LENGTH = 80

_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?(?:\[!?([A-Za-z][A-Za-z0-9_+/-]{1,49})\])?"
)
_NO_ZONES = ("right/", "posix/", "localtime", "posixrules", "Factory")
"""Files beside the zones: copies of the database (those under `right` count leap seconds), and what stands for the zone
of the machine that reads, which is not the one of whoever wrote."""
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
    day, hour, minute, second, fraction, offset, zone_name = matched.groups()
    zone = None if zone_name is None else named_zone(zone_name)
    if offset is None and zone is None:
        raise NoInstant("C-TZ", "Add the offset from UTC, or Z: without it the text names no instant.")
    leap = int(second) == _LEAP_SECOND
    try:
        local = datetime.combine(date.fromisoformat(day), datetime.min.time()).replace(
            hour=int(hour),
            minute=int(minute),
            second=int(second) - leap,
            microsecond=int((fraction or "0").ljust(6, "0")[:6]),
        )
        utc = _in_zone(local, zone) if offset is None and zone else local.replace(tzinfo=_zone(offset)).astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        if isinstance(fault, NoInstant):
            raise
        raise NoInstant("bad_time", "There is no such date, time or offset.") from fault
    if zone is not None and offset not in {None, "Z", "z", "-00:00"} and not _agree(local, utc, zone):
        raise NoInstant("C-TZ", "The offset is not the one that this zone had then: which of the two is right?")
    return Instant(text, utc, leap)


def read_day(text: str) -> date:
    """Read a full-date (YYYY-MM-DD); raises NoInstant."""
    if _DAY.fullmatch(text) is None:
        raise NoInstant("bad_time", "Write the date as in 2026-11-21.")
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise NoInstant("bad_time", "There is no such date.") from fault


def named_zone(name: str) -> ZoneInfo:
    """The zone of that name, the same on every machine. Raises NoInstant `bad_time_zone`, also for `localtime`."""
    if not name.startswith(_NO_ZONES):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            pass
    raise NoInstant("bad_time_zone", "Write the name of a zone in the IANA database.")


def _in_zone(local: datetime, zone: ZoneInfo) -> datetime:
    """The one instant that a clock on the wall of that zone showed as `local`."""
    readings = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    shown = [utc for utc in readings if utc.astimezone(zone).replace(tzinfo=None) == local]
    if not shown:
        raise NoInstant("bad_time", "No clock of that zone showed this time: it was put forward over it.")
    if len(shown) > 1:
        raise NoInstant("C-TZ", "That hour came twice in this zone: add the offset from UTC.")
    return shown[0]


def _agree(local: datetime, utc: datetime, zone: ZoneInfo) -> bool:
    try:
        return utc.astimezone(zone).replace(tzinfo=None) == local
    except OverflowError:
        return False


def _zone(offset: str) -> timezone:
    if offset in {"Z", "z"}:
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    distance = timedelta(hours=hours, minutes=minutes)
    if minutes >= _MINUTES or distance > MAX_OFFSET:
        message = "no such offset"
        raise ValueError(message)
    return timezone(-distance if offset[0] == "-" else distance)
