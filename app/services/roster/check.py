"""What is wrong with a shift as entered.

A supervisor in need may enter one that breaks a rule of the roster: that is found, shown and told by
`domain.roster.find_faults`, and not here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.db import people
from app.domain.codes import Role
from app.domain.roster import LONGEST_SHIFT
from app.errors import FieldError, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession
    from app.domain.roster import Shift

FURTHEST_AHEAD = timedelta(days=366)

OFFICERS = frozenset({Role.DUTY_OFFICER, Role.SUPERVISOR})
"""Who can be on the roster: the roles that work at the desk."""

_ELIGIBLE: Mapping[str, frozenset[Role]] = {
    "primary": OFFICERS,
    "secondary": OFFICERS,
    "supervisor": frozenset({Role.SUPERVISOR}),
    "call_back": OFFICERS,
}


async def check_shifts(session: ReadSession, shifts: Sequence[Shift], *, at: Sequence[str], now: datetime) -> None:
    """Raise Refused `shift_invalid` with every fault of every shift; `at` are the JSON pointers of the shifts."""
    faults = [fault for shift, pointer in zip(shifts, at, strict=True) for fault in _faults(shift, pointer, now)]
    roles: dict[UUID, Role | None] = {}
    for shift, pointer in zip(shifts, at, strict=True):
        faults += [fault async for fault in _strangers(session, shift, pointer, roles)]
    if faults:
        raise Refused("shift_invalid", "A shift breaks the rules listed in errors.", errors=tuple(faults))


def _faults(shift: Shift, pointer: str, now: datetime) -> Iterator[FieldError]:
    if shift.ends_at <= shift.starts_at:
        yield FieldError(f"{pointer}/ends_at", "ends_before_it_starts", "A shift ends after it starts.")
    elif shift.ends_at - shift.starts_at > LONGEST_SHIFT:
        yield FieldError(f"{pointer}/ends_at", "too_long", f"A shift lasts at most {LONGEST_SHIFT.days} days.")
    if shift.starts_at - now > FURTHEST_AHEAD:
        yield FieldError(f"{pointer}/starts_at", "too_far_ahead", "A roster is made for a year at most.")
    if shift.ends_at <= now:
        yield FieldError(f"{pointer}/ends_at", "shift_is_over", "Who was on duty in the past is not entered now.")
    if shift.primary == shift.secondary:
        yield FieldError(f"{pointer}/secondary", "same_person_twice", "The second officer is another person.")


async def _strangers(
    session: ReadSession, shift: Shift, pointer: str, roles: dict[UUID, Role | None]
) -> AsyncIterator[FieldError]:
    for place, allowed in _ELIGIBLE.items():
        person: UUID | None = getattr(shift, place)
        if person is None:
            continue
        if person not in roles:
            found = await people.find_person(session, person)
            roles[person] = None if found is None else found.role
        if roles[person] not in allowed:
            who = " or ".join(sorted(allowed))
            yield FieldError(f"{pointer}/{place}", "person_not_eligible", f"This must be a {who} of this node.")
