"""How soon each step is due, by tier (domain.md 6.3 and 6.10), and when alarms go off.

These are targets of service, not duties in law: missing one escalates and never voids anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
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
    TRIAGE = "triage"
    ACKNOWLEDGEMENT = "acknowledgement"
    ACCEPTANCE = "acceptance"
    SUBSTANCE = "substance"
    CONDITIONS = "conditions"
    RISK_NOTICE = "risk_notice"
    REFERRAL = "referral"
    CLARIFICATION_ANSWER = "clarification_answer"
    RISK_NOTICE_ANSWER = "risk_notice_answer"
    TRAFFIC_PATH = "traffic_path"
    PRESERVED = "preserved"
    ANSWER = "answer"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Target:
    """The time a step may take, from the event that starts its clock."""

    emergency: timedelta
    urgent: timedelta
    routine: timedelta

    def within(self, tier: Tier) -> timedelta:
        """The time for requests of that tier."""
        return {Tier.EMERGENCY: self.emergency, Tier.URGENT: self.urgent, Tier.ROUTINE: self.routine}[tier]


_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

TARGETS: Mapping[Step, Target] = MappingProxyType(
    {
        Step.DELIVERY: Target(_MINUTE, 5 * _MINUTE, 15 * _MINUTE),
        Step.DELIVERY_ALARM: Target(30 * _MINUTE, 4 * _HOUR, _DAY),
        Step.TRIAGE: Target(15 * _MINUTE, 2 * _HOUR, _DAY),
        Step.ACKNOWLEDGEMENT: Target(15 * _MINUTE, _HOUR, _DAY),
        Step.ACCEPTANCE: Target(_HOUR, 8 * _HOUR, 3 * _DAY),
        Step.SUBSTANCE: Target(_HOUR, 8 * _HOUR, 7 * _DAY),
        Step.CONDITIONS: Target(_HOUR, 8 * _HOUR, 7 * _DAY),
        Step.RISK_NOTICE: Target(30 * _MINUTE, 4 * _HOUR, 2 * _DAY),
        Step.REFERRAL: Target(_HOUR, _DAY, _DAY),
        Step.CLARIFICATION_ANSWER: Target(30 * _MINUTE, _DAY, 7 * _DAY),
        Step.RISK_NOTICE_ANSWER: Target(30 * _MINUTE, _DAY, 7 * _DAY),
        Step.TRAFFIC_PATH: Target(4 * _HOUR, _DAY, 2 * _DAY),
        Step.PRESERVED: Target(4 * _HOUR, _DAY, 7 * _DAY),
        Step.ANSWER: Target(_HOUR, 8 * _HOUR, 7 * _DAY),
        Step.RELEASE: Target(_DAY, _DAY, _DAY),
    }
)
"""The routine TRIAGE target is a working day: see `triage_due`."""

SHORTEST_ACKNOWLEDGEMENT = 5 * _MINUTE
WEEKEND = frozenset({5, 6})
"""Saturday and Sunday, as `date.weekday` counts."""


def due(step: Step, tier: Tier, *, start: datetime) -> datetime:
    """When a step begun at `start` is due."""
    return start + TARGETS[step].within(tier)


def acknowledgement_due(tier: Tier, *, expected_loss_at: datetime | None, start: datetime) -> datetime:
    """When a person must have taken the request.

    For URGENT the hour shrinks to a quarter of the time that is left until the data are gone, but never below five
    minutes, so that logs rotating in forty minutes page somebody although nobody's life is at risk.
    """
    usual = TARGETS[Step.ACKNOWLEDGEMENT].within(tier)
    if tier is not Tier.URGENT or expected_loss_at is None:
        return start + usual
    return start + max(SHORTEST_ACKNOWLEDGEMENT, min(usual, (expected_loss_at - start) / 4))


def triage_due(tier: Tier, *, start: datetime, zone: ZoneInfo, weekend: Collection[int] = WEEKEND) -> datetime:
    """When the own desk must have decided.

    A routine request has one working day: until the same local time on the next working day or, if it came on a day
    off, until the end of the first working day. Public holidays are not known here. The answer is in `start`'s zone.
    """
    if tier is not Tier.ROUTINE:
        return due(Step.TRIAGE, tier, start=start)
    local = start.astimezone(zone)
    today = local.date()
    following = [today + days * _DAY for days in range(1, 8)]
    working_day = next((day for day in following if day.weekday() not in weekend), following[0])
    if today.weekday() in weekend:
        due_at = datetime.combine(working_day + _DAY, time.min, zone)
    else:
        due_at = datetime.combine(working_day, local.time(), zone)
    return due_at.astimezone(start.tzinfo)
