"""States that our own rules exclude: met all the same, they are fatal for the act and never carried on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import Instrument, Lane, State, Tier
from app.domain.exchange.guards import Case, check_content
from app.domain.exchange.hold_effects import HoldDoing, carry_out_on_hold
from app.domain.exchange.judging import judge
from app.domain.exchange.requested_effects import Doing, carry_out
from app.domain.tiers import is_higher, lane_of
from app.domain.transitions import X29
from app.errors import Refused, StorageInconsistent
from tests.domain.exchange.build import (
    NOW,
    RULES,
    TOKYO,
    B,
    body,
    content,
    do,
    hold_order,
    in_state,
    preserved,
    wish,
)

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange

DOING = Doing(B, RULES, NOW)


@pytest.mark.parametrize(
    ("action", "members"),
    [
        ("refuse", {"instrument": None}),
        ("confirm_refusal", {}),
        ("preserve", {"results": None, "days": None}),
    ],
)
def test_an_incomplete_act_that_slipped_through_is_not_carried_out(action: str, members: dict[str, object]) -> None:
    """The guards stand before; behind them the effect does not guess either."""
    exchange = in_state(State.IN_EXECUTION)
    incomplete = body(action, 7, **{**content(action, exchange), **members})
    with pytest.raises(StorageInconsistent):
        carry_out(exchange, incomplete, DOING)


@pytest.mark.parametrize("action", ["grant_extension", "lift"])
def test_an_incomplete_act_on_a_hold_is_not_carried_out(action: str) -> None:
    """An extension without days, a lifting without a person."""
    exchange = preserved()
    order = hold_order(action, exchange, exchange.holds[0], **({"days": None} if action == "grant_extension" else {}))
    with pytest.raises(StorageInconsistent):
        carry_out_on_hold(exchange.holds[0], order.act, HoldDoing(NOW, TOKYO))


def test_a_clarification_that_does_not_know_its_way_back_is_fatal() -> None:
    """`resume_state` is written with the question; without it nobody decides where to go."""
    lost: Exchange = replace(in_state(State.CLARIFICATION), resume_state=None)
    with pytest.raises(StorageInconsistent):
        judge(lost, wish("supplement", lost), now=NOW, first_received_at=NOW, zone=TOKYO)


def test_a_referral_without_its_authority_is_closed_all_the_same() -> None:
    """Nothing to add the outside reference to; the end is not lost for it."""
    closed = do(replace(in_state(State.REFERRED), referred_to=None), "close", reference="PG-12/26")
    assert (closed.state, closed.referred_to) == (State.CLOSED, None)


def test_a_confirmation_without_a_proposal_has_no_content_to_check() -> None:
    """Admission stands before it; the guard alone finds nothing wrong."""
    exchange = in_state(State.ACCEPTED)
    check_content(body("confirm_refusal", 7), Case(exchange, X29, RULES, NOW))
    with pytest.raises(Refused):
        check_content(body("accept", 7), Case(exchange, X29, replace(RULES, instruments=()), NOW))
    check_content(body("accept", 7, instrument=Instrument.UNCC), Case(exchange, X29, RULES, NOW))


def test_tiers_have_an_order_and_a_lane() -> None:
    """EMERGENCY and URGENT travel on the urgent lane (ruling 13)."""
    assert [lane_of(tier) for tier in Tier] == [Lane.URGENT, Lane.URGENT, Lane.ROUTINE]
    assert is_higher(Tier.EMERGENCY, than=Tier.URGENT)
    assert is_higher(Tier.URGENT, than=Tier.ROUTINE)
    assert not is_higher(Tier.ROUTINE, than=Tier.ROUTINE)
