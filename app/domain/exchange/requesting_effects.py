"""What each act of the requesting side changes when the requested node applies it, beside the state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain import requesting_acts as acts
from app.domain.emergency_facts import read_emergency
from app.domain.exchange.moves import releasing
from app.domain.exchange.onward import bind_answer, carry_out_onward, is_onward
from app.domain.exchange.values import TERMINAL, Answer, LateFact, Supplement, TierChange
from app.domain.exchange_codes import Side
from app.domain.marking_bodies import read_marking
from app.domain.requested_acts import Close
from app.errors import StorageInconsistent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from app.domain.exchange.values import Exchange
    from app.domain.wire import Act

WITHDRAWN = "withdrawn"
STOPPED = "stopped"
WITHHELD = "withheld"
DONE = "done"


def _supplement(exchange: Exchange, act: acts.Supplement, *, now: datetime) -> Exchange:
    if exchange.state in TERMINAL:
        fact = LateFact(now, Side.REQUESTING, act.text)
        return replace(exchange, late_facts=(*exchange.late_facts, fact))
    supplement = Supplement(now, act.text, act.question_id)
    return replace(exchange, supplements=(*exchange.supplements, supplement))


def _proceed(exchange: Exchange, act: acts.Proceed, **_: datetime) -> Exchange:
    return replace(exchange, narrowing=act.narrowing)


def _let_go(exchange: Exchange, *, now: datetime) -> Exchange:
    """Only the requested side's duty officer ends a hold; until then its clock goes on (ruling 14)."""
    return replace(exchange, holds=tuple(releasing(hold, now=now) for hold in exchange.holds))


def _stop(exchange: Exchange, _act: acts.Stop, *, now: datetime) -> Exchange:
    return replace(_let_go(exchange, now=now), reason=STOPPED, reason_text=None)


def _withdraw(exchange: Exchange, act: acts.Withdraw, *, now: datetime) -> Exchange:
    return replace(_let_go(exchange, now=now), reason=WITHDRAWN, reason_text=act.reasons)


def _accept_condition(exchange: Exchange, _act: acts.AcceptCondition, *, now: datetime) -> Exchange:
    return bound(exchange, now=now)


def bound(exchange: Exchange, *, now: datetime) -> Exchange:
    """The open condition, accepted: it binds from now on (arts. 26(2), 28(3)). Unchanged if none is open."""
    if exchange.condition is None:
        return exchange
    accepted = replace(exchange.condition, accepted_at=now)
    return replace(exchange, condition=None, accepted_conditions=(*exchange.accepted_conditions, accepted))


def _decline_condition(exchange: Exchange, act: acts.DeclineCondition, *, now: datetime) -> Exchange:
    if act.text is None:
        return exchange
    return replace(exchange, supplements=(*exchange.supplements, Supplement(now, act.text)))


def _raise_tier(exchange: Exchange, act: acts.RaiseTier, *, now: datetime) -> Exchange:
    facts = read_emergency(act.emergency)
    change = TierChange(now, Side.REQUESTING, act.tier, act.reasons, emergency=facts)
    return replace(exchange, tier=act.tier, tier_changes=(*exchange.tier_changes, change))


def _close(exchange: Exchange, _act: Close, **_: datetime) -> Exchange:
    return replace(exchange, reason=DONE)


def _provide_anyway(exchange: Exchange, _act: acts.ProvideAnyway, **_: datetime) -> Exchange:
    return exchange


def _withhold(exchange: Exchange, act: acts.Withhold, **_: datetime) -> Exchange:
    return replace(exchange, reason=WITHHELD, reason_text=act.text)


def _send_content(exchange: Exchange, act: acts.SendContent, *, now: datetime) -> Exchange:
    if act.text is None:
        raise StorageInconsistent("content_incomplete", "a content was let through without its text")
    marking = read_marking(act.marking)
    content = Answer(now, act.text, act.source, act.information, marking, bind_answer(exchange))
    return replace(exchange, answers=(*exchange.answers, content))


_EFFECTS: Mapping[type[Act], Callable[..., Exchange]] = {
    acts.Supplement: _supplement,
    acts.Proceed: _proceed,
    acts.Stop: _stop,
    acts.Withdraw: _withdraw,
    acts.AcceptCondition: _accept_condition,
    acts.DeclineCondition: _decline_condition,
    acts.RaiseTier: _raise_tier,
    Close: _close,
    acts.ProvideAnyway: _provide_anyway,
    acts.Withhold: _withhold,
    acts.SendContent: _send_content,
}


def carry_out(exchange: Exchange, act: Act, *, now: datetime) -> Exchange:
    """The exchange with what `act` adds to it; state and generation are left to the caller."""
    if is_onward(act):
        return carry_out_onward(exchange, act, side=Side.REQUESTING, now=now)
    return _EFFECTS[type(act)](exchange, act, now=now)
