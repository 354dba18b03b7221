"""When the line is down: whom to call and how to say an exchange's id so that it arrives (ruling 15)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.domain.office_hours import Weekday

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from app.domain.contact_points import ContactPoint
    from app.domain.office_hours import Interval

GROUP = 4
_MODULUS = 97
_MINUTES = 60


class Attendance(StrEnum):
    """Who answers at this moment, by the directory."""

    STAFFED = "STAFFED"
    ON_CALL = "ON_CALL"


@dataclass(frozen=True, slots=True)
class Number:
    """One number to call, with what it is and which languages are spoken there."""

    number: str
    label: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """Whom to ask for when the first numbers do not help."""

    role: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Reach:
    """How a contact point is reached by voice now. `phones` and `escalation` are in the order in which to try them.

    `local_time` is the wall clock there, `spoken` the languages in which it can be called.
    """

    code: str
    country: str
    agency: str
    ask_for: str | None
    call_back_minutes: int | None
    phones: tuple[Number, ...]
    spoken: tuple[str, ...]
    time_zone: str
    local_time: datetime
    attendance: Attendance
    hours: tuple[str, ...]
    escalation: tuple[Role, ...]
    emails: tuple[str, ...]
    fax: tuple[str, ...]


def groups_of(exchange_id: UUID) -> tuple[str, ...]:
    """The id in eight groups of four characters, 0-9 and a-f, as it is read aloud."""
    plain = exchange_id.hex
    return tuple(plain[start : start + GROUP] for start in range(0, len(plain), GROUP))


def check_of(exchange_id: UUID) -> str:
    """Two digits that go with the id (ISO 7064 MOD 97-10 over the number it writes).

    They find every single wrong character, every swap of two neighbours, and 96 of 97 other slips.
    """
    return f"{_MODULUS + 1 - exchange_id.int * 100 % _MODULUS:02}"


def how_to_reach(point: ContactPoint, *, now: datetime) -> Reach:
    """Everything that its directory entry says about calling it at this moment."""
    local = now.astimezone(ZoneInfo(point.time_zone))
    staffed = any(_covers(interval, local) for interval in point.hours.staffed)
    return Reach(
        code=point.code,
        country=point.country_name.english,
        agency=point.agency_name.english,
        ask_for=point.ask_for,
        call_back_minutes=point.call_back_minutes,
        phones=tuple(
            Number(one.number, one.label, one.languages) for one in sorted(point.phones, key=lambda one: one.priority)
        ),
        spoken=tuple(one.tag for one in point.languages if "VOICE" in one.uses),
        time_zone=point.time_zone,
        local_time=local,
        attendance=Attendance.STAFFED if staffed else Attendance.ON_CALL,
        hours=(*_spelled("staffed", point.hours.staffed), *_spelled("on call", point.hours.on_call)),
        escalation=tuple(Role(one.role, one.phone, one.email) for one in point.escalation),
        emails=tuple(one.address for one in point.emails),
        fax=point.fax,
    )


def _covers(interval: Interval, local: datetime) -> bool:
    today = tuple(Weekday)[local.weekday()]
    minute = local.hour * _MINUTES + local.minute
    return today in interval.days and _minutes(interval.start) <= minute < _minutes(interval.end)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * _MINUTES + int(minutes)


def _spelled(what: str, intervals: Iterable[Interval]) -> list[str]:
    return [f"{what} {' '.join(interval.days)} {interval.start}-{interval.end}" for interval in intervals]
