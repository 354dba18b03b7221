"""When a message is published, and when again. Pure decisions; everything that is known goes in as a value.

    not confirmed            the clock makes it due again: `next_attempt`
    confirmed, no receipt    no clock does. A receipt for a later copy proves it lost (`is_lost`); without such proof
                             one message per peer and lane is sent again to ask whether anybody is there (`probe_due`)
    nothing gets out         the whole way rests (`after_round`)

What a receipt proves is decided in `domain/passage.py`, since receipts arrive where the bus is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.db.tables_delivery import LeftBy, Trouble
from app.domain.codes import MessageType

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from app.domain.passage import Passage

BACK_OFF = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
)
"""Pause after the first, second, … of anything that is tried again; the last one repeats."""

OBSTACLES = frozenset({Trouble.UNKNOWN_PEER, Trouble.NO_KEY})
"""Troubles found without asking the broker. To look again costs nothing, and the next directory may end them."""

BROKER_TROUBLES = frozenset({Trouble.UNROUTABLE, Trouble.NOT_TAKEN, Trouble.OUTCOME_UNKNOWN})
"""Troubles of the way, not of the message."""

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


def next_attempt(attempt: Attempt, *, now: datetime, jitter: float) -> datetime | None:
    """Return when the message is due again; None for a confirmed one, which no clock makes due.

    `jitter` is random in [0, 1).
    """
    if attempt.trouble is None:
        return None
    pause = _pause_after(attempt.tries)
    if attempt.trouble in OBSTACLES:
        pause = min(pause, LONGEST_OBSTACLE)
    return now + _vary(pause, jitter)


def is_lost(confirmed_at: datetime, tries: int, *, proof: datetime | None, now: datetime) -> bool:
    """Tell whether a confirmed message without receipt is to be published again on evidence.

    `proof` is `proof_of` the way it was last confirmed on. The pause that grows with `tries` is for a peer that
    receipts everything but this: it must not get it again with every receipt it sends.
    """
    return proof is not None and confirmed_at < proof and confirmed_at + _pause_after(tries) <= now


def probe_due(passage: Passage, oldest_confirmed_at: datetime) -> datetime:
    """Return when a way is probed on which nothing is proven lost and something waits for its receipt.

    `oldest_confirmed_at` is when the oldest message that waits was last confirmed there. Any receipt on that way puts
    the probe off, and the next silence begins with the shortest pause again.
    """
    quiet_since = max(oldest_confirmed_at, passage.heard_at or oldest_confirmed_at)
    earliest = quiet_since + BACK_OFF[0]
    return earliest if passage.probe_at is None else max(earliest, passage.probe_at)


def is_quiet(passage: Passage, *, now: datetime) -> bool:
    """Tell whether a way has been silent so long that it is to be probed if anything waits on it for long enough."""
    heard = passage.heard_at
    is_silent = heard is None or heard + BACK_OFF[0] <= now
    return is_silent and (passage.probe_at is None or passage.probe_at <= now)


def pause_before_probe(silent: int) -> timedelta:
    """Return how long a way is left alone after the last of `silent` probes without answer."""
    return _pause_after(silent + 1)


def after_probe(passage: Passage, probed_id: int, *, now: datetime, jitter: float) -> Passage:
    """Return the way after a probe with this message; the next one takes the next oldest after it."""
    silent = passage.silent + 1
    probe_at = now + _vary(pause_before_probe(silent), jitter)
    return replace(passage, probed_id=probed_id, probe_at=probe_at, silent=silent)


def choose_probe(waiting: Collection[int], probed_id: int | None) -> int:
    """Return which of the messages that wait (their outbox ids; at least one) is the next probe.

    The oldest, after a silent probe the next oldest, and after the youngest the oldest again: one message that the
    peer cannot take must not be the only question it is asked.
    """
    later = [one for one in waiting if probed_id is not None and one > probed_id]
    return min(later or waiting)


def is_stuck(passage: Passage, *, now: datetime) -> bool:
    """Tell whether messages of this way are passed over for now."""
    return passage.stuck_until is not None and passage.stuck_until > now


def after_round(passage: Passage, ended: Collection[Trouble | None], *, now: datetime, jitter: float) -> Passage:
    """Return the way after a round in which these attempts were made on it; None stands for a confirmation.

    When nothing got out the way rests, longer each time: a peer whose queue is full or gone costs a round per pause,
    however much waits for it. The first confirmation ends that. A message that cannot be sealed says nothing of a way.
    """
    if None in ended:
        return replace(passage, stuck=0, stuck_until=None)
    troubles = BROKER_TROUBLES.union(OBSTACLES).intersection(ended)
    if not troubles:
        return passage
    pause = _pause_after(passage.stuck + 1)
    if troubles <= OBSTACLES:
        pause = min(pause, LONGEST_OBSTACLE)
    return replace(passage, stuck=passage.stuck + 1, stuck_until=now + _vary(pause, jitter))


def _pause_after(times: int) -> timedelta:
    return BACK_OFF[min(max(times, 1), len(BACK_OFF)) - 1]


def _vary(pause: timedelta, jitter: float) -> timedelta:
    return pause * (1 - JITTER + 2 * JITTER * jitter)
