"""Acts of the requesting side as they arrive: what crossed on the way has exactly the fate that was ruled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import Fate, HoldState, MlaStatus, RequestType, State, Tier
from app.domain.exchange.judging import Judged, awaiting_withdrawal, judge
from app.domain.exchange.raised import raised_warnings
from app.domain.exchange_codes import Flag, Side
from app.domain.holds import is_open
from app.domain.messages import ActionBody
from tests.domain.exchange.build import (
    CONDITION_ID,
    NOW,
    QUESTION_ID,
    TOKYO,
    body,
    do,
    hold_wish,
    in_state,
    preserved,
    wish,
)
from tests.support.emergency import RISK

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.exchange.values import Exchange
    from app.domain.messages import HoldActionBody

OTHER_ID = "019aab1c-0000-7000-8000-0000000000ff"


def judged(
    exchange: Exchange, message: ActionBody | HoldActionBody, *, now: datetime = NOW, received: datetime | None = None
) -> Judged:
    """The fate of a message received now, or earlier."""
    return judge(exchange, message, now=now, first_received_at=received or now, zone=TOKYO)


def test_a_supplement_that_names_the_open_question_answers_it() -> None:
    """X5: back to where it was asked from, the question closed, the text kept beside the request."""
    result = judged(in_state(State.CLARIFICATION), wish("supplement", in_state(State.CLARIFICATION)))
    assert (result.fate, result.exchange.state) == (Fate.APPLIED, State.ACKNOWLEDGED)
    assert result.exchange.question is None
    assert result.exchange.resume_state is None
    assert result.exchange.supplements[0].question_id == QUESTION_ID


@pytest.mark.parametrize("named", [{}, {"question_id": OTHER_ID}], ids=["no question", "an earlier question"])
def test_a_supplement_that_does_not_name_the_open_question_is_stored_and_leaves_it_open(
    named: dict[str, str],
) -> None:
    """It crossed the question on the way: kept, and the question still waits."""
    exchange = in_state(State.CLARIFICATION)
    message = ActionBody(act=body("supplement", 1, text="More.", **named), at=NOW)
    result = judged(exchange, message)
    assert (result.fate, result.exchange.state) == (Fate.APPLIED, State.CLARIFICATION)
    assert result.exchange.question == exchange.question
    assert len(result.exchange.supplements) == 1


def test_a_supplement_after_the_end_is_a_late_fact() -> None:
    """Always stored: the state stays, the fact is kept and shown."""
    result = judged(in_state(State.CLOSED), ActionBody(act=body("supplement", 1, text="Found."), at=NOW))
    assert (result.fate, result.exchange.state) == (Fate.APPLIED, State.CLOSED)
    assert result.exchange.late_facts[0].side is Side.REQUESTING


@pytest.mark.parametrize("action", ["proceed", "stop"])
def test_a_notice_is_answered_by_naming_it(action: str) -> None:
    """X8 goes on, X9 ends: both close the notice."""
    exchange = in_state(State.RISK_NOTICE)
    result = judged(exchange, wish(action, exchange))
    target = State.ACCEPTED if action == "proceed" else State.WITHDRAWN
    assert (result.fate, result.exchange.state) == (Fate.APPLIED, target)
    assert result.exchange.question is None


def test_proceed_may_narrow_what_is_asked() -> None:
    """The decision to go on can ask for less."""
    exchange = in_state(State.RISK_NOTICE)
    result = judged(exchange, wish("proceed", exchange, narrowing="Only the subscriber."))
    assert result.exchange.narrowing == "Only the subscriber."


def test_proceed_is_stale_once_its_notice_is_closed_whatever_is_open_now() -> None:
    """It answers one notice; a second notice is another decision."""
    second = in_state(State.RISK_NOTICE)
    assert judged(second, wish("proceed", second, question_id=OTHER_ID)).fate is Fate.STALE
    accepted = in_state(State.ACCEPTED)
    assert judged(accepted, wish("proceed", accepted, question_id=str(QUESTION_ID))).fate is Fate.STALE


def test_proceed_does_not_answer_a_clarification() -> None:
    """Silence on the facts is not broken by a decision on a risk."""
    exchange = in_state(State.CLARIFICATION)
    assert judged(exchange, wish("proceed", exchange, question_id=str(QUESTION_ID))).fate is Fate.STALE


@pytest.mark.parametrize("state", [State.ACCEPTED, State.IN_EXECUTION, State.CLARIFICATION, State.PRESERVED])
def test_a_stop_whose_notice_is_no_longer_open_withdraws(state: State) -> None:
    """Who said stop does not want it done: applied as `withdraw`."""
    exchange = in_state(state)
    result = judged(exchange, wish("stop", exchange, question_id=OTHER_ID))
    assert (result.fate, result.exchange.state) == (Fate.APPLIED, State.WITHDRAWN)
    assert result.exchange.reason == "withdrawn"


@pytest.mark.parametrize("action", ["stop", "withdraw"])
def test_a_withdrawal_after_the_end_comes_back_stale_with_the_end_state(action: str) -> None:
    """Nothing is left to withdraw; the snapshot that answers shows why."""
    exchange = in_state(State.NOT_EXECUTABLE)
    result = judged(exchange, wish(action, exchange, **({"question_id": OTHER_ID} if action == "stop" else {})))
    assert (result.fate, result.exchange) == (Fate.STALE, exchange)


@pytest.mark.parametrize("action", ["proceed", "accept_condition", "decline_condition"])
def test_an_answer_that_names_nothing_is_refused(action: str) -> None:
    """An act names what it answers (ruling 14)."""
    state = State.RISK_NOTICE if action == "proceed" else State.CONDITIONS
    result = judged(in_state(state), ActionBody(act=body(action, 1), at=NOW))
    named = "question_id_missing" if action == "proceed" else "condition_id_missing"
    assert (result.fate, result.code) == (Fate.REFUSED, named)


def test_an_accepted_condition_binds() -> None:
    """X12: accepted, kept with its hour, and no longer open."""
    exchange = in_state(State.CONDITIONS)
    after = judged(exchange, wish("accept_condition", exchange)).exchange
    assert (after.state, after.condition) == (State.ACCEPTED, None)
    assert (after.accepted_conditions[0].id, after.accepted_conditions[0].accepted_at) == (CONDITION_ID, NOW)


def test_a_declined_condition_lets_the_requested_side_decide_anew() -> None:
    """X13: back to ACKNOWLEDGED, nothing binds, the words are kept."""
    exchange = in_state(State.CONDITIONS)
    after = judged(exchange, wish("decline_condition", exchange, text="Our courts are public.")).exchange
    assert (after.state, after.condition, after.accepted_conditions) == (State.ACKNOWLEDGED, None, ())
    assert after.supplements[0].text == "Our courts are public."


def test_an_answer_to_a_condition_that_is_no_longer_open_is_stale() -> None:
    """Another condition is open now."""
    exchange = in_state(State.CONDITIONS)
    for action in ("accept_condition", "decline_condition"):
        assert judged(exchange, wish(action, exchange, condition_id=OTHER_ID)).fate is Fate.STALE


def test_a_tier_is_raised_only_upwards() -> None:
    """A raise that crossed another to the same tier is stale, and lowering is not the requesting side's."""
    exchange = in_state(State.ACCEPTED)
    raised = judged(exchange, wish("raise_tier", exchange))
    assert (raised.fate, raised.exchange.tier, raised.exchange.state) == (Fate.APPLIED, Tier.EMERGENCY, State.ACCEPTED)
    assert judged(raised.exchange, wish("raise_tier", exchange)).fate is Fate.STALE
    assert judged(exchange, wish("raise_tier", exchange, tier="ROUTINE")).fate is Fate.STALE


