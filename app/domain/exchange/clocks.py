"""Terms by tier: service targets, not legal duties (domain.md 6.3, 6.10). Missing one warns and voids nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain import deadlines
from app.domain.codes import State, Tier
from app.domain.deadlines import TARGETS, Step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.domain.exchange.values import Exchange

Terms = dict[Tier, timedelta]


def _terms(step: Step) -> Terms:
    return {tier: TARGETS[step].within(tier) for tier in Tier}


DELIVERY = _terms(Step.DELIVERY_ALARM)
"""From opening: when the requesting side shows UNDELIVERABLE (ruling 15), and what arrives later is `late`."""

ACKNOWLEDGEMENT = _terms(Step.ACKNOWLEDGEMENT)
FIRST_SUBSTANCE = _terms(Step.SUBSTANCE)
RESULT = _terms(Step.PRESERVED)
REPLY = _terms(Step.CLARIFICATION_ANSWER)
"""For the requesting side to answer a question, a notice or a condition."""

SILENCE_FACTOR = 2
"""Silence counts as `N-NOANSWER` once twice the term has passed (X6, X10, X30)."""

MAX_POSTPONEMENT = timedelta(days=30)
CLOSED_BY_ITSELF = timedelta(days=30)
"""How long an answered exchange waits for the requesting side before the timer closes it (X27)."""

LONGEST_TERM = timedelta(days=366)
"""No time that an officer sets may lie further ahead."""

_TERMS: Mapping[State, Terms] = {
    State.DELIVERED: ACKNOWLEDGEMENT,
    State.ACKNOWLEDGED: FIRST_SUBSTANCE,
    State.ACCEPTED: FIRST_SUBSTANCE,
    State.IN_EXECUTION: RESULT,
    State.REFERRED: RESULT,
}
"""Whose desk is slow in which state: always the requested side's here."""


def acknowledgement_due(exchange: Exchange, *, expected_loss_at: datetime | None = None) -> datetime:
    """By when a person should have taken it; a loss known to be near shortens an URGENT term."""
    return deadlines.acknowledgement_due(exchange.tier, expected_loss_at=expected_loss_at, start=exchange.state_since)


def step_due(exchange: Exchange) -> datetime | None:
    """By when the present step should be done, or None where nothing is waited for."""
    if exchange.question is not None:
        return exchange.question.due_at
    if exchange.state is State.CONDITIONS and exchange.condition is not None:
        return exchange.condition.due_at
    if exchange.state is State.POSTPONED:
        return exchange.review_at
    terms = _TERMS.get(exchange.state)
    return None if terms is None else exchange.state_since + terms[exchange.tier]


def silent_since(asked_at: datetime, due_at: datetime) -> datetime:
    """From when on an unanswered question or condition counts as met with silence."""
    return asked_at + SILENCE_FACTOR * (due_at - asked_at)


def delivery_due(exchange: Exchange) -> datetime:
    """When the delivery clock runs out, counted from the opening at the tier the exchange has now."""
    return exchange.opened_at + DELIVERY[exchange.tier]
