"""How long each step may take, by tier: the packaged targets, and the few rules that are more than a length of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.domain.codes import Tier

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from zoneinfo import ZoneInfo


class Step(StrEnum):
    """A step with a clock of its own."""

    DELIVERY = "delivery"
    DELIVERY_ALARM = "delivery_alarm"
    INTAKE = "intake"
    TRIAGE = "triage"
    SIGNATURE_REVIEW = "signature_review"
    ACKNOWLEDGEMENT = "acknowledgement"
    ACCEPTANCE = "acceptance"
    SUBSTANCE = "substance"
    CONDITIONS = "conditions"
    RISK_NOTICE = "risk_notice"
    REFERRAL = "referral"
    CLARIFICATION_ANSWER = "clarification_answer"
    RISK_NOTICE_ANSWER = "risk_notice_answer"
    CONDITION_ANSWER = "condition_answer"
    TRAFFIC_PATH = "traffic_path"
    PRESERVED = "preserved"
    ANSWER = "answer"
    RELEASE = "release"
    REGULARISATION = "regularisation"
    CONFIRMATION = "confirmation"
    REVIEW = "review"
    MLA_RECEIPT = "mla_receipt"
    HOLD_END = "hold_end"


@dataclass(frozen=True, slots=True)
class Target:
    """The time a step may take, from the event that starts its clock."""

    emergency: timedelta
    urgent: timedelta
    routine: timedelta

    def within(self, tier: Tier) -> timedelta:
        """The time for requests of that tier."""
        return {Tier.EMERGENCY: self.emergency, Tier.URGENT: self.urgent, Tier.ROUTINE: self.routine}[tier]


@dataclass(frozen=True, slots=True)
class Clocks:
    """The targets that a node goes by: the packaged ones, or what its operator set over them."""

    targets: Mapping[Step, Target]

    def within(self, step: Step, tier: Tier) -> timedelta:
        """The time that step may take; KeyError for one that has its own date instead of a target."""
        return self.targets[step].within(tier)


_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

TARGETS: Mapping[Step, Target] = MappingProxyType(
    {
        Step.DELIVERY: Target(_MINUTE, 5 * _MINUTE, 15 * _MINUTE),
        Step.DELIVERY_ALARM: Target(30 * _MINUTE, 4 * _HOUR, _DAY),
        Step.INTAKE: Target(15 * _MINUTE, _HOUR, _DAY),
        Step.TRIAGE: Target(15 * _MINUTE, 2 * _HOUR, _DAY),
        Step.SIGNATURE_REVIEW: Target(_DAY, _DAY, _DAY),
        Step.ACKNOWLEDGEMENT: Target(15 * _MINUTE, _HOUR, _DAY),
        Step.ACCEPTANCE: Target(_HOUR, 8 * _HOUR, 3 * _DAY),
        Step.SUBSTANCE: Target(_HOUR, 8 * _HOUR, 7 * _DAY),
        Step.CONDITIONS: Target(_HOUR, 8 * _HOUR, 7 * _DAY),
        Step.RISK_NOTICE: Target(30 * _MINUTE, 4 * _HOUR, 2 * _DAY),
        Step.REFERRAL: Target(_HOUR, _DAY, _DAY),
        Step.CLARIFICATION_ANSWER: Target(30 * _MINUTE, _DAY, 7 * _DAY),
        Step.RISK_NOTICE_ANSWER: Target(30 * _MINUTE, _DAY, 7 * _DAY),
        Step.CONDITION_ANSWER: Target(30 * _MINUTE, _DAY, 7 * _DAY),
        Step.TRAFFIC_PATH: Target(4 * _HOUR, _DAY, 2 * _DAY),
        Step.PRESERVED: Target(4 * _HOUR, _DAY, 7 * _DAY),
        Step.ANSWER: Target(_HOUR, 8 * _HOUR, 7 * _DAY),
        Step.RELEASE: Target(_DAY, _DAY, _DAY),
        Step.REGULARISATION: Target(_DAY, _DAY, _DAY),
    }
)
"""The routine TRIAGE target is a working day: see `triage_due`. What is not listed has a date of its own.

No clock runs for ACCEPTANCE, CONDITIONS and RISK_NOTICE of domain.md 6.3: from the acknowledgement on, the one of
SUBSTANCE (6.10) does, whichever of the three comes of it.
"""

PACKAGED = Clocks(TARGETS)

SHORTEST_ACKNOWLEDGEMENT = 5 * _MINUTE
WEEKEND = frozenset({5, 6})
"""Saturday and Sunday, as `date.weekday` counts."""

_LAST = datetime.max.replace(microsecond=999_000, tzinfo=UTC)
"""To the millisecond: what comes after it a database keeps as "for ever", and gives back without an offset."""


def later(moment: datetime, by: timedelta) -> datetime:
    """`moment` moved on; the end of the calendar where another node's date lies near it."""
    try:
        return moment + by
    except OverflowError:
        return _LAST


def due(step: Step, tier: Tier, *, start: datetime, clocks: Clocks = PACKAGED) -> datetime:
    """When a step begun at `start` is due."""
    return later(start, clocks.within(step, tier))


def acknowledgement_due(
    tier: Tier, *, expected_loss_at: datetime | None, start: datetime, clocks: Clocks = PACKAGED
) -> datetime:
    """When a person must have taken the request.

    For URGENT the hour shrinks to a quarter of the time that is left until the data are gone, but never below five
    minutes, so that logs rotating in forty minutes page somebody although nobody's life is at risk.
    """
    usual = clocks.within(Step.ACKNOWLEDGEMENT, tier)
    if tier is not Tier.URGENT or expected_loss_at is None:
        return later(start, usual)
    return later(start, max(SHORTEST_ACKNOWLEDGEMENT, min(usual, (expected_loss_at - start) / 4)))


def triage_due(
    tier: Tier, *, start: datetime, zone: ZoneInfo, weekend: Collection[int] = WEEKEND, clocks: Clocks = PACKAGED
) -> datetime:
    """When the own desk must have decided.

    A routine request has one working day: until the same local time on the next working day or, if it came on a day
    off, until the end of the first working day. Public holidays are not known here. The answer is in `start`'s zone.
    """
    if tier is not Tier.ROUTINE:
        return due(Step.TRIAGE, tier, start=start, clocks=clocks)
    local = start.astimezone(zone)
    today = local.date()
    following = [today + days * _DAY for days in range(1, 8)]
    working_day = next((day for day in following if day.weekday() not in weekend), following[0])
    if today.weekday() in weekend:
        due_at = datetime.combine(working_day + _DAY, time.min, zone)
    else:
        due_at = datetime.combine(working_day, local.time(), zone)
    return due_at.astimezone(start.tzinfo)