def test_an_emergency_without_facts_is_applied_and_a_person_is_warned() -> None:
    """On receipt completeness warns and never refuses (ruling 19): until the tier is lowered, or the facts suffice."""
    late = NOW + timedelta(hours=1)
    urgent = in_state(State.ACCEPTED)
    told = judged(urgent, wish("raise_tier", urgent, emergency=RISK | {"imminent_until": "2026-11-22T10:00:00Z"}))
    assert [one["code"] for one in raised_warnings(told.exchange, now=NOW)] == []
    assert [one["code"] for one in raised_warnings(told.exchange, now=late)] == ["time_passed"]
    thin = judged(urgent, wish("raise_tier", urgent, emergency=RISK | {"facts": "A child."}))
    (warning,) = raised_warnings(thin.exchange, now=NOW)
    assert (warning["pointer"], warning["error"]) == ("/details/tier_changes/0/emergency/facts", True)
    bare = judged(urgent, wish("raise_tier", urgent, emergency=None))
    assert (bare.fate, bare.exchange.tier) == (Fate.APPLIED, Tier.EMERGENCY)
    assert [one["code"] for one in raised_warnings(bare.exchange, now=NOW)] == ["C-EMERGENCYFACTS"]
    lowered = do(bare.exchange, "downgrade", alternatives="Urgent.")
    assert list(raised_warnings(lowered, now=NOW)) == []


