"""What each node tells its desk of a hold by the clock: that its end comes near, what is to be done, that it has ended.

Each is told once. What came due while the node was down, or while its clock jumped, is not told in a row: of the
warnings only the nearest to the end is, the others are passed over. An extended hold has a new end, and before that the
warnings count again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.codes import HoldState, MlaStatus
from app.domain.exchange_codes import Side
from app.domain.holds import OPEN_HOLD_STATES, RELEASE_TASK, WARNING_DAYS, is_open, state_at, warnings_due

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from app.domain.holds import Hold


NEWS_WITHIN = timedelta(hours=1)
"""How long the requesting side waits for the other node's word of an end before it tells its desk that none came."""


class Notice(StrEnum):
    """What a desk is told beside the warnings; the first three are tasks of the requested side."""

    CONFIRM = "receipt_to_confirm"
    GRANT = "extension_to_grant"
    RELEASE = "release_to_do"
    UNCONFIRMED = "receipt_unconfirmed"
    EXPIRED = "expired"
    ENDED = "ended_not_confirmed"
    LOST = "lost"
    LIFTED = "lifted"


_ENDED_BY_THEM = {HoldState.LOST: Notice.LOST, HoldState.LIFTED: Notice.LIFTED}
"""Ends before the term of which the requesting side learns from the other node, and its desk at once."""


@dataclass(frozen=True, slots=True)
class Due:
    """One notice, the instant that it goes back to, and whether it is the first or the repetition."""

    notice: Notice
    since: datetime
    number: int = 1
    due_at: datetime | None = None

    @property
    def key(self) -> tuple[Notice, datetime, int]:
        """By what it is known whether it was told."""
        return self.notice, self.since, self.number


@dataclass(frozen=True, slots=True)
class Told:
    """What this node has told of one hold, or has passed over: days before which end, and notices."""

    warnings: frozenset[tuple[datetime, int]] = frozenset()
    notices: frozenset[tuple[Notice, datetime, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told now, and what is passed over for it."""

    days: int | None = None
    passed_over: tuple[int, ...] = ()
    notices: tuple[Due, ...] = ()
    notices_passed_over: tuple[Due, ...] = ()


def to_tell(hold: Hold, now: datetime, *, side: Side, told: Told) -> Telling:
    """What the desk of this side is to be told of the hold at `now`; all of it then counts as told."""
    days, passed_over = _warning(hold, now, told)
    new = [due for due in _due(hold, now, side) if due.key not in told.notices]
    latest: defaultdict[tuple[Notice, datetime], int] = defaultdict(int)
    for one in new:
        latest[one.notice, one.since] = max(latest[one.notice, one.since], one.number)
    return Telling(
        days=days,
        passed_over=passed_over,
        notices=tuple(one for one in new if one.number == latest[one.notice, one.since]),
        notices_passed_over=tuple(one for one in new if one.number < latest[one.notice, one.since]),
    )


def next_look(hold: Hold, now: datetime) -> datetime | None:
    """The next instant at which there may be something to tell although nothing has changed; None if there is none."""
    if hold.state not in OPEN_HOLD_STATES:
        return None
    instants = [hold.mla.confirm_by, hold.release_due_at]
    if hold.expires_at is not None:
        instants += [
            hold.expires_at,
            hold.expires_at + NEWS_WITHIN,
            *(hold.expires_at - timedelta(days=days) for days in WARNING_DAYS),
        ]
    return min((instant for instant in instants if instant is not None and instant > now), default=None)


def open_tasks(hold: Hold, now: datetime) -> tuple[Due, ...]:
    """What the requested side's desk has to do about the hold, with the instant by which."""
    return tuple(one for one in _tasks(hold, now) if one.number == 1)


def _warning(hold: Hold, now: datetime, told: Told) -> tuple[int | None, tuple[int, ...]]:
    """The warning to give, and those it stands for. A hold that is to be let go is not warned of."""
    if hold.releasing or hold.expires_at is None:
        return None, ()
    reached = warnings_due(hold, now)
    settled = {days for end, days in told.warnings if end == hold.expires_at}
    nearest = min(reached, default=None)
    open_ones = tuple(days for days in reached if days not in settled)
    if nearest is None or nearest in settled:
        return None, open_ones
    return nearest, tuple(days for days in open_ones if days != nearest)


def _due(hold: Hold, now: datetime, side: Side) -> Iterator[Due]:
    """Every notice of this side whose time has come."""
    if side is Side.REQUESTED:
        yield from (one for one in _tasks(hold, now) if _told_from(one) <= now)
    elif hold.state in _ENDED_BY_THEM and hold.ended_at is not None:
        yield Due(_ENDED_BY_THEM[hold.state], hold.ended_at)
    elif _waits_for_confirmation(hold, now) and hold.mla.confirm_by is not None and hold.mla.confirm_by <= now:
        yield Due(Notice.UNCONFIRMED, hold.mla.claimed_at or hold.mla.confirm_by)
    if hold.expires_at is None:
        return
    if hold.state is HoldState.EXPIRED:
        yield Due(Notice.EXPIRED, hold.expires_at)
    elif side is Side.REQUESTING and hold.state is HoldState.TIMED and hold.expires_at + NEWS_WITHIN <= now:
        yield Due(Notice.ENDED, hold.expires_at)


def _told_from(due: Due) -> datetime:
    """A task is told when it comes up; its repetition when it should have been done."""
    return due.since if due.number == 1 or due.due_at is None else due.due_at


def _tasks(hold: Hold, now: datetime) -> Iterator[Due]:
    if hold.releasing and is_open(hold, now) and hold.release_due_at is not None:
        yield from _twice(Notice.RELEASE, hold.release_due_at - RELEASE_TASK, hold.release_due_at)
        return
    if _waits_for_confirmation(hold, now) and hold.mla.claimed_at is not None and hold.mla.confirm_by is not None:
        yield from _twice(Notice.CONFIRM, hold.mla.claimed_at, hold.mla.confirm_by)
    if hold.extension_wish is not None and state_at(hold, now) is HoldState.TIMED:
        yield Due(Notice.GRANT, hold.extension_wish.asked_at, due_at=hold.expires_at)


def _twice(notice: Notice, since: datetime, due_at: datetime) -> Iterable[Due]:
    return (Due(notice, since, number, due_at) for number in (1, 2))


def _waits_for_confirmation(hold: Hold, now: datetime) -> bool:
    """Whether the follow-up request is claimed to be sent, and neither its receipt nor the end of the hold came."""
    claimed = hold.mla.status is MlaStatus.CLAIMED_SENT and not hold.releasing
    return claimed and state_at(hold, now) is HoldState.TIMED
