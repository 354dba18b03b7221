"""When a message is published next. One pure decision; everything that is known about an attempt goes in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.db.tables_delivery import LeftBy, Trouble
from app.domain.codes import MessageType

if TYPE_CHECKING:
    from datetime import datetime

BACK_OFF = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
)
"""Pause after the first, second, … attempt; the last one repeats for as long as there is no receipt."""

OBSTACLES = frozenset({Trouble.UNKNOWN_PEER, Trouble.NO_KEY})
"""Troubles found without asking the broker. To look again costs nothing, and the next directory may end them."""

LONGEST_OBSTACLE = timedelta(minutes=1)

JITTER = 0.2
"""A pause varies by this fraction to either side, so that what failed together is not tried again together."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One finished attempt: `tries` counts it and all before it; without `trouble` the broker confirmed it."""

    type: str
    tries: int
    trouble: Trouble | None


def leaves_by(attempt: Attempt) -> LeftBy | None:
    """Return why the message need not be published again, or None.

    Only its receipt ends a message, but for two types: nobody receipts a receipt (a lost one is asked for by sending
    the message again), and a heartbeat is followed by a fresh one whether it arrived or not.
    """
    if attempt.type == MessageType.HEARTBEAT:
        return LeftBy.REPLACED
    if attempt.type == MessageType.RECEIPT and attempt.trouble is None:
        return LeftBy.CONFIRM
    return None


def next_attempt(attempt: Attempt, *, now: datetime, jitter: float) -> datetime:
    """Return when the message is due again if no receipt comes first; `jitter` is random in [0, 1).

    A confirmed copy and a failed one back off alike: a confirmation says that a courier has it, not that it arrives.
    """
    pause = BACK_OFF[min(attempt.tries, len(BACK_OFF)) - 1]
    if attempt.trouble in OBSTACLES:
        pause = min(pause, LONGEST_OBSTACLE)
    return now + pause * (1 - JITTER + 2 * JITTER * jitter)
