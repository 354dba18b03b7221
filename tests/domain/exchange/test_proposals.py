"""What an officer may leave out: it is filled in lawfully, and what was written is never changed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.domain import requested_acts as acts
from app.domain.codes import Instrument, State, Tier
from app.domain.exchange.opening import Call, note_call
from app.domain.exchange.parties import PartyRules
from app.domain.exchange.proposals import lawful_instrument, propose, propose_on_hold
from app.domain.exchange.values import Asked
from app.domain.hold_acts import GrantExtension, RequestExtension
from app.domain.references import check_reference
from app.domain.requesting_acts import AcceptCondition, Proceed, Stop, Supplement
from tests.domain.exchange.build import (
    CONDITION_ID,
    EXCHANGE_ID,
    NOW,
    QUESTION_ID,
    RULES,
    TOKYO,
    body,
    hold_order,
    in_state,
    preserved,
    random_bytes,
)

if TYPE_CHECKING:
    from app.domain.acts import ExchangeAct
    from app.domain.exchange.values import Exchange


def proposed(
    exchange: Exchange,
    action: str,
    *,
    rules: PartyRules = RULES,
    **members: Any,  # noqa: ANN401 - members of a body
) -> ExchangeAct:
    """The act, completed."""
    given = body(action, exchange.generation, **members)
    return propose(exchange, given, rules=rules, now=NOW, random=random_bytes)


def test_an_acknowledgement_gets_a_reference_and_a_next_update() -> None:
    """A reference that tells no volume, and the term of the tier."""
    act = proposed(in_state(State.DELIVERED, tier=Tier.EMERGENCY), "acknowledge")
    assert isinstance(act, acts.Acknowledge)
    assert act.b_reference is not None
    assert check_reference(act.b_reference) == act.b_reference
    assert re.match(r"XT-2026-", act.b_reference)
    assert act.next_update_at == NOW + timedelta(hours=1)


def test_the_year_of_a_reference_is_that_of_the_requested_side() -> None:
    """On the evening of 31 December in UTC it is already next year in Tokyo."""
    new_year = NOW.replace(month=12, day=31, hour=20)
    act = propose(in_state(State.DELIVERED), body("acknowledge", 7), rules=RULES, now=new_year, random=random_bytes)
    assert isinstance(act, acts.Acknowledge)
    assert str(act.b_reference).startswith("XT-2027-")


def test_what_the_officer_wrote_is_kept() -> None:
    """A proposal fills gaps and overwrites nothing."""
    act = proposed(in_state(State.DELIVERED), "acknowledge", b_reference="OWN/7")
    assert isinstance(act, acts.Acknowledge)
    assert act.b_reference == "OWN/7"
    assert act.next_update_at is not None


INSTRUMENTS = {
    "the one accepted already, if it is still in force": (Instrument.UNCC, (Instrument.ETS185,), Instrument.UNCC),
    "else one that the request names": (Instrument.BILATERAL, (Instrument.UNCC,), Instrument.UNCC),
    "else the preferred one in force": (None, (Instrument.BILATERAL,), Instrument.ETS185),
}


@pytest.mark.parametrize("sentence", INSTRUMENTS)
def test_the_instrument_proposed_is(sentence: str) -> None:
    """In this order of preference, and always one that is in force."""
    accepted, named, wanted = INSTRUMENTS[sentence]
    rules = PartyRules(zone=TOKYO, instruments=(Instrument.ETS185, Instrument.UNCC))
    exchange = replace(in_state(State.ACKNOWLEDGED), instrument=accepted, asked=Asked(instruments=named))
    assert lawful_instrument(exchange, rules) is wanted


def test_where_no_instrument_is_in_force_none_is_proposed() -> None:
    """The act stays incomplete and is turned away as N-NOBASIS."""
    rules = PartyRules(zone=TOKYO, instruments=())
    act = proposed(in_state(State.ACKNOWLEDGED), "accept", rules=rules)
    assert isinstance(act, acts.Accept)
    assert act.instrument is None


DAYS = {
    "never less than sixty": (None, 10, 60),
    "what was asked, if longer": (90, 60, 90),
    "the law's own term, if longer still": (90, 120, 120),
    "sixty where less was asked": (30, 60, 60),
}


@pytest.mark.parametrize("sentence", DAYS)
def test_the_days_proposed_are(sentence: str) -> None:
    """The longest of the treaty's minimum, what was asked and what the law gives."""
    asked, default, wanted = DAYS[sentence]
    exchange = in_state(State.IN_EXECUTION)
    exchange = replace(exchange, asked=replace(exchange.asked, requested_days=asked))
    act = proposed(exchange, "preserve", rules=replace(RULES, default_days=default))
    assert isinstance(act, acts.Preserve)
    assert act.days == wanted


