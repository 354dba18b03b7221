"""How an exchange begins, and what is read of a document that another state wrote."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from app.domain.codes import DataCategory, Fate, Instrument, RequestType, State, Tier
from app.domain.exchange.judging import judge
from app.domain.exchange.opening import (
    Call,
    attach,
    dispatched,
    not_opened,
    note_call,
    open_exchange,
    read_asked,
    read_opening,
)
from app.domain.exchange.proposals import lawful_instrument
from app.domain.exchange.values import Asked
from app.domain.exchange_codes import Flag
from app.domain.messages import BasisBody
from app.domain.requesting_acts import Withdraw
from app.errors import Conflict
from tests.domain.exchange.build import (
    CONDITION_ID,
    EXCHANGE_ID,
    NOW,
    RULES,
    TOKYO,
    do,
    document,
    opening,
    wish,
)


def test_a_dispatched_exchange_is_generation_nought() -> None:
    """What the requesting side shows until the first snapshot comes."""
    replica = dispatched(EXCHANGE_ID, opening(), now=NOW)
    assert (replica.state, replica.generation, replica.opened_at) == (State.DISPATCHED, 0, NOW)


def test_an_exchange_that_arrives_is_delivered_generation_one() -> None:
    """X1: nobody has taken it yet."""
    exchange = open_exchange(EXCHANGE_ID, opening(), now=NOW)
    assert (exchange.id, exchange.state, exchange.generation) == (EXCHANGE_ID, State.DELIVERED, 1)
    assert exchange.b_reference is None
    assert exchange.flags == ()


@pytest.mark.parametrize(
    ("tier", "clock"),
    [(Tier.EMERGENCY, timedelta(minutes=30)), (Tier.URGENT, timedelta(hours=4)), (Tier.ROUTINE, timedelta(hours=24))],
)
def test_what_arrives_after_the_delivery_clock_is_late(tier: Tier, clock: timedelta) -> None:
    """The mark tells both sides that the other one has long shown it as undeliverable."""
    in_time = open_exchange(EXCHANGE_ID, opening(tier=tier), now=NOW + clock)
    too_late = open_exchange(EXCHANGE_ID, opening(tier=tier), now=NOW + clock + timedelta(milliseconds=1))
    assert (in_time.flags, too_late.flags) == ((), (Flag.LATE,))


def test_an_open_that_comes_with_its_withdrawal_is_born_withdrawn() -> None:
    """Ruling 15: one transaction, one generation, and never offered as work."""
    withdraw = Withdraw(action="withdraw", generation=0, reasons="Arrested.")
    exchange = open_exchange(EXCHANGE_ID, opening(), now=NOW, withdraw=withdraw)
    assert (exchange.state, exchange.generation, exchange.reason_text) == (State.WITHDRAWN, 1, "Arrested.")


@pytest.mark.parametrize("fate", [Fate.EXPIRED, Fate.VOID, Fate.REFUSED])
def test_what_was_never_opened_is_closed_with_its_fate_and_later_acts_are_stale(fate: Fate) -> None:
    """Ruling 14: the thread answers, and whatever follows comes back stale."""
    closed = not_opened(EXCHANGE_ID, opening(), fate=fate, now=NOW)
    assert (closed.state, closed.generation, closed.reason) == (State.CLOSED, 1, f"not_opened:{fate}")
    later = judge(closed, wish("withdraw", closed), now=NOW, first_received_at=NOW, zone=TOKYO)
    assert later.fate is Fate.STALE


def call(kind: RequestType = RequestType.PRESERVATION, requesting: str = "XA") -> Call:
    """A request that was passed by voice."""
    return Call(EXCHANGE_ID, requesting, "XT", kind, "Preserve 203.0.113.77 at Kitano Broadband.")


def test_a_request_passed_by_voice_can_be_worked_on_before_its_open_arrives() -> None:
    """It is marked, tells what was noted, and is acknowledged like any other."""
    noted = note_call(call(), now=NOW)
    assert (noted.state, noted.flags, noted.tier) == (State.DELIVERED, (Flag.NOTED,), Tier.EMERGENCY)
    assert do(do(do(do(noted, "acknowledge"), "accept"), "start"), "preserve").holds[0].targets == (0,)


def test_the_open_attaches_to_what_was_noted_and_the_state_stays() -> None:
    """Ruling 15: under the same id, from the same code, one generation on."""
    accepted = do(do(note_call(call(), now=NOW), "acknowledge"), "accept")
    attached = attach(accepted, opening(tier=Tier.URGENT), now=NOW + timedelta(hours=1))
    assert (attached.state, attached.generation) == (State.ACCEPTED, accepted.generation + 1)
    assert (attached.tier, attached.flags, attached.request_reference) == (Tier.URGENT, (), "XA-2026-7K3QF9D")
    assert attached.asked.targets == 1
    assert attached.b_reference == accepted.b_reference


def test_an_open_from_another_code_does_not_attach() -> None:
    """Nor a second one."""
    with pytest.raises(Conflict) as caught:
        attach(note_call(call(requesting="XS"), now=NOW), opening(), now=NOW)
    assert caught.value.code == "not_yours"
    attached = attach(note_call(call(), now=NOW), opening(), now=NOW)
    with pytest.raises(Conflict):
        attach(attached, opening(), now=NOW)


def test_the_signed_type_counts_where_the_telephone_was_misheard() -> None:
    """The open from that code attaches whatever was noted; its type is the one that was signed."""
    attached = attach(note_call(call(RequestType.TECHNICAL_ADVICE), now=NOW), opening(), now=NOW)
    assert (attached.type, attached.state, attached.generation) == (RequestType.PRESERVATION, State.DELIVERED, 2)


@pytest.mark.parametrize("action", ["withdraw", "supplement", "raise_tier", "stop"])
def test_every_act_behind_a_refused_opening_is_stale(action: str) -> None:
    """Also those that are stored after any other end: there is nothing they could be added to (ruling 14)."""
    closed = not_opened(EXCHANGE_ID, opening(), fate=Fate.REFUSED, now=NOW)
    later = judge(closed, wish(action, closed), now=NOW, first_received_at=NOW, zone=TOKYO)
    assert (later.fate, later.exchange) == (Fate.STALE, closed)


def test_offered_information_carries_its_condition() -> None:
    """Art. 26(2): only the type that offers has one from the start."""
    offer = open_exchange(EXCHANGE_ID, opening(RequestType.SPONTANEOUS_INFORMATION, condition=True), now=NOW)
    assert offer.condition is not None
    assert offer.condition.id == CONDITION_ID
    assert open_exchange(EXCHANGE_ID, opening(condition=True), now=NOW).condition is None


def test_the_rules_read_targets_offences_days_and_instruments_of_the_document() -> None:
    """What the machine needs, and nothing more."""
    asked = read_asked(document(targets=3, article="2"))
    categories = (DataCategory.SUBSCRIBER, DataCategory.TRAFFIC)
    known = Asked(3, ("2",), 90, (Instrument.ETS185,), date(2027, 1, 10), mla_intended=True, categories=categories)
    assert asked == known


def test_the_chosen_basis_goes_before_those_that_the_document_names() -> None:
    """What the requesting desk rests the request on is what the other one is proposed to accept."""
    body = opening()
    assert read_opening(body).instruments == (Instrument.ETS185,)
    chosen = BasisBody(instrument=Instrument.G7_24_7, articles=())
    asked = read_opening(body.model_copy(update={"basis": chosen}))
    assert asked.instruments == (Instrument.G7_24_7, Instrument.ETS185)
    exchange = replace(open_exchange(EXCHANGE_ID, body, now=NOW), asked=asked)
    assert lawful_instrument(exchange, RULES) is Instrument.G7_24_7


@pytest.mark.parametrize(
    "strange",
    [
        {},
        {"targets": "all", "offences": 7, "legal_basis": [], "mla_intent": "yes", "requested_period_days": "60"},
        {"targets": {}, "offences": ["x", {}], "legal_basis": {"international": [{"instrument": "X"}, 3]}},
        {"mla_intent": {"planned_date": 5}, "requested_period_days": -4, "legal_basis": {"international": None}},
        {"mla_intent": {"planned_date": "soon", "intends": "true"}, "requested_period_days": 10**9},
    ],
)
def test_a_document_that_cannot_be_read_leaves_out_what_cannot_be_read(strange: dict[str, Any]) -> None:
    """It is another state's text: no error, and nothing is guessed."""
    assert read_asked(strange) in (Asked(), Asked(articles=()))
