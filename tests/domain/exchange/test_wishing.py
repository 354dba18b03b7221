"""What the requesting side's officers may send, seen from their replica."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import HoldState, State, Tier
from app.domain.exchange.hold_admission import allowed_hold_actions
from app.domain.exchange.wishing import check_wish, check_wish_on_hold
from app.domain.hold_acts import HoldOrder
from app.errors import Conflict, CounterpartError, Forbidden, Refused, Unknown
from tests.domain.exchange.build import (
    NOW,
    QUESTION_ID,
    SUP_A,
    A,
    B,
    body,
    hold_order,
    in_state,
    preserved,
)
from tests.support.emergency import EMERGENCY, RISK

if TYPE_CHECKING:
    from app.domain.acts import ExchangeAct
    from app.domain.exchange.values import Exchange


def code_of(replica: Exchange, wish: ExchangeAct | HoldOrder, **who: object) -> str | None:
    """The code under which the wish is turned away, or None."""
    by = who.get("by", A)
    try:
        if isinstance(wish, HoldOrder):
            check_wish_on_hold(replica, wish, by=by, now=NOW)  # type: ignore[arg-type] # an officer
        else:
            check_wish(replica, wish, by=by, now=NOW)  # type: ignore[arg-type] # an officer
    except CounterpartError as error:
        return error.code
    return None


def test_before_the_first_snapshot_a_request_can_be_withdrawn_supplemented_and_raised() -> None:
    """DISPATCHED, generation 0: what must not wait for the other side does not."""
    replica = replace(in_state(State.DISPATCHED), generation=0)
    assert code_of(replica, body("withdraw", 0)) is None
    assert code_of(replica, body("supplement", 0, text="More.")) is None
    assert code_of(replica, body("raise_tier", 0, **EMERGENCY)) is None
    assert code_of(replica, body("close", 0)) == "action_not_allowed"


def test_a_wish_names_what_is_open() -> None:
    """A question or a condition that is not open, or none at all, is refused before it is sent."""
    risk, condition = in_state(State.RISK_NOTICE), in_state(State.CONDITIONS)
    clarification = in_state(State.CLARIFICATION)
    assert code_of(risk, body("proceed", 7, question_id=str(QUESTION_ID))) is None
    assert code_of(risk, body("proceed", 7)) == "not_open"
    assert code_of(risk, body("stop", 7, question_id=str(condition.id))) == "not_open"
    assert code_of(condition, body("accept_condition", 7, condition_id=str(QUESTION_ID)), by=SUP_A) == "not_open"
    assert code_of(clarification, body("supplement", 7, text="x", question_id=str(condition.id))) == "not_open"
    assert code_of(clarification, body("supplement", 7, text="x", question_id=str(QUESTION_ID))) is None
    assert (
        code_of(in_state(State.ACCEPTED), body("supplement", 7, text="x", question_id=str(QUESTION_ID))) == "not_open"
    )


def test_conditions_are_answered_by_a_supervisor_alone() -> None:
    """Accepting binds the state; a duty officer cannot."""
    replica = in_state(State.CONDITIONS)
    assert replica.condition is not None
    wish = body("accept_condition", 7, condition_id=str(replica.condition.id))
    assert code_of(replica, wish, by=A) == "role_not_allowed"
    assert code_of(replica, wish, by=SUP_A) is None


def test_a_tier_that_is_not_higher_is_refused_before_it_is_sent() -> None:
    """At EMERGENCY there is nothing to raise; below it only a more urgent tier."""
    assert code_of(in_state(State.ACCEPTED), body("raise_tier", 7, tier="URGENT", reasons="x")) == "tier_not_higher"
    highest = in_state(State.ACCEPTED, tier=Tier.EMERGENCY)
    assert code_of(highest, body("raise_tier", 7, tier="EMERGENCY", reasons="x")) == "action_not_allowed"


FACTS: dict[str, tuple[dict[str, Any], set[tuple[str, str]]]] = {
    "facts of a risk to a person": ({}, set()),
    "no facts": ({"emergency": None}, {("/emergency", "C-EMERGENCYFACTS")}),
    "thin facts": (
        {"emergency": RISK | {"facts": "A child." + " " * 100, "link_to_data": "The login."}},
        {("/emergency/facts", "C-VAGUE"), ("/emergency/link_to_data", "C-VAGUE")},
    ),
    "facts of an emergency for a lower tier": ({"tier": "URGENT"}, {("/emergency", "not_applicable")}),
    "a lower tier without them": ({"tier": "URGENT", "emergency": None}, set()),
}


@pytest.mark.parametrize("case", FACTS)
def test_an_emergency_is_raised_with_its_facts(case: str) -> None:
    """V-7: what a filed request must say of the risk, a raise must say as well; every fault is named at once."""
    members, expected = FACTS[case]
    replica = in_state(State.ACCEPTED, tier=Tier.ROUTINE)
    wish = body("raise_tier", 7, **{name: one for name, one in (EMERGENCY | members).items() if one is not None})
    with pytest.raises(Refused) if expected else nullcontext() as caught:
        check_wish(replica, wish, by=A, now=NOW)
    found = () if caught is None else caught.value.errors
    assert {(fault.pointer, str(fault.code)) for fault in found} == expected


def test_the_requested_side_s_officers_wish_nothing() -> None:
    """A wish is the other side's, on exchanges and on holds."""
    exchange = preserved()
    with pytest.raises(Forbidden):
        check_wish(exchange, body("withdraw", exchange.generation), by=B, now=NOW)
    with pytest.raises(Forbidden):
        check_wish_on_hold(exchange, hold_order("release", exchange, exchange.holds[0]), by=B, now=NOW)


