"""The rules of the roster (domain.md 3.7) as one function of shifts, people and the time; and who is called by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.roster.shifts import Roster, Shift, on_duty, shift_before
from app.domain.roster.spans import Span, joined, without

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

HORIZON = timedelta(days=28)
"""How far ahead there must be somebody on duty at every instant."""

WARN_AHEAD = timedelta(days=14)
ERROR_AHEAD = timedelta(hours=48)

FALLBACK_LANGUAGE = "en"
"""The network's by convention: what a contact point writes in when it knows no better."""

HANDOVER_OPEN = timedelta(minutes=30)
"""How long before its beginning the handover to a shift can be confirmed."""
HANDOVER_DUE = timedelta(minutes=15)
HANDOVER_LATE = timedelta(hours=1)
"""After the beginning: nobody can tell by then whether the desk knows what is open."""


class Rule(StrEnum):
    """What can be wrong with a roster. The words are stable: monitors and people sort by them."""

    NOT_KEPT = "roster_not_kept"
    GAP = "roster_gap"
    SAME_PERSON = "same_person_twice"
    LANGUAGE = "fallback_language_missing"
    TRAINING = "no_valid_training"
    CALL_BACK = "no_call_back_person"
    HANDOVER = "handover_unconfirmed"


class Severity(StrEnum):
    """By how soon it begins: within 48 hours an error, within 14 days a warning, else to be known."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong from when to when; `shift` where it is that shift's. `starts_at` stays while time passes."""

    rule: Rule
    severity: Severity
    starts_at: datetime
    ends_at: datetime
    shift: UUID | None = None


@dataclass(frozen=True, slots=True)
class SecondContact:
    """Who is called when half of a term is over.

    `person` is the second of the shift, None if there is no shift. `default` says that the escalation contact of the
    directory is called as well or instead, and `because` which rule of the roster is broken at that instant.
    """

    shift: Shift | None
    because: Rule | None

    @property
    def person(self) -> UUID | None:
        """The second of the shift."""
        return None if self.shift is None else self.shift.secondary

    @property
    def default(self) -> bool:
        """Whether the directory's escalation contact is called."""
        return self.because is not None


def find_faults(roster: Roster, now: datetime) -> list[Finding]:
    """Everything that breaks a rule between now and the end of the coming 28 days, the most pressing first."""
    end = now + HORIZON
    if roster.since is None:
        return [Finding(Rule.NOT_KEPT, Severity.WARNING, now, end)]
    spans = [*_gaps(roster, now)]
    for shift in roster.shifts:
        if now < shift.ends_at and shift.starts_at < end:
            spans += [(rule, span, shift.id) for rule, span in _of_shift(roster, shift) if now < span[1]]
    found = [Finding(rule, severity_of(span[0], now), *span, shift) for rule, span, shift in spans]
    found += _handover(roster, now)
    order = list(Severity)
    return sorted(found, key=lambda one: (-order.index(one.severity), one.starts_at, one.rule, str(one.shift)))


def severity_of(starts_at: datetime, now: datetime) -> Severity:
    """How pressing it is that something is wrong from `starts_at` on."""
    if starts_at - now <= ERROR_AHEAD:
        return Severity.ERROR
    return Severity.WARNING if starts_at - now <= WARN_AHEAD else Severity.NOTICE


def covered_until(roster: Roster, now: datetime) -> datetime | None:
    """Until when somebody is on duty without a gap from now on; None if nobody is now."""
    spans = joined(shift.span for shift in roster.shifts)
    return next((end for begin, end in spans if begin <= now < end), None)


def second_contact(roster: Roster, instant: datetime) -> SecondContact:
    """Who is called second at this instant: the roster's second, and the directory's contact where the roster fails."""
    if roster.since is None:
        return SecondContact(None, Rule.NOT_KEPT)
    shift = on_duty(roster.shifts, instant)
    if shift is None:
        return SecondContact(None, Rule.GAP)
    trained = any(begin <= instant < end for begin, end in roster.qualified(shift))
    return SecondContact(shift, None if trained else Rule.TRAINING)


def needs_handover(roster: Roster, shift: Shift) -> bool:
    """Whether somebody else leads this shift than the one before: nobody hands over to themselves."""
    before = shift_before(roster.shifts, shift)
    return before is None or before.primary != shift.primary


def _gaps(roster: Roster, now: datetime) -> Iterator[tuple[Rule, Span, UUID | None]]:
    """A gap that is running begins where the last shift ended: the same gap at every look."""
    since = now if roster.since is None else min(now, roster.since)
    for span in without((since, now + HORIZON), (shift.span for shift in roster.shifts)):
        if now < span[1]:
            yield Rule.GAP, span, None


def _of_shift(roster: Roster, shift: Shift) -> Iterator[tuple[Rule, Span]]:
    if shift.primary == shift.secondary:
        yield Rule.SAME_PERSON, shift.span
    if not any(roster.record_of(one).reads_language(FALLBACK_LANGUAGE) for one in shift.officers):
        yield Rule.LANGUAGE, shift.span
    for span in without(shift.span, roster.qualified(shift)):
        yield Rule.TRAINING, span
    if roster.switchboard and shift.call_back is None:
        behind = (one.span for one in roster.shifts if one.call_back is not None)
        for span in without(shift.span, behind):
            yield Rule.CALL_BACK, span


def _handover(roster: Roster, now: datetime) -> Iterator[Finding]:
    shift = on_duty(roster.shifts, now)
    if shift is None or shift.id in roster.confirmed or not needs_handover(roster, shift):
        return
    late = now - shift.starts_at
    severity = Severity.ERROR if late >= HANDOVER_LATE else Severity.WARNING
    yield Finding(Rule.HANDOVER, severity if late >= HANDOVER_DUE else Severity.NOTICE, *shift.span, shift.id)
