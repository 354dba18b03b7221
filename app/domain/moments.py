"""Instants as the wire writes them: RFC 3339, UTC, `Z`, milliseconds; never without an offset.

Whatever enters a value is cut to the millisecond first, so that what one side stores and what the other reads in a
snapshot are the same instant, not almost the same.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, PlainSerializer

_MICROSECONDS = 1000
_NO_TIME = datetime.min.replace(tzinfo=UTC)
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
_RFC_3339 = re.compile(f"{_DAY}[Tt]{_CLOCK}([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})")


def _read_text(value: object) -> object:
    """Read the text ourselves: pydantic would also take numbers in quotes and times without seconds."""
    if not isinstance(value, str):
        return value
    if _RFC_3339.fullmatch(value) is None:
        message = "is not a time as in RFC 3339, with seconds and its offset"
        raise ValueError(message)
    return datetime.fromisoformat(value.upper())


def to_milliseconds(moment: datetime) -> datetime:
    """`moment` in UTC, cut (never rounded up) to the millisecond.

    Raises ValueError without offset, outside the calendar, and for its first millisecond: that is what programs write
    which have no time to tell, and a database reads it as "for ever before".
    """
    cut = _cut(moment)
    if cut == _NO_TIME:
        message = "is the beginning of the calendar, which stands for no time"
        raise ValueError(message)
    return cut


def _cut(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        message = "an instant needs its offset from UTC"
        raise ValueError(message)
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError as fault:
        message = "is outside the years 1 to 9999 in UTC"
        raise ValueError(message) from fault
    return in_utc.replace(microsecond=in_utc.microsecond // _MICROSECONDS * _MICROSECONDS)


def write_instant(moment: datetime) -> str:
    """The one text of an instant: `2026-11-22T09:30:00.000Z`."""
    return _cut(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_read_text),
    AfterValidator(to_milliseconds),
    PlainSerializer(write_instant, return_type=str, when_used="json"),
]
"""A wire time: text with an offset comes in, UTC to the millisecond is kept, the one text goes out."""
