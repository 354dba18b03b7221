"""What time alone does to an exchange, at the requested node; and the marks each node works out for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.codes import State
from app.domain.deadlines import is_overdue
from app.domain.exchange.clocks import CLOSED_BY_ITSELF, delivery_due
from app.domain.exchange.moves import moved, run_out, written
from app.domain.exchange.reminding import reminded, reminder_due
from app.domain.exchange_codes import Flag, LocalFlag, Side
from app.domain.holds import next_end
from app.domain.moments import to_milliseconds
from app.domain.transitions import X22, X27

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.deadlines import Standpoint
    from app.domain.exchange.values import Exchange

UNANSWERED = "closed_by_itself"


def next_timer(exchange: Exchange) -> datetime | None:
    """The earliest instant at which `expire` changes something; None if time alone never will."""
    instants = [instant for hold in exchange.holds if (instant := next_end(hold)) is not None]
    if exchange.state in X22.sources and exchange.review_at is not None:
        instants.append(exchange.review_at)
    reminder_at = reminder_due(exchange)
    if reminder_at is not None:
        instants.append(reminder_at)
    if exchange.state in X27.sources and Flag.POST_FORMALITIES_DUE not in exchange.flags:
        instants.append(exchange.state_since + CLOSED_BY_ITSELF)
    return min(instants, default=None)


def due(exchange: Exchange, now: datetime) -> bool:
    """Whether a timer has run down."""
    instant = next_timer(exchange)
    return instant is not None and to_milliseconds(now) >= instant


def expire(exchange: Exchange, now: datetime) -> Exchange:
    """The exchange with every timer that has run down: holds ended (X28 with the last), X22, X27, a reminder.

    One generation on, whatever it was.

    The very same exchange if there is nothing to do, so that running it twice does no more than once.
    """
    moment = to_milliseconds(now)
    changed = reminded(run_out(exchange, now=moment), now=moment)
    if changed.state in X22.sources and changed.review_at is not None and changed.review_at <= moment:
        changed = moved(changed, X22, now=moment)
    elif _is_left_answered(changed, moment):
        changed = replace(moved(changed, X27, now=moment), reason=UNANSWERED)
    return exchange if changed == exchange else written(changed, over=exchange, now=moment)


def local_flags(exchange: Exchange, seen: Standpoint, *, now: datetime) -> tuple[LocalFlag, ...]:
    """The marks that this node shows and never sends (rulings 14, 15)."""
    flags = []
    if is_overdue(exchange, seen, now=now):
        flags.append(LocalFlag.OVERDUE)
    if is_undelivered(exchange, side=seen.side, now=now):
        flags.append(LocalFlag.UNDELIVERABLE)
    if exchange.private.withdrawal_waiting:
        flags.append(LocalFlag.WITHDRAWAL_WAITING)
    return tuple(flags)


def is_undelivered(exchange: Exchange, *, side: Side, now: datetime) -> bool:
    """Whether the requesting side's delivery clock has run out while nothing came back. Not an end (ruling 15)."""
    waiting = side is Side.REQUESTING and exchange.state is State.DISPATCHED
    return waiting and now >= delivery_due(exchange)


def _is_left_answered(exchange: Exchange, now: datetime) -> bool:
    waiting = exchange.state in X27.sources and Flag.POST_FORMALITIES_DUE not in exchange.flags
    return waiting and now >= exchange.state_since + CLOSED_BY_ITSELF
