"""A hold: data kept for another state, since when, until when, and why it ended. Values and the rule of days.

A hold has no generation of its own; that of its exchange covers both (ruling 14). From `expires_at` on a TIMED hold has
ended for every rule, whether or not the timer has run: ask `state_at`, never `state`, when time matters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from app.domain.codes import HoldState, MlaStatus
from app.domain.exchange_codes import HoldFlag
from app.domain.wire import MIN_HOLD_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID
    from zoneinfo import ZoneInfo

    from app.domain.exchange_codes import LiftReason

OPEN_HOLD_STATES = frozenset({HoldState.TIMED, HoldState.PENDING_DECISION})
RELEASE_TASK = timedelta(hours=24)
"""How long the requested side has to let go of a hold that is no longer needed; the clock of the hold goes on."""

GRACE_AFTER_DECISION = timedelta(days=14)
WARNING_DAYS = (30, 14, 7, 3, 1)
"""Days before the end on which both the duty officer and the central authority of the requesting side are warned."""

CONFIRM_WORKING_DAYS = 3
"""Within how many working days the central authority of the requested side is asked to confirm a claimed receipt."""

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Mla:
    """What is known of the follow-up request. A claim of the requesting side and a receipt are kept apart."""

    status: MlaStatus = MlaStatus.NONE
    planned_on: date | None = None
    claimed_reference: str | None = None
    claimed_on: date | None = None
    claimed_at: datetime | None = None
    confirm_by: datetime | None = None
    ca_reference: str | None = None
    received_at: datetime | None = None
    decision: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExtensionWish:
    """The requesting side asked for so many days more, and nobody has granted them yet."""

    days: int
    asked_at: datetime
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """So many days were added on that instant, which moved the end to `expires_at`."""

    days: int
    granted_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ProposedLift:
    """The first signature under a `lift`; private to the requested side until the second."""

    by: UUID
    reason: LiftReason
    at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold. `expires_at` is None exactly while a decision is pending; an ended hold keeps the end it last had.

    `targets` are the indexes, in the request, of what is held. `releasing` holds are open, their clock goes on, and
    `release_due_at` says by when the requested side should have let go.
    """

    id: UUID
    exchange_id: UUID
    state: HoldState
    preserved_at: datetime
    days_granted: int
    expires_at: datetime | None
    targets: tuple[int, ...] = ()
    mla: Mla = field(default_factory=Mla)
    extension_wish: ExtensionWish | None = None
    extensions: tuple[Extension, ...] = ()
    releasing: bool = False
    release_due_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    end_text: str | None = None
    lost_at: datetime | None = None
    new_request_possible: bool | None = None
    proposed_lift: ProposedLift | None = None


def state_at(hold: Hold, now: datetime) -> HoldState:
    """The state that every rule goes by: EXPIRED from the end of a clock on, RELEASED from the end of a grace on."""
    ends_at = next_end(hold)
    if ends_at is None or now < ends_at:
        return hold.state
    return HoldState.EXPIRED if hold.state is HoldState.TIMED else HoldState.RELEASED


def next_end(hold: Hold) -> datetime | None:
    """When time alone ends the hold, or ended it though no timer has run; None if it never will or already has."""
    if hold.state is HoldState.TIMED:
        return hold.expires_at
    if hold.state is HoldState.PENDING_DECISION and hold.mla.decided_at is not None:
        return _later(hold.mla.decided_at, GRACE_AFTER_DECISION)
    return None


def _later(moment: datetime, by: timedelta) -> datetime | None:
    """None beyond the end of the calendar: another node may have sent its last day."""
    try:
        return moment + by
    except OverflowError:
        return None


def is_open(hold: Hold, now: datetime) -> bool:
    """Whether the data are still held under this hold."""
    return state_at(hold, now) in OPEN_HOLD_STATES


def still_held(holds: Iterable[Hold], now: datetime) -> frozenset[int]:
    """The targets that at least one open hold covers: releasing one of two holds on the same data lets nothing go."""
    return frozenset(target for hold in holds if is_open(hold, now) for target in hold.targets)


def end_of_hold(preserved_at: datetime, days: int, *, zone: ZoneInfo) -> datetime:
    """When `days` days from `preserved_at` are over (UTC): the end of that local day in `zone`, the requested side's.

    Where the clocks are changed meanwhile, the end of the local day can come less than `days` times 24 hours later;
    then the hold ends that many hours later and no earlier. Raises ValueError for fewer than sixty days (art. 29(7)).
    """
    if days < MIN_HOLD_DAYS:
        message = "a hold lasts not less than sixty days"
        raise ValueError(message)
    last_day = preserved_at.astimezone(zone).date() + timedelta(days=days)
    not_before = preserved_at + timedelta(days=days)
    return max(_end_of_day(last_day, zone), _same_wall_time(preserved_at, days, zone), not_before)


def extended_end(expires_at: datetime, days: int, *, zone: ZoneInfo) -> datetime:
    """`expires_at` moved by `days` days, by the same rule; always later than before."""
    last_day = (expires_at - timedelta(microseconds=1)).astimezone(zone).date() + timedelta(days=days)
    return max(_end_of_day(last_day, zone), expires_at + timedelta(days=days))


def _end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which `day` is over; of two midnights the later one, for a skipped midnight one not too early."""
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return max(midnight.astimezone(UTC), midnight.replace(fold=1).astimezone(UTC))


def _same_wall_time(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same time on the wall, `days` local days later; the later one where it comes twice."""
    local = moment.astimezone(zone) + timedelta(days=days)
    return max(local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC))


def warnings_due(hold: Hold, now: datetime, *, sent: Iterable[int] = ()) -> tuple[int, ...]:
    """Which of the 30, 14, 7, 3 and 1 day warnings have come due and are not among those `sent`, earliest first."""
    if state_at(hold, now) is not HoldState.TIMED or hold.expires_at is None:
        return ()
    left = hold.expires_at - now
    already = frozenset(sent)
    return tuple(days for days in WARNING_DAYS if left <= timedelta(days=days) and days not in already)


def is_treaty_exception(hold: Hold) -> bool:
    """Whether an authority ended the hold before the sixty days of art. 29(7) were over; such holds are counted."""
    least = hold.preserved_at + timedelta(days=MIN_HOLD_DAYS)
    return hold.state is HoldState.LIFTED and hold.ended_at is not None and hold.ended_at < least


def hold_flags(hold: Hold, now: datetime, *, replica: bool = False) -> tuple[HoldFlag, ...]:
    """The marks of a hold at `now`; a `replica` (the requesting side's copy) cannot confirm an end by itself."""
    flags = []
    if replica and hold.state is HoldState.TIMED and not is_open(hold, now):
        flags.append(HoldFlag.ENDED_NOT_CONFIRMED)
    if warnings_due(hold, now):
        flags.append(HoldFlag.EXPIRING)
    if hold.extension_wish is not None and state_at(hold, now) is HoldState.TIMED:
        flags.append(HoldFlag.EXTENSION_ASKED)
    if hold.releasing and is_open(hold, now):
        flags.append(HoldFlag.RELEASING)
    return tuple(flags)


def working_days_later(moment: datetime, days: int, *, zone: ZoneInfo) -> datetime:
    """The end of the local day that lies `days` days from Monday to Friday after that of `moment`."""
    day = moment.astimezone(zone).date()
    while days > 0:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return _end_of_day(day, zone)
