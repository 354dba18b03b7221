"""One reminder of what was not answered in its term; before it, silence is not held against the requesting side.

Its node may not have shown it the question yet. The reminder is on record at both, and travels until it is receipted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.codes import State

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.exchange.values import Condition, Exchange, Question

_ASKS = frozenset({State.CLARIFICATION, State.RISK_NOTICE})


def awaited(exchange: Exchange) -> Question | Condition | None:
    """What the requesting side has to answer before anything goes on; None where the ball is not with it."""
    if exchange.state in _ASKS:
        return exchange.question
    return exchange.condition if exchange.state is State.CONDITIONS else None


def reminder_due(exchange: Exchange) -> datetime | None:
    """When the requesting side is to be reminded; None if nothing is waited for or it has been."""
    waited_for = awaited(exchange)
    return None if waited_for is None or waited_for.reminded_at is not None else waited_for.due_at


def was_reminded(before: Exchange, after: Exchange) -> bool:
    """Whether what is waited for has been reminded of since."""
    was, now = awaited(before), awaited(after)
    if now is None or now.reminded_at is None:
        return False
    return was is None or was.id != now.id or was.reminded_at is None


def reminded(exchange: Exchange, *, now: datetime) -> Exchange:
    """The exchange with the reminder, if it is due; the very same one otherwise."""
    due_at = reminder_due(exchange)
    if due_at is None or due_at > now:
        return exchange
    if exchange.state in _ASKS and exchange.question is not None:
        return replace(exchange, question=replace(exchange.question, reminded_at=now))
    if exchange.condition is not None:
        return replace(exchange, condition=replace(exchange.condition, reminded_at=now))
    return exchange