def test_an_answered_exchange_is_closed_by_the_requesting_side() -> None:
    """X27, unless formalities after execution are still due."""
    exchange = in_state(State.ANSWERED, RequestType.TECHNICAL_ADVICE)
    closed = judged(exchange, wish("close", exchange))
    assert (closed.exchange.state, closed.exchange.reason) == (State.CLOSED, "done")
    due = replace(exchange, flags=(Flag.POST_FORMALITIES_DUE,))
    assert (judged(due, wish("close", due)).fate, judged(due, wish("close", due)).code) == (
        Fate.REFUSED,
        "formalities_due",
    )


def test_a_withdrawal_leaves_the_holds_running_until_the_duty_officer_lets_go() -> None:
    """WITHDRAWN at once; each hold is `releasing`, with a task of 24 hours, and its clock goes on."""
    exchange = preserved()
    withdrawn = judged(exchange, wish("withdraw", exchange, reasons="The suspect was arrested.")).exchange
    hold = withdrawn.holds[0]
    assert withdrawn.state is State.WITHDRAWN
    assert (hold.state, hold.releasing, hold.release_due_at) == (HoldState.TIMED, True, NOW + timedelta(hours=24))
    assert hold.expires_at == exchange.holds[0].expires_at
    assert is_open(hold, NOW)


def test_a_second_wish_to_release_keeps_the_first_deadline() -> None:
    """The task does not start again with each message."""
    exchange = preserved()
    first = judged(exchange, hold_wish("release", exchange, exchange.holds[0])).exchange
    second = judged(first, hold_wish("release", first, first.holds[0]), now=NOW + timedelta(hours=5))
    assert second.fate is Fate.APPLIED
    assert second.exchange.holds[0].release_due_at == NOW + timedelta(hours=24)


def test_an_extension_first_received_before_the_end_is_recorded_even_if_judged_after_it() -> None:
    """At the edge of a hold the first receipt counts: before the end recorded, from the end on stale."""
    exchange = preserved()
    end = exchange.holds[0].expires_at
    assert end is not None
    message = hold_wish("request_extension", exchange, exchange.holds[0])
    just_before = judged(exchange, message, now=end + timedelta(hours=1), received=end - timedelta(milliseconds=1))
    assert just_before.fate is Fate.APPLIED
    assert just_before.exchange.holds[0].extension_wish is not None
    assert just_before.exchange.holds[0].state is HoldState.EXPIRED
    assert judged(exchange, message, now=end, received=end).fate is Fate.STALE


def test_an_extension_is_stale_for_a_hold_without_a_running_clock() -> None:
    """Released, pending or about to be let go: there is nothing to extend."""
    exchange = preserved()
    pending = replace(exchange.holds[0], state=HoldState.PENDING_DECISION, expires_at=None)
    for hold in (pending, replace(exchange.holds[0], releasing=True)):
        held = replace(exchange, holds=(hold,))
        assert judged(held, hold_wish("request_extension", held, hold)).fate is Fate.STALE


def test_a_claim_that_the_request_has_left_stops_no_clock() -> None:
    """CLAIMED_SENT, a date to confirm by, and the same end as before."""
    exchange = preserved()
    hold = judged(exchange, hold_wish("claim_mla_sent", exchange, exchange.holds[0])).exchange.holds[0]
    assert (hold.state, hold.expires_at) == (HoldState.TIMED, exchange.holds[0].expires_at)
    assert (hold.mla.status, hold.mla.claimed_reference) == (MlaStatus.CLAIMED_SENT, "CA-7")
    assert hold.mla.confirm_by is not None