def test_everything_is_proposed_as_held_from_now_on() -> None:
    """Each target of the request; from a partial result, what is not held yet."""
    act = proposed(in_state(State.IN_EXECUTION), "preserve")
    assert isinstance(act, acts.Preserve)
    assert act.preserved_at == NOW
    assert [(one.target, one.outcome) for one in act.results or ()] == [(0, "HELD")]
    rest = proposed(in_state(State.PARTIALLY_PRESERVED), "preserve")
    assert isinstance(rest, acts.Preserve)
    assert [one.target for one in rest.results or ()] == [1]


def test_a_request_noted_by_voice_has_one_target_until_more_is_known() -> None:
    """The targets are not known: one result stands for what was said."""
    noted = note_call(Call(EXCHANGE_ID, "XA", "XT", preserved().type, "203.0.113.77"), now=NOW)
    act = proposed(replace(noted, state=State.IN_EXECUTION), "preserve")
    assert isinstance(act, acts.Preserve)
    assert [one.target for one in act.results or ()] == [0]


def test_a_wish_names_what_is_open() -> None:
    """The officer of the requesting side does not copy ids; nothing is named where nothing is open."""
    risk, conditions, clarification = (
        in_state(state) for state in (State.RISK_NOTICE, State.CONDITIONS, State.CLARIFICATION)
    )
    for action, kind in (("proceed", Proceed), ("stop", Stop)):
        act = proposed(risk, action)
        assert isinstance(act, kind)
        assert act.question_id == QUESTION_ID
    accepted = proposed(conditions, "accept_condition")
    assert isinstance(accepted, AcceptCondition)
    assert accepted.condition_id == CONDITION_ID
    assert getattr(proposed(in_state(State.ACCEPTED), "proceed"), "question_id", "") is None
    assert getattr(proposed(in_state(State.ACCEPTED), "decline_condition"), "condition_id", "") is None
    answers = proposed(clarification, "supplement", text="Port.")
    beside = proposed(risk, "supplement", text="Port.")
    assert isinstance(answers, Supplement)
    assert isinstance(beside, Supplement)
    assert (answers.question_id, beside.question_id) == (QUESTION_ID, None)


def test_acts_that_need_nothing_are_left_alone() -> None:
    """No proposal, no change."""
    given = body("start", 7)
    assert propose(in_state(State.ACCEPTED), given, rules=RULES, now=NOW, random=random_bytes) is given


def test_days_of_an_extension_are_proposed_within_the_law() -> None:
    """Asked: sixty or the law's step; granted: what was asked, as far as the law's step goes."""
    exchange = preserved()
    hold = exchange.holds[0]
    rules = replace(RULES, extension_days=30)
    asked = propose_on_hold(exchange, hold_order("request_extension", exchange, hold, days=None), rules=rules)
    assert isinstance(asked.act, RequestExtension)
    assert asked.act.days == 60
    granted = propose_on_hold(exchange, hold_order("grant_extension", exchange, hold, days=None), rules=rules)
    assert isinstance(granted.act, GrantExtension)
    assert granted.act.days == 30
    other = hold_order("release", exchange, hold)
    assert propose_on_hold(exchange, other, rules=rules) is other
