"""A shift gets its next version: changed, or withdrawn. Whoever was on duty until then stays readable."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import rosters
from app.errors import Conflict, Forbidden
from app.services.roster.check import check_shifts
from app.services.roster.remember import remember_shift

if TYPE_CHECKING:
    from app.db.rosters import ShiftRecord
    from app.domain.roster import Shift
    from app.services.node import Acting


async def change_shift(acting: Acting, found: ShiftRecord, shift: Shift, *, reason: str) -> ShiftRecord:
    """Put `shift` in the place of what was planned; the reason stays with it. Raises Refused, Conflict."""
    await check_shifts(acting.session, [shift], at=["/shift"], now=acting.now)
    return await _add(acting, replace(found, shift=shift, reason=reason), "changed")


async def withdraw_shift(acting: Acting, found: ShiftRecord, *, reason: str) -> ShiftRecord:
    """Take the shift off the roster; a gap that this leaves is found and told like any other."""
    return await _add(acting, replace(found, withdrawn=True, reason=reason), "withdrawn")


async def _add(acting: Acting, changed: ShiftRecord, what: str) -> ShiftRecord:
    if acting.actor.person_id is None:
        raise Forbidden("role_not_allowed", "Only a person can change a shift.")
    made = replace(changed, version=changed.version + 1, entered_at=acting.now, entered_by=acting.actor.person_id)
    if not await rosters.add_shifts(acting.session, [made]):
        raise Conflict("stale_generation", "It has changed since you read it.")
    await remember_shift(acting, made, what)
    return made
