"""What an officer may leave out of an act, filled in: reference, times, instrument, results, what is answered.

A proposal is a service to the person who acts; the completed act is judged as if they had written every member.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from app.domain import requested_acts as acts
from app.domain.exchange.clocks import FIRST_SUBSTANCE
from app.domain.exchange_codes import QuestionKind
from app.domain.hold_acts import GrantExtension, RequestExtension
from app.domain.marking_bodies import given
from app.domain.markings import DEFAULT
from app.domain.moments import to_milliseconds
from app.domain.references import RANDOM_BYTES, make_reference
from app.domain.requesting_acts import AcceptCondition, DeclineCondition, Proceed, SendContent, Stop, Supplement
from app.domain.wire import MAX_HOLD_DAYS, MIN_HOLD_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from app.domain.acts import ExchangeAct
    from app.domain.codes import Instrument
    from app.domain.exchange.parties import PartyRules
    from app.domain.exchange.values import Exchange
    from app.domain.hold_acts import HoldOrder
    from app.domain.wire import Act

Body = TypeVar("Body", bound="Act")


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a proposal is made from."""

    exchange: Exchange
    rules: PartyRules
    now: datetime
    random: Callable[[int], bytes]


def propose(
    exchange: Exchange, body: ExchangeAct, *, rules: PartyRules, now: datetime, random: Callable[[int], bytes]
) -> ExchangeAct:
    """The act with every member that was left out and can be proposed; what the officer wrote is never changed."""
    fill = _FILLERS.get(type(body))
    if fill is None:
        return body
    return fill(body, _Facts(exchange, rules, to_milliseconds(now), random))


def propose_on_hold(exchange: Exchange, order: HoldOrder, *, rules: PartyRules) -> HoldOrder:
    """The same for an act on a hold: the days asked for, and the days granted of those asked for."""
    act = order.act
    if isinstance(act, RequestExtension):
        return replace(order, act=_filled(act, days=max(MIN_HOLD_DAYS, rules.extension_days)))
    if isinstance(act, GrantExtension):
        hold = exchange.hold(order.hold_id)
        wish = None if hold is None else hold.extension_wish
        days = rules.extension_days if wish is None else min(wish.days, rules.extension_days)
        return replace(order, act=_filled(act, days=days))
    return order


def lawful_instrument(exchange: Exchange, rules: PartyRules) -> Instrument | None:
    """The instrument already accepted, else the first that the request names and is in force, else any in force."""
    if exchange.instrument is not None and exchange.instrument in rules.instruments:
        return exchange.instrument
    named = (instrument for instrument in exchange.asked.instruments if instrument in rules.instruments)
    return next(named, next(iter(rules.instruments), None))


def _filled(body: Body, **proposed: object) -> Body:
    """`body` with these members where it has none."""
    absent = {name: value for name, value in proposed.items() if getattr(body, name) is None and value is not None}
    return body.model_copy(update=absent) if absent else body


def _acknowledge(body: acts.Acknowledge, facts: _Facts) -> ExchangeAct:
    year = facts.now.astimezone(facts.rules.zone).year
    reference = make_reference(facts.exchange.requested, year, random_bytes=facts.random(RANDOM_BYTES))
    next_update_at = facts.now + FIRST_SUBSTANCE[facts.exchange.tier]
    return _filled(body, b_reference=reference, next_update_at=next_update_at)


def _with_instrument(
    body: acts.NotifyRisk | acts.ProposeConditions | acts.Accept | acts.Refuse, facts: _Facts
) -> ExchangeAct:
    return _filled(body, instrument=lawful_instrument(facts.exchange, facts.rules))


def _with_marking(body: acts.Answer | acts.DiscloseTrafficPath | SendContent, facts: _Facts) -> ExchangeAct:
    """What is given bears the marking of the request unless its giver says otherwise."""
    return _filled(body, marking=given(facts.exchange.asked.marking or DEFAULT))


def _preserve(body: acts.Preserve, facts: _Facts) -> ExchangeAct:
    """What is not held yet is held from now on: sixty days, or what was asked, or the law's own term if longer."""
    held = {result.target for result in facts.exchange.results if result.outcome is None}
    targets = [target for target in range(max(1, facts.exchange.asked.targets)) if target not in held]
    results = tuple(acts.TargetOutcome(target=target, outcome="HELD") for target in targets)
    days = max(MIN_HOLD_DAYS, facts.exchange.asked.requested_days or 0, facts.rules.default_days)
    return _filled(body, results=results or None, days=min(days, MAX_HOLD_DAYS), preserved_at=facts.now)


def _question(body: Proceed | Stop, facts: _Facts) -> ExchangeAct:
    question = facts.exchange.question
    return _filled(body, question_id=None if question is None else question.id)


def _supplement(body: Supplement, facts: _Facts) -> ExchangeAct:
    """A supplement answers the open question, if that asks for facts."""
    question = facts.exchange.question
    answers = question is not None and question.kind is QuestionKind.ASK
    return _filled(body, question_id=question.id if question is not None and answers else None)


def _condition(body: AcceptCondition | DeclineCondition, facts: _Facts) -> ExchangeAct:
    condition = facts.exchange.condition
    return _filled(body, condition_id=None if condition is None else condition.id)


_FILLERS: Mapping[type[Act], Callable[..., ExchangeAct]] = {
    acts.Acknowledge: _acknowledge,
    acts.NotifyRisk: _with_instrument,
    acts.ProposeConditions: _with_instrument,
    acts.Accept: _with_instrument,
    acts.Refuse: _with_instrument,
    acts.Preserve: _preserve,
    acts.Answer: _with_marking,
    acts.DiscloseTrafficPath: _with_marking,
    SendContent: _with_marking,
    Proceed: _question,
    Stop: _question,
    Supplement: _supplement,
    AcceptCondition: _condition,
    DeclineCondition: _condition,
}
