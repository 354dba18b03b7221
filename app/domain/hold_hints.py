"""What an officer should notice on a hold: no rule is broken, and nothing is decided by it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.codes import HoldState, MlaStatus
from app.domain.holds import OPEN_HOLD_STATES, state_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from app.domain.holds import Hold


class HoldHint(StrEnum):
    """Ending before the follow-up request is planned; no further extension; ended, and what that means here."""

    BEFORE_MLA = "ends_before_planned_mla"
    NO_EXTENSION = "no_further_extension"
    KEEP = "keep_until_order_lapses"
    GONE = "data_may_be_gone"
    CLAIMED_LATE = "claimed_after_the_end"


_UNSENT = frozenset({MlaStatus.NONE, MlaStatus.ANNOUNCED})


def hints(hold: Hold, now: datetime, *, replica: bool, max_extensions: int | None = None) -> tuple[HoldHint, ...]:
    """The hints at `now`; `max_extensions` as the requested side's law has it, None if not known or not limited."""
    return tuple(_hints(hold, state_at(hold, now), replica=replica, max_extensions=max_extensions))


def _hints(hold: Hold, state: HoldState, *, replica: bool, max_extensions: int | None) -> Iterator[HoldHint]:
    if state is HoldState.TIMED and not hold.releasing:
        if _ends_before_plan(hold):
            yield HoldHint.BEFORE_MLA
        if max_extensions is not None and len(hold.extensions) >= max_extensions:
            yield HoldHint.NO_EXTENSION
    if state is HoldState.EXPIRED:
        yield HoldHint.GONE if replica else HoldHint.KEEP
    claimed_at, end = hold.mla.claimed_at, hold.ended_at or hold.expires_at
    if state not in OPEN_HOLD_STATES and claimed_at is not None and end is not None and claimed_at >= end:
        yield HoldHint.CLAIMED_LATE


def _ends_before_plan(hold: Hold) -> bool:
    """Whether the follow-up request is planned for a day on which the data need no longer be held.

    The day is taken as it is in UTC: a hint needs no zone, and an hour more or less changes nobody's plan.
    """
    planned, end = hold.mla.planned_on, hold.expires_at
    return planned is not None and end is not None and hold.mla.status in _UNSENT and planned >= end.date()
