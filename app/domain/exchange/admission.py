"""Whether an act may be done at all: by this person, in this state, for this type. What it says is looked at later.

The order is that of the interface: not your act (403), not the generation you saw (409), not from this state (409).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import State, Tier
from app.domain.exchange.clocks import silent_since
from app.domain.exchange.onward import has_received, open_transfer, open_use_question, other
from app.domain.exchange.reminding import reminder_due
from app.domain.exchange_codes import By, Flag, Side
from app.domain.transitions import BLOCKED_BY_WITHDRAWAL, EXCHANGE_ROWS, rows_of
from app.errors import Conflict, Forbidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from app.domain.exchange.parties import Officer
    from app.domain.exchange.values import Exchange
    from app.domain.transitions import Row

Obstacle = str | None


def signs(by: Iterable[By], officer: Officer, *, both: bool) -> bool:
    """Whether this person can complete an act of these movers; where both must sign, the last one completes it."""
    movers = tuple(by)
    wanted = {movers[-1]} if both else set(movers)
    return not officer.capacities.isdisjoint(wanted)


def admit(exchange: Exchange, action: str, *, generation: int | None, by: Officer, now: datetime) -> tuple[Row, ...]:
    """The rows that the act can walk from here.

    Raises:
        Forbidden: `role_not_allowed`, or `four_eyes` when the first signature under a refusal is this person's own.
        Conflict: `stale_generation`, or `action_not_allowed` with `reason` where more than the state is the obstacle.
    """
    rows = rows_of(action, by.side)
    if not any(signs(row.by, by, both=row.both) for row in rows):
        raise Forbidden("role_not_allowed", "this act belongs to another role or to the other side", action=action)
    proposed = exchange.private.proposed_refusal
    if action == "confirm_refusal" and proposed is not None and proposed.by == by.person:
        raise Forbidden("four_eyes", "a refusal is confirmed by another person than the one who proposed it")
    if generation is not None and generation != exchange.generation:
        raise Conflict("stale_generation", "the exchange has changed since you read it", generation=exchange.generation)
    leaving = tuple(row for row in rows if exchange.state in row.sources and row.is_for(exchange.type))
    obstacle = obstacle_to(exchange, action, side=by.side, now=now) if leaving else _closed_way(exchange, rows)
    if obstacle is not None:
        raise Conflict(
            "action_not_allowed", "this act is not possible now", state=exchange.state.value, reason=obstacle
        )
    return leaving


def _closed_way(exchange: Exchange, rows: tuple[Row, ...]) -> str:
    """Whether it is the state or the type of request that no row provides for."""
    return "state" if any(row.is_for(exchange.type) for row in rows) else "type"


def allowed_actions(exchange: Exchange, *, by: Officer, now: datetime) -> tuple[str, ...]:
    """The acts that `admit` would let this person do now, in the order of the table."""
    actions = dict.fromkeys(row.action for row in EXCHANGE_ROWS if row.action is not None)
    return tuple(action for action in actions if _is_admitted(exchange, action, by=by, now=now))


def _is_admitted(exchange: Exchange, action: str, *, by: Officer, now: datetime) -> bool:
    try:
        admit(exchange, action, generation=None, by=by, now=now)
    except (Forbidden, Conflict):
        return False
    return True


def obstacle_to(exchange: Exchange, action: str, *, side: Side, now: datetime) -> Obstacle:
    """What, beside the state, stands against an act; None if nothing does."""
    if side is Side.REQUESTED and exchange.private.withdrawal_waiting and action in BLOCKED_BY_WITHDRAWAL:
        return "withdrawal_waiting"
    sided = _OBSTACLES_BY_SIDE.get(action)
    if sided is not None:
        return sided(exchange, side)
    find = _OBSTACLES.get(action)
    return None if find is None else find(exchange, now)


def _one_question_in_an_emergency(exchange: Exchange, _now: datetime) -> Obstacle:
    """X4: before the determination of an emergency, one round of questions at most."""
    undecided = exchange.state is State.ACKNOWLEDGED and exchange.tier is Tier.EMERGENCY
    return "one_question_in_emergency" if undecided and exchange.clarifications > 0 else None


def _silence_not_long_enough(exchange: Exchange, now: datetime) -> Obstacle:
    """X6, X10, X30: twice the term must have passed, and the requesting side have been reminded."""
    if exchange.question is not None:
        waited_until = silent_since(exchange.question.asked_at, exchange.question.due_at)
    elif exchange.state is State.CONDITIONS and exchange.condition is not None:
        waited_until = silent_since(exchange.condition.proposed_at, exchange.condition.due_at)
    else:
        return None
    if now < waited_until:
        return "answer_not_overdue"
    return None if reminder_due(exchange) is None else "not_reminded"


def _no_first_signature(exchange: Exchange, _now: datetime) -> Obstacle:
    return "refusal_not_proposed" if exchange.private.proposed_refusal is None else None


def _no_emergency(exchange: Exchange, _now: datetime) -> Obstacle:
    return None if exchange.tier is Tier.EMERGENCY else "not_an_emergency"


def _highest_tier(exchange: Exchange, _now: datetime) -> Obstacle:
    return "tier_not_higher" if exchange.tier is Tier.EMERGENCY else None


def _formalities_due(exchange: Exchange, _now: datetime) -> Obstacle:
    return "formalities_due" if Flag.POST_FORMALITIES_DUE in exchange.flags else None


def _no_condition(exchange: Exchange, _now: datetime) -> Obstacle:
    return "no_condition" if exchange.condition is None else None


def _condition_open(exchange: Exchange, _now: datetime) -> Obstacle:
    """Art. 26(2): content before the condition is settled is a hard error."""
    return "condition_open" if exchange.condition is not None else None


def _content_too_early(exchange: Exchange, now: datetime) -> Obstacle:
    """An offered condition must have been accepted, or its giver have decided to give anyway.

    The giver knows from its own opening what it offered, whatever the snapshot of the other side says.
    """
    accepted = {condition.id for condition in exchange.accepted_conditions}
    offered = exchange.asked.offered
    unsettled = offered is not None and offered not in accepted and exchange.state is not State.ACCEPTED
    return "condition_open" if unsettled else _condition_open(exchange, now)


def _nothing_received(exchange: Exchange, side: Side) -> Obstacle:
    return None if has_received(exchange, side) else "nothing_given"


def _nothing_they_received(exchange: Exchange, side: Side) -> Obstacle:
    return None if has_received(exchange, other(side)) else "nothing_given"


def _no_transfer_asked(exchange: Exchange, side: Side) -> Obstacle:
    asked = any(open_transfer(exchange, one.id, giver=side) for one in exchange.onward_transfers)
    return None if asked else "nothing_asked"


def _no_use_asked(exchange: Exchange, side: Side) -> Obstacle:
    asked = any(open_use_question(exchange, one.id, receiver=side) for one in exchange.use_questions)
    return None if asked else "nothing_asked"


def _not_to_be_confirmed(exchange: Exchange, _now: datetime) -> Obstacle:
    return None if Flag.CONFIRMATION_OUTSTANDING in exchange.flags else "no_confirmation_due"


def _order_served(exchange: Exchange, _now: datetime) -> Obstacle:
    """X7: a notice asks whether to execute; once the order is served there is nothing to decide any more."""
    return None if exchange.served_at is None else "order_served"


def _no_reference(exchange: Exchange, _now: datetime) -> Obstacle:
    """No result without the requested side's reference."""
    return None if exchange.b_reference is not None else "b_reference_missing"


