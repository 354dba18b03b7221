"""What changes on the roster is on record: who had duty is asked years later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import JSON, Fact, FactType
from app.domain.moments import write_instant
from app.services.record import record

if TYPE_CHECKING:
    from app.db.rosters import ShiftRecord
    from app.services.node import Acting


async def remember_shift(acting: Acting, one: ShiftRecord, what: str) -> None:
    """State the version of a shift; names stay outside the log, as everywhere."""
    shift = one.shift
    said: JSON = {
        "act": what,
        "id": str(shift.id),
        "version": one.version,
        "starts_at": write_instant(shift.starts_at),
        "ends_at": write_instant(shift.ends_at),
        "mode": shift.mode,
        "primary": str(shift.primary),
        "secondary": str(shift.secondary),
        "supervisor": str(shift.supervisor),
        "call_back": None if shift.call_back is None else str(shift.call_back),
        "reason": one.reason,
    }
    fact = Fact(FactType.DUTY_ROSTERED, contents={"shift": said})
    await record(acting.session, acting.node, fact, actor=acting.actor, now=acting.now)
