"""The requesting side's own acts before they are signed: whether the last snapshot lets its officer wish that.

The requesting side changes nothing. What passes here is sent, shown as under way, and judged by the other node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import Tier
from app.domain.emergency_facts import lacking, read_emergency
from app.domain.exchange.admission import admit
from app.domain.exchange.hold_admission import admit_on_hold, admit_person, find_hold
from app.domain.exchange.marking_guards import marking_errors
from app.domain.exchange.onward import open_transfer, open_use_question
from app.domain.exchange_codes import Side
from app.domain.moments import to_milliseconds
from app.domain.onward_acts import DecideOnwardTransfer, ExplainUse
from app.domain.requesting_acts import (
    AcceptCondition,
    DeclineCondition,
    Proceed,
    RaiseTier,
    SendContent,
    Stop,
    Supplement,
)
from app.domain.tiers import is_higher
from app.errors import Conflict, FieldError, Forbidden, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from app.domain.acts import ExchangeAct
    from app.domain.exchange.parties import Officer
    from app.domain.exchange.values import Exchange
    from app.domain.hold_acts import HoldOrder


def check_wish(replica: Exchange, body: ExchangeAct, *, by: Officer, now: datetime) -> None:
    """Raises Forbidden, Conflict or Refused if this act cannot be sent, seen from the replica.

    `propose` has named the question or condition it answers.
    """
    _only_for_the_requesting_side(by)
    admit(replica, body.action, generation=body.generation, by=by, now=to_milliseconds(now))
    errors = _content_errors(replica, body)
    if errors:
        raise Refused(errors[0].code, errors[0].detail, errors=errors)


def check_wish_on_hold(replica: Exchange, order: HoldOrder, *, by: Officer, now: datetime) -> None:
    """Raises Unknown, Forbidden or Conflict if this act on a hold cannot be sent, seen from the replica."""
    _only_for_the_requesting_side(by)
    hold = find_hold(replica, order.hold_id)
    admit_person(hold, order.act.action, by=by)
    if order.act.generation != replica.generation:
        raise Conflict("stale_generation", "the exchange has changed since you read it", generation=replica.generation)
    admit_on_hold(hold, order.act.action, by=by, now=to_milliseconds(now))


def _only_for_the_requesting_side(by: Officer) -> None:
    if by.side is not Side.REQUESTING:
        raise Forbidden("role_not_allowed", "a wish is the requesting side's")


def _content_errors(replica: Exchange, body: ExchangeAct) -> tuple[FieldError, ...]:
    if isinstance(body, RaiseTier):
        return tuple(_raise_faults(replica, body))
    error = _content_error(replica, body)
    return () if error is None else (error,)


def _raise_faults(replica: Exchange, body: RaiseTier) -> Iterator[FieldError]:
    """A tier only goes up here, and to EMERGENCY with the facts that a filed request brings (V-7)."""
    if not is_higher(body.tier, than=replica.tier):
        yield FieldError("/tier", "tier_not_higher", "A tier is raised to a more urgent one.")
    elif body.tier is Tier.EMERGENCY:
        yield from lacking(read_emergency(body.emergency), at="/emergency")
    elif body.emergency is not None:
        yield FieldError("/emergency", "not_applicable", "These facts belong to the tier EMERGENCY.")


def _content_error(replica: Exchange, body: ExchangeAct) -> FieldError | None:
    if isinstance(body, Proceed | Stop):
        open_id = None if replica.question is None else replica.question.id
        return _named(body.question_id, open_id, "/question_id")
    if isinstance(body, Supplement) and body.question_id is not None:
        open_id = None if replica.question is None else replica.question.id
        return _named(body.question_id, open_id, "/question_id")
    if isinstance(body, AcceptCondition | DeclineCondition):
        open_id = None if replica.condition is None else replica.condition.id
        return _named(body.condition_id, open_id, "/condition_id")
    if isinstance(body, SendContent):
        return _content_fault(body)
    return _onward_fault(replica, body)


def _onward_fault(replica: Exchange, body: ExchangeAct) -> FieldError | None:
    """What is decided or explained must have been asked and be open."""
    if isinstance(body, DecideOnwardTransfer):
        found = open_transfer(replica, body.transfer_id, giver=Side.REQUESTING)
        return _named(body.transfer_id, None if found is None else found.id, "/transfer_id")
    if isinstance(body, ExplainUse):
        question = open_use_question(replica, body.question_id, receiver=Side.REQUESTING)
        return _named(body.question_id, None if question is None else question.id, "/question_id")
    return None


def _content_fault(body: SendContent) -> FieldError | None:
    """Information is whole, evaluated four by four, and marked as what it is."""
    for name in ("text", "source", "information"):
        if getattr(body, name) is None:
            return FieldError(f"/{name}", "missing", "This member is required: nothing of it was kept with the offer.")
    return next(iter(marking_errors(body.marking)), None)


def _named(named: UUID | None, open_id: UUID | None, pointer: str) -> FieldError | None:
    """An act names what it answers, and answers what is open."""
    if named is not None and named == open_id:
        return None
    return FieldError(pointer, "not_open", "This must name what is open at present.")
