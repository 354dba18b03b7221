"""A supervisor enters shifts: all of them, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import rosters
from app.db.rosters import ShiftRecord
from app.errors import Forbidden
from app.services.roster.check import check_shifts
from app.services.roster.remember import remember_shift

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.roster import Shift
    from app.services.node import Acting


async def enter_shifts(acting: Acting, shifts: Sequence[Shift]) -> list[ShiftRecord]:
    """Put these on the roster, under the ids they have. Raises Refused `shift_invalid`."""
    if acting.actor.person_id is None:
        raise Forbidden("role_not_allowed", "Only a person can enter a shift.")
    pointers = [f"/shifts/{index}" for index in range(len(shifts))]
    await check_shifts(acting.session, shifts, at=pointers, now=acting.now)
    made = [ShiftRecord(shift, 1, acting.now, acting.actor.person_id) for shift in shifts]
    await rosters.add_shifts(acting.session, made)
    for one in made:
        await remember_shift(acting, one, "entered")
    return made
