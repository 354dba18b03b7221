"""Terms by tier: service targets, not legal duties (domain.md 6.3, 6.10). Missing one warns and voids nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.codes import Tier
from app.domain.deadlines import TARGETS, Step

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.exchange.values import Exchange

Terms = dict[Tier, timedelta]


def _terms(step: Step) -> Terms:
    return {tier: TARGETS[step].within(tier) for tier in Tier}


DELIVERY = _terms(Step.DELIVERY_ALARM)
"""From opening: when the requesting side shows UNDELIVERABLE (ruling 15), and what arrives later is `late`."""

FIRST_SUBSTANCE = _terms(Step.SUBSTANCE)
REPLY = _terms(Step.CLARIFICATION_ANSWER)
"""For the requesting side to answer a question, a notice or a condition."""

SILENCE_FACTOR = 2
"""Silence counts as `N-NOANSWER` once twice the term has passed (X6, X10, X30)."""

MAX_POSTPONEMENT = timedelta(days=30)
CLOSED_BY_ITSELF = timedelta(days=30)
"""How long an answered exchange waits for the requesting side before the timer closes it (X27)."""

REGULARISED_WITHIN = timedelta(hours=24)
"""From a request by voice to its written confirmation (CETS 224 art. 9(4)); after it both supervisors are alarmed."""

LONGEST_TERM = timedelta(days=366)
"""No time that an officer sets may lie further ahead."""


def silent_since(asked_at: datetime, due_at: datetime) -> datetime:
    """From when on an unanswered question or condition counts as met with silence."""
    return asked_at + SILENCE_FACTOR * (due_at - asked_at)


def delivery_due(exchange: Exchange) -> datetime:
    """When the delivery clock runs out, counted from the opening at the tier the exchange has now."""
    return exchange.opened_at + DELIVERY[exchange.tier]