@pytest.mark.parametrize("status", [MlaStatus.RECEIVED, MlaStatus.DECIDED])
def test_a_claim_is_stored_and_takes_back_no_receipt(status: MlaStatus) -> None:
    """Always stored, whatever the hold's state; what rests on a receipt stays."""
    exchange = preserved()
    ended = replace(exchange.holds[0], state=HoldState.RELEASED, mla=replace(exchange.holds[0].mla, status=status))
    held = replace(exchange, holds=(ended,), state=State.CLOSED)
    result = judged(held, hold_wish("claim_mla_sent", held, ended))
    assert result.fate is Fate.APPLIED
    assert (result.exchange.holds[0].mla.status, result.exchange.holds[0].mla.claimed_reference) == (status, "CA-7")


def test_acts_of_the_requested_side_s_table_are_not_yours() -> None:
    """Nobody acts for the other side, on the exchange or on a hold."""
    exchange = preserved()
    result = judged(exchange, hold_wish("grant_extension", exchange, exchange.holds[0]))
    assert (result.fate, result.code) == (Fate.REFUSED, "not_yours")
    assert judged(exchange, wish("accept", exchange)).code == "not_yours"


def test_a_hold_that_never_was_is_refused_by_name() -> None:
    """The id did not come from here."""
    exchange = preserved()
    stranger = replace(exchange.holds[0], id=QUESTION_ID)
    result = judged(exchange, hold_wish("release", exchange, stranger))
    assert (result.fate, result.code) == (Fate.REFUSED, "unknown_hold")


def test_a_withdrawal_after_the_last_hold_ran_out_is_stale_and_shows_the_end() -> None:
    """The timer had not run: by rule the exchange was closed, and the answer says so."""
    exchange = preserved()
    end = exchange.holds[0].expires_at
    assert end is not None
    result = judged(exchange, wish("withdraw", exchange), now=end)
    assert (result.fate, result.exchange.state, result.exchange.reason) == (Fate.STALE, State.CLOSED, "holds_ended")
    assert result.exchange.generation == exchange.generation + 1


def test_a_judged_withdrawal_no_longer_blocks_the_desk() -> None:
    """Applied or stale, it has been dealt with; and the mark itself is no new generation."""
    closed = awaiting_withdrawal(in_state(State.CLOSED))
    assert closed.generation == in_state(State.CLOSED).generation
    assert not judged(closed, wish("withdraw", closed)).exchange.private.withdrawal_waiting
    waiting = awaiting_withdrawal(in_state(State.ACCEPTED))
    assert not judged(waiting, wish("withdraw", waiting)).exchange.private.withdrawal_waiting
    assert judged(waiting, wish("supplement", waiting)).exchange.private.withdrawal_waiting


def test_offered_information_is_sent_only_once_its_condition_is_settled() -> None:
    """Art. 26(2): content before acceptance is refused; after it, or given anyway, it answers."""
    offer = in_state(State.ACKNOWLEDGED, RequestType.SPONTANEOUS_INFORMATION)
    offer = replace(offer, condition=in_state(State.CONDITIONS).condition)
    too_early = judged(offer, wish("send_content", offer))
    assert (too_early.fate, too_early.code) == (Fate.REFUSED, "condition_open")
    accepted = do(offer, "accept_information")
    assert accepted.accepted_conditions[0].accepted_at == NOW
    sent = judged(accepted, wish("send_content", accepted)).exchange
    assert (sent.state, sent.answers[0].source, sent.answers[0].information) == (State.ANSWERED, "A", "2")
    cannot = do(offer, "cannot_comply", text="Our courts are public.")
    assert cannot.state is State.CONDITIONS
    anyway = judged(cannot, wish("provide_anyway", cannot)).exchange
    assert (anyway.state, anyway.accepted_conditions) == (State.ACCEPTED, ())
    kept = judged(cannot, wish("withhold", cannot, text="Then not.")).exchange
    assert (kept.state, kept.reason, kept.reason_text) == (State.CLOSED, "withheld", "Then not.")
