"""What each act on a hold does to it: the clock moves, stops or ends only where a row says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import HoldState, MlaStatus, State
from app.domain.exchange.advance import act_on_hold
from app.domain.exchange.judging import judge
from app.domain.exchange.proposals import propose_on_hold
from app.domain.exchange_codes import HoldFlag, LiftReason, Side
from app.domain.holds import Extension, hold_flags, is_open, state_at, still_held, warnings_due
from app.domain.snapshot import take_snapshot
from app.errors import Conflict, Forbidden, Refused, Unknown
from tests.domain.exchange.build import (
    NOW,
    QUESTION_ID,
    RULES,
    SUP_B,
    TOKYO,
    A,
    B,
    hold_order,
    hold_wish,
    officer,
    preserved,
)
from tests.domain.holds.build import hold_in

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.exchange.parties import Officer
    from app.domain.exchange.values import Exchange
    from app.domain.holds import Hold

DAY = timedelta(days=1)


def done(
    exchange: Exchange,
    action: str,
    *,
    by: Officer = B,
    now: datetime = NOW,
    **members: Any,  # noqa: ANN401 - members of a body
) -> Exchange:
    """The exchange after an act of the requested side on its first hold."""
    order = propose_on_hold(exchange, hold_order(action, exchange, exchange.holds[0], **members), rules=RULES)
    return act_on_hold(exchange, order, by=by, rules=RULES, now=now)


def asked(exchange: Exchange, action: str, *, now: datetime = NOW, **members: Any) -> Exchange:  # noqa: ANN401 - (as above)
    """The exchange after an act of the requesting side on its first hold has arrived."""
    wish = hold_wish(action, exchange, exchange.holds[0], **members)
    return judge(exchange, wish, now=now, first_received_at=now, zone=TOKYO).exchange


def end_of(hold: Hold) -> datetime:
    """When the clock of this hold runs out."""
    assert hold.expires_at is not None
    return hold.expires_at


def test_an_extension_moves_the_end_and_keeps_the_record() -> None:
    """Asked for before the end, granted before the end: a later end, more days, who was told when."""
    before = preserved()
    exchange = done(asked(before, "request_extension", days=60), "grant_extension", days=None, now=NOW + 30 * DAY)
    hold = exchange.holds[0]
    assert end_of(hold) == end_of(before.holds[0]) + 60 * DAY
    assert hold.days_granted == before.holds[0].days_granted + 60
    assert hold.extensions == (Extension(60, NOW + 30 * DAY, end_of(hold)),)
    assert hold.extension_wish is None
    assert exchange.generation == before.generation + 2


def test_an_extension_that_nobody_asked_for_is_not_granted() -> None:
    """The requesting side asks, the requested side grants."""
    with pytest.raises(Conflict) as caught:
        done(preserved(), "grant_extension")
    assert caught.value.extra["reason"] == "extension_not_asked"


def test_a_grant_at_the_end_or_after_it_finds_the_hold_ended() -> None:
    """At the edge: a moment before it is granted, at the instant itself it is too late, timer or no timer."""
    exchange = asked(preserved(), "request_extension")
    end = end_of(exchange.holds[0])
    assert end_of(done(exchange, "grant_extension", now=end - timedelta(milliseconds=1)).holds[0]) > end
    with pytest.raises(Conflict) as caught:
        done(exchange, "grant_extension", now=end)
    assert caught.value.code == "hold_ended"


def test_a_rule_that_trusted_the_stored_state_would_revive_an_ended_hold() -> None:
    """Negative control: stored, the hold is still TIMED at its end; only the clock says that it is not."""
    hold = preserved().holds[0]
    assert hold.state is HoldState.TIMED
    assert state_at(hold, end_of(hold)) is HoldState.EXPIRED
    assert not is_open(hold, end_of(hold))


def test_the_law_of_the_requested_side_limits_extensions() -> None:
    """Beyond its number the answer is W-AVAIL, for the officer to send as a notice."""
    exchange = asked(preserved(), "request_extension")
    rules = replace(RULES, max_extensions=0)
    with pytest.raises(Refused) as caught:
        act_on_hold(exchange, hold_order("grant_extension", exchange, exchange.holds[0]), by=B, rules=rules, now=NOW)
    assert caught.value.code == "W-AVAIL"


def test_a_grant_without_days_is_incomplete() -> None:
    """`propose_on_hold` fills them in; without it the act is refused at their place."""
    exchange = asked(preserved(), "request_extension")
    order = hold_order("grant_extension", exchange, exchange.holds[0], days=None)
    with pytest.raises(Refused) as caught:
        act_on_hold(exchange, order, by=B, rules=RULES, now=NOW)
    assert (caught.value.code, caught.value.errors[0].pointer) == ("missing", "/days")


def test_a_receipt_stops_the_clock_and_a_claim_does_not() -> None:
    """Art. 29(7): pending a decision there is no end; the claim alone leaves it where it was."""
    claimed = asked(preserved(), "claim_mla_sent")
    assert end_of(claimed.holds[0]) == end_of(preserved().holds[0])
    received = done(claimed, "confirm_mla_received", ca_reference="CA-B-9").holds[0]
    assert (received.state, received.expires_at) == (HoldState.PENDING_DECISION, None)
    assert (received.mla.status, received.mla.ca_reference) == (MlaStatus.RECEIVED, "CA-B-9")
    assert received.mla.confirm_by is None
    assert state_at(received, NOW + 3650 * DAY) is HoldState.PENDING_DECISION


def test_a_request_received_after_the_end_does_not_revive_the_hold() -> None:
    """Two days late: 409, and only a new request can make a new hold."""
    exchange = preserved()
    with pytest.raises(Conflict) as caught:
        done(exchange, "confirm_mla_received", now=end_of(exchange.holds[0]) + 2 * DAY)
    assert caught.value.code == "hold_ended"


def test_a_decision_is_recorded_once_and_ends_the_hold_after_its_grace() -> None:
    """The hold stays PENDING_DECISION through the grace; a second decision is turned away."""
    decided = done(done(preserved(), "confirm_mla_received"), "record_decision")
    assert (decided.holds[0].state, decided.holds[0].mla.status) == (HoldState.PENDING_DECISION, MlaStatus.DECIDED)
    with pytest.raises(Conflict) as caught:
        done(decided, "record_decision")
    assert caught.value.extra["reason"] == "already_decided"


def test_when_the_grace_is_over_the_hold_has_ended_whether_or_not_the_timer_ran() -> None:
    """Fourteen days after the decision nothing is left to lift."""
    decided = done(done(preserved(), "confirm_mla_received"), "record_decision")
    assert done(decided, "lift", now=NOW + 14 * DAY - timedelta(milliseconds=1)).holds[0].proposed_lift is not None
    with pytest.raises(Conflict) as caught:
        done(decided, "lift", now=NOW + 14 * DAY)
    assert caught.value.code == "hold_ended"


def test_only_a_hold_that_is_to_be_let_go_is_released_by_the_duty_officer() -> None:
    """The wish marks it; the requested side's `release` ends it, and with the last hold the exchange."""
    exchange = preserved()
    with pytest.raises(Conflict) as caught:
        done(exchange, "release")
    assert caught.value.extra["reason"] == "not_releasing"
    wished = asked(exchange, "release")
    assert hold_flags(wished.holds[0], NOW) == (HoldFlag.RELEASING,)
    released = done(wished, "release", text="Let go.")
    assert (released.holds[0].state, released.holds[0].end_text) == (HoldState.RELEASED, "Let go.")
    assert (released.state, released.reason) == (State.CLOSED, "holds_ended")


