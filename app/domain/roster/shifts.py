"""Who is on duty from when to when, and what is known of these people: what the rules of the roster are asked about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from app.domain.contact_points import LanguageTag, Mail, Phone
from app.domain.key_records import Entry, Line
from app.domain.roster.spans import Span, days, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

LONGEST_SHIFT = timedelta(days=31)
"""Somebody may be on call for a month, who is not there; a longer shift is a slip of the hand."""

_DAY_ONE, _DAY_LAST = date(1970, 1, 1), date(2199, 12, 31)
_Day = Annotated[date, Field(ge=_DAY_ONE, le=_DAY_LAST)]
_Tag = Annotated[LanguageTag, Field(max_length=35)]
"""BCP 47 asks a reader for no more characters."""


class Mode(StrEnum):
    """Whether the people of a shift are at the desk, or come when they are called."""

    STAFFED = "STAFFED"
    ON_CALL = "ON_CALL"


class Training(Entry):
    """A course that a person has passed (art. 35(3)), good from its first to its last day, both included."""

    course: Line
    provider: Line
    level: Line
    completed_on: _Day
    expires_on: _Day

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.expires_on < self.completed_on:
            raise ValueError("expires_on must not lie before completed_on")
        return self


class DutyRecord(Entry):
    """What the roster knows of a person. `phone` and `mail` are private: they never leave this contact point."""

    reads: Annotated[tuple[_Tag, ...], Field(max_length=30)] = ()
    training: Annotated[tuple[Training, ...], Field(max_length=50)] = ()
    phone: Phone | None = None
    mail: Mail | None = None

    def reads_language(self, language: str) -> bool:
        """Whether one of the languages is this one, whatever its regional form."""
        return any(tag.split("-")[0] == language for tag in self.reads)

    def qualified(self, zone: ZoneInfo) -> list[Span]:
        """When some training is valid; its days are those of `zone`."""
        return joined(days(one.completed_on, one.expires_on, zone) for one in self.training)


NOTHING_KNOWN = DutyRecord()


@dataclass(frozen=True, slots=True)
class Shift:
    """One stretch of duty: instants in UTC, `time_zone` for people to read, and persons by id.

    `call_back` is who calls back behind a switchboard; elsewhere nobody needs to.
    """

    id: UUID
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    mode: Mode
    primary: UUID
    secondary: UUID
    supervisor: UUID
    call_back: UUID | None = None

    @property
    def span(self) -> Span:
        """From its beginning up to its end."""
        return self.starts_at, self.ends_at

    @property
    def officers(self) -> tuple[UUID, UUID]:
        """Who does the work: the first and, behind them, the second."""
        return self.primary, self.secondary

    def covers(self, instant: datetime) -> bool:
        """Whether somebody is on duty by this shift then."""
        return self.starts_at <= instant < self.ends_at


@dataclass(frozen=True, slots=True)
class Roster:
    """All that the rules look at.

    `since`: the end of the last shift that is over or, before any is, when the first was entered; None if none ever
    was. `confirmed`: shifts whose handover somebody has confirmed.
    """

    shifts: tuple[Shift, ...]
    people: Mapping[UUID, DutyRecord]
    since: datetime | None
    switchboard: bool = False
    confirmed: frozenset[UUID] = frozenset()

    def record_of(self, person: UUID) -> DutyRecord:
        """What is known of a person; nothing of one whom nobody has described."""
        return self.people.get(person, NOTHING_KNOWN)

    def qualified(self, shift: Shift) -> list[Span]:
        """When at least one of the shift's two officers has a valid training."""
        zone = ZoneInfo(shift.time_zone)
        return joined(span for one in shift.officers for span in self.record_of(one).qualified(zone))


def on_duty(shifts: Iterable[Shift], instant: datetime) -> Shift | None:
    """Whose shift it is: of several at once, as while one hands over to the next, the one that began last."""
    found = [shift for shift in shifts if shift.covers(instant)]
    return max(found, key=lambda shift: (shift.starts_at, shift.id), default=None)


def shift_before(shifts: Iterable[Shift], shift: Shift) -> Shift | None:
    """The shift that began last before this one."""
    found = [one for one in shifts if one.starts_at < shift.starts_at]
    return max(found, key=lambda one: (one.starts_at, one.id), default=None)


def shift_after(shifts: Iterable[Shift], instant: datetime) -> Shift | None:
    """The next shift to begin after this instant."""
    found = [one for one in shifts if one.starts_at > instant]
    return min(found, key=lambda one: (one.starts_at, one.id), default=None)
