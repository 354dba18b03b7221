"""The operator's clocks: a YAML file with the targets that differ from the packaged ones.

`steps:` maps a step to its three tiers, each a length of time as `15 min`, `8 h` or `7 d`. A step that the file does
not name keeps its packaged target. Not the operator's to set: what both sides go by alike, as the delivery alarm, by
which the other side marks what came late; and the working day in which a routine request is triaged.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.codes import Tier
from app.domain.deadlines.clocks import TARGETS, Clocks, Step, Target
from app.domain.law.plain import read_yaml
from app.errors import SettingsUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.domain.law.plain import Document

LONGEST = timedelta(days=366)
SETTABLE = (
    Step.INTAKE,
    Step.TRIAGE,
    Step.ACKNOWLEDGEMENT,
    Step.SUBSTANCE,
    Step.REFERRAL,
    Step.CLARIFICATION_ANSWER,
    Step.RISK_NOTICE_ANSWER,
    Step.CONDITION_ANSWER,
    Step.TRAFFIC_PATH,
    Step.PRESERVED,
    Step.ANSWER,
)
"""Each node's own matter: which of these it calls late, and what it proposes to the other side as a date."""

WORKING_DAY = "1 working day"

_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LENGTH = re.compile(r"([1-9][0-9]{0,4}) (min|h|d)")
_TIERS = {tier.value.lower(): tier for tier in Tier}
_CODE = "clocks_unusable"


def read_clocks(name: str, text: str) -> Clocks:
    """The packaged targets with those of this file over them.

    Raises `SettingsUnusable` with one sentence: the file, the line, the reason.
    """
    try:
        document = read_yaml(name, text)
    except SettingsUnusable as fault:
        raise SettingsUnusable(_CODE, fault.detail) from fault
    return Clocks({**TARGETS, **dict(_steps(document))})


def _steps(document: Document) -> Iterator[tuple[Step, Target]]:
    value = document.value
    if not isinstance(value, dict) or set(value) != {"steps"} or not isinstance(value["steps"], dict):
        raise _fault(document, (), "one member is expected, steps, which maps steps to their tiers")
    settable = [step.value for step in SETTABLE]
    for name, tiers in value["steps"].items():
        place = ("steps", name)
        if name not in settable:
            raise _fault(document, place, f"{name} is no step that can be set; they are {', '.join(settable)}")
        if not isinstance(tiers, dict) or set(tiers) != set(_TIERS):
            raise _fault(document, place, f"each of {', '.join(_TIERS)} is expected, and nothing else")
        yield Step(name), _target(document, Step(name), tiers=tiers)


def _target(document: Document, step: Step, *, tiers: Mapping[str, object]) -> Target:
    found = {tier: _length(document, step, (tier, tiers[tier])) for tier in _TIERS}
    target = Target(found["emergency"], found["urgent"], found["routine"])
    if not target.emergency <= target.urgent <= target.routine:
        raise _fault(document, ("steps", step.value), "what is more urgent must not take longer")
    return target


def _length(document: Document, step: Step, written: tuple[str, object]) -> timedelta:
    tier, text = written
    place = ("steps", step.value, tier)
    if step is Step.TRIAGE and _TIERS[tier] is Tier.ROUTINE:
        if text != WORKING_DAY:
            raise _fault(document, place, f"routine triage has {WORKING_DAY}, by the calendar of the contact point")
        return TARGETS[step].routine
    match = _LENGTH.fullmatch(text) if isinstance(text, str) else None
    length = None if match is None else int(match[1]) * _UNITS[match[2]]
    if length is None or length > LONGEST:
        raise _fault(document, place, "a length of time is expected, as 15 min, 8 h or 7 d; at most 366 d")
    return length


def _fault(document: Document, place: tuple[str, ...], reason: str) -> SettingsUnusable:
    return SettingsUnusable(_CODE, f"{document.name}, line {document.line_of(place)}: {reason}.")