@pytest.mark.parametrize("action", ["grant_extension", "confirm_mla_received"])
def test_a_hold_that_is_to_be_let_go_is_not_prolonged(action: str) -> None:
    """Between the wish and the release the clock goes on and nothing lengthens it."""
    wished = asked(asked(preserved(), "request_extension"), "release")
    with pytest.raises(Conflict) as caught:
        done(wished, action)
    assert caught.value.extra["reason"] == "releasing"


def test_a_hold_that_is_to_be_let_go_still_runs_out() -> None:
    """The task has 24 hours, the clock its own end: whichever comes first."""
    wished = asked(preserved(), "release", now=end_of(preserved().holds[0]) - timedelta(hours=1))
    end = end_of(wished.holds[0])
    assert wished.holds[0].release_due_at == end + timedelta(hours=23)
    with pytest.raises(Conflict) as caught:
        done(wished, "release", now=end)
    assert caught.value.code == "hold_ended"


def test_a_loss_ends_a_hold_and_says_what_was_lost() -> None:
    """From any state: the requesting side learns what and, if known, when."""
    lost = done(preserved(), "report_loss", lost_at="2026-11-21T00:00:00Z").holds[0]
    assert (lost.state, lost.end_reason, lost.end_text) == (HoldState.LOST, "lost", "A disk failed.")
    assert lost.lost_at == NOW.replace(day=21, hour=0, minute=0)