def _already_oral(exchange: Exchange, _now: datetime) -> Obstacle:
    return "already_recorded" if exchange.oral is not None else None


def _nothing_to_regularise(exchange: Exchange, _now: datetime) -> Obstacle:
    due = {Flag.ORAL_FIRST, Flag.POST_FORMALITIES_DUE}
    return "nothing_to_regularise" if due.isdisjoint(exchange.flags) else None


_OBSTACLES: Mapping[str, Callable[[Exchange, datetime], Obstacle]] = {
    "ask": _one_question_in_an_emergency,
    "not_executable": _silence_not_long_enough,
    "confirm_refusal": _no_first_signature,
    "downgrade": _no_emergency,
    "raise_tier": _highest_tier,
    "close": _formalities_due,
    "cannot_comply": _no_condition,
    "send_content": _content_too_early,
    "notify_risk": _order_served,
    "preserve": _no_reference,
    "answer": _no_reference,
    "confirm_formally": _not_to_be_confirmed,
    "record_oral": _already_oral,
    "regularise": _nothing_to_regularise,
}
"""Action → what may stand against it beside the state."""

_OBSTACLES_BY_SIDE: Mapping[str, Callable[[Exchange, Side], Obstacle]] = {
    "request_onward_transfer": _nothing_received,
    "decide_onward_transfer": _no_transfer_asked,
    "ask_use": _nothing_they_received,
    "explain_use": _no_use_asked,
}
"""The same for acts that both sides do."""