def test_a_wish_on_a_hold_is_held_against_person_generation_and_clock_in_this_order() -> None:
    """404, 403, 409 stale, 409 ended."""
    exchange = preserved()
    hold = exchange.holds[0]
    stale = replace(exchange, generation=exchange.generation + 1)
    ended = replace(exchange, holds=(replace(hold, expires_at=NOW),))
    assert code_of(exchange, hold_order("request_extension", exchange, hold)) is None
    assert code_of(stale, hold_order("grant_extension", exchange, hold)) == "role_not_allowed"
    assert code_of(stale, hold_order("request_extension", exchange, hold)) == "stale_generation"
    assert code_of(ended, hold_order("request_extension", exchange, hold)) == "hold_ended"
    with pytest.raises(Unknown):
        check_wish_on_hold(exchange, hold_order("release", exchange, replace(hold, id=QUESTION_ID)), by=A, now=NOW)


def test_the_replica_offers_what_can_still_be_asked_of_a_hold() -> None:
    """While the clock runs all three; past the end, without news, only what is always stored."""
    hold = preserved().holds[0]
    assert hold.expires_at is not None
    assert allowed_hold_actions(hold, by=A, now=NOW) == ("request_extension", "claim_mla_sent", "release")
    assert allowed_hold_actions(hold, by=A, now=hold.expires_at) == ("claim_mla_sent",)
    pending = replace(hold, state=HoldState.PENDING_DECISION, expires_at=None)
    assert allowed_hold_actions(pending, by=A, now=NOW + timedelta(days=900)) == ("claim_mla_sent", "release")


def test_a_stale_wish_is_turned_away_with_the_present_generation() -> None:
    """Acts on exchanges carry the generation that was seen."""
    with pytest.raises(Conflict) as caught:
        check_wish(in_state(State.ACCEPTED), body("withdraw", 6), by=A, now=NOW)
    assert (caught.value.code, caught.value.extra["generation"]) == ("stale_generation", 7)


def test_a_refused_wish_names_its_place() -> None:
    """The error points at the member."""
    with pytest.raises(Refused) as caught:
        check_wish(in_state(State.RISK_NOTICE), body("proceed", 7), by=A, now=NOW)
    assert caught.value.errors[0].pointer == "/question_id"