def test_an_order_is_lifted_by_two_persons_who_say_the_same() -> None:
    """Proposed nothing changes and nothing is told; another person, a supervisor, completes with the same reason."""
    exchange = preserved()
    proposed = done(exchange, "lift")
    assert proposed.holds[0].state is HoldState.TIMED
    assert take_snapshot(proposed).holds == take_snapshot(exchange).holds
    with pytest.raises(Refused) as caught:
        done(proposed, "lift", by=SUP_B, reason="LAW")
    assert caught.value.code == "differs_from_proposal"
    lifted = done(proposed, "lift", by=SUP_B, text="Annulled.", new_request_possible=True)
    assert (lifted.holds[0].state, lifted.holds[0].end_reason) == (HoldState.LIFTED, LiftReason.COURT)
    assert lifted.holds[0].new_request_possible is True
    assert lifted.state is State.CLOSED


def test_nobody_lifts_an_order_alone() -> None:
    """The same person twice is one person; and the second signature is a supervisor's."""
    proposed = done(preserved(), "lift", by=SUP_B)
    with pytest.raises(Forbidden) as caught:
        done(proposed, "lift", by=SUP_B)
    assert caught.value.code == "four_eyes"
    with pytest.raises(Forbidden) as caught:
        done(proposed, "lift", by=officer(Side.REQUESTED, number=5))
    assert caught.value.code == "role_not_allowed"


def test_acts_on_a_hold_are_held_against_hold_person_and_generation_in_this_order() -> None:
    """404, 403, 409."""
    exchange = preserved()
    hold = exchange.holds[0]
    stale = replace(exchange, generation=exchange.generation + 1)
    with pytest.raises(Unknown):
        act_on_hold(
            exchange, hold_order("release", exchange, replace(hold, id=QUESTION_ID)), by=B, rules=RULES, now=NOW
        )
    with pytest.raises(Forbidden):
        act_on_hold(stale, hold_order("claim_mla_sent", exchange, hold), by=B, rules=RULES, now=NOW)
    with pytest.raises(Forbidden):
        act_on_hold(exchange, hold_order("release", exchange, hold), by=A, rules=RULES, now=NOW)
    with pytest.raises(Conflict) as caught:
        act_on_hold(stale, hold_order("release", exchange, hold), by=B, rules=RULES, now=NOW)
    assert caught.value.code == "stale_generation"


def test_two_holds_on_the_same_data_and_one_released_still_hold_them() -> None:
    """Counted at the requested side: what another hold covers is not let go."""
    mine, other = hold_in(HoldState.TIMED), hold_in(HoldState.TIMED)
    released = replace(mine, state=HoldState.RELEASED)
    assert still_held((released, other), NOW) == {0}
    assert still_held((released,), NOW) == frozenset()
    assert still_held((mine, other), end_of(other)) == frozenset()


def test_each_warning_comes_due_once() -> None:
    """30, 14, 7, 3 and 1 days before the end, those already sent left out, after a restart as before it."""
    hold = hold_in(HoldState.TIMED)
    end = end_of(hold)
    assert warnings_due(hold, end - 31 * DAY) == ()
    assert warnings_due(hold, end - 30 * DAY) == (30,)
    assert warnings_due(hold, end - 7 * DAY, sent=(30,)) == (14, 7)
    assert warnings_due(hold, end - 7 * DAY, sent=(30, 14, 7)) == ()
    assert warnings_due(hold, end) == ()
    assert warnings_due(hold_in(HoldState.PENDING_DECISION), end) == ()


def test_marks_of_a_hold_are_worked_out_from_the_clock() -> None:
    """Near its end it is expiring; past it, the requesting side's copy has ended but nobody has confirmed it."""
    hold = hold_in(HoldState.TIMED)
    end = end_of(hold)
    assert hold_flags(hold, NOW) == ()
    assert hold_flags(hold, end - DAY) == (HoldFlag.EXPIRING,)
    assert hold_flags(hold, end) == ()
    assert hold_flags(hold, end, replica=True) == (HoldFlag.ENDED_NOT_CONFIRMED,)
    assert hold_flags(replace(hold, releasing=True), end) == ()
