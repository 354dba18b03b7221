"""Every act on a hold, in every state, by everyone: it works as its row says, or is turned away and nothing moves."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import Fate, HoldState, Role, State
from app.domain.exchange.advance import act_on_hold
from app.domain.exchange.judging import judge
from app.domain.exchange.timers import expire
from app.domain.exchange.wishing import check_wish_on_hold
from app.domain.exchange_codes import Side
from app.domain.holds import OPEN_HOLD_STATES, ProposedLift
from app.errors import Conflict, CounterpartError, Forbidden
from tests.domain.exchange.build import NOW, RULES, SOMEBODY, TOKYO, hold_order, hold_wish, in_state, officer
from tests.domain.holds.build import ready_hold
from tests.domain.holds.test_hold_rows import ACTIONS, MOVES

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.exchange.parties import Officer
    from app.domain.exchange.values import Exchange
    from app.domain.holds import Hold

SIDES = {"DO_A": Side.REQUESTING, "SUP_A": Side.REQUESTING, "DO_B": Side.REQUESTED, "SUP_B": Side.REQUESTED}
SEATS = {Role.DUTY_OFFICER: "DO", Role.SUPERVISOR: "SUP"}
RELEASING = {("grant_extension", True), ("confirm_mla_received", True), ("request_extension", True)}
"""A hold that is to be let go is not prolonged (ruling 14)."""


def rows_for(action: str, side: Side) -> list[tuple[set[str], str, list[str]]]:
    """From where, where to and by whom, as `MOVES` has it: the second writing of the machine."""
    return [
        (set(sources.split()), target, by.split())
        for _, name, sources, target, by in MOVES
        if name == action and sources and any(SIDES[mover] is side for mover in by.split() if mover in SIDES)
    ]


def may_take_part(action: str, by: Officer) -> bool:
    """Whether a row names this person; a supervisor may do what a duty officer may."""
    letter = "A" if by.side is Side.REQUESTING else "B"
    seats = {f"DO_{letter}", f"SUP_{letter}"} if by.role is Role.SUPERVISOR else {f"{SEATS.get(by.role, '')}_{letter}"}
    return any(seats & set(movers) for _, _, movers in rows_for(action, by.side))


def holding(action: str, state: HoldState, side: Side, *, releasing: bool = False) -> Exchange:
    """A preserved exchange whose one hold is in this state; an ended one is closed with it."""
    hold = ready_hold(action, state, side)
    if releasing:
        hold = replace(hold, releasing=True)
    exchange = in_state(State.PRESERVED if state in OPEN_HOLD_STATES else State.CLOSED)
    return replace(exchange, holds=(hold,), results=in_state(State.PRESERVED).results)


def outcome(exchange: Exchange, action: str, by: Officer, now: datetime = NOW) -> Exchange | CounterpartError:
    """The exchange after the act, or why not."""
    try:
        return act_on_hold(exchange, hold_order(action, exchange, exchange.holds[0]), by=by, rules=RULES, now=now)
    except CounterpartError as error:
        return error


@pytest.mark.parametrize("action", ACTIONS)
def test_the_requested_side_s_acts_work_as_their_rows_say(action: str) -> None:
    """State by state, role by role: the row's target one generation on, or the right refusal."""
    for state, side, role in product(HoldState, Side, Role):
        exchange = holding(action, state, side)
        by = officer(side, role)
        after = outcome(exchange, action, by)
        rows = rows_for(action, by.side)
        if side is Side.REQUESTING or not may_take_part(action, by):
            assert isinstance(after, Forbidden), (state, side, role)
        elif state not in rows[0][0]:
            assert isinstance(after, Conflict), (state, side, role)
            assert after.code == ("action_not_allowed" if state in OPEN_HOLD_STATES else "hold_ended")
        else:
            assert not isinstance(after, CounterpartError), (state, side, role, after)
            two_sign = len(rows[0][2]) > 1
            wanted = state if not rows[0][1] or two_sign else HoldState(rows[0][1])
            assert after.holds[0].state is wanted
            assert after.generation == exchange.generation + 1


@pytest.mark.parametrize("action", ACTIONS)
def test_the_requesting_side_s_acts_are_sent_and_judged_as_their_rows_say(action: str) -> None:
    """What its officer may send is what its rows say; what arrives is applied along the row or comes back stale."""
    for state, side, role in product(HoldState, Side, Role):
        exchange = holding(action, state, side)
        by = officer(side, role)
        rows = rows_for(action, Side.REQUESTING)
        sendable = side is Side.REQUESTING and may_take_part(action, by) and state in rows[0][0]
        order = hold_order(action, exchange, exchange.holds[0])
        try:
            check_wish_on_hold(exchange, order, by=by, now=NOW)
        except (Forbidden, Conflict):
            assert not sendable, (state, role)
        else:
            assert sendable, (state, role)
    for state in HoldState:
        exchange = holding(action, state, Side.REQUESTING)
        wish = hold_wish(action, exchange, exchange.holds[0])
        judged = judge(exchange, wish, now=NOW, first_received_at=NOW, zone=TOKYO)
        rows = rows_for(action, Side.REQUESTING)
        if not rows:
            assert (judged.fate, judged.code) == (Fate.REFUSED, "not_yours")
        elif action == "request_extension" and state is HoldState.EXPIRED:
            # First received while the clock ran: it is kept, and nobody can grant it.
            assert judged.fate is Fate.APPLIED
            assert judged.exchange.holds[0].state is HoldState.EXPIRED
        else:
            assert judged.fate is (Fate.APPLIED if state in rows[0][0] else Fate.STALE), state
        if judged.fate is not Fate.APPLIED:
            assert judged.exchange == exchange


@pytest.mark.parametrize("action", ACTIONS)
def test_from_its_end_on_every_act_meets_an_ended_hold(action: str) -> None:
    """At the instant itself, whether or not the timer ran: what EXPIRED allows and nothing that TIMED allows."""
    for side, role in product(Side, (Role.DUTY_OFFICER, Role.SUPERVISOR)):
        exchange = holding(action, HoldState.TIMED, side)
        end = exchange.holds[0].expires_at
        assert end is not None
        by = officer(side, role)
        before, after = outcome(exchange, action, by, NOW), outcome(exchange, action, by, end)
        expired = outcome(expire(exchange, end), action, by, end)
        if isinstance(before, Forbidden):
            assert isinstance(after, Forbidden)
        elif action == "report_loss":
            assert not isinstance(after, CounterpartError)
            assert after.holds[0].state is HoldState.LOST
        elif not isinstance(before, CounterpartError) or before.code == "action_not_allowed":
            assert isinstance(after, Conflict)
            assert isinstance(expired, Conflict)
            assert (after.code, expired.code) == ("hold_ended", "hold_ended")


@pytest.mark.parametrize(("action", "releasing"), sorted(RELEASING))
def test_a_hold_that_is_to_be_let_go_is_not_prolonged_by_anybody(action: str, *, releasing: bool) -> None:
    """Neither side's act on it lengthens it or stops its clock."""
    for side, role in product(Side, (Role.DUTY_OFFICER, Role.SUPERVISOR)):
        exchange = holding(action, HoldState.TIMED, side, releasing=releasing)
        by = officer(side, role)
        after = outcome(exchange, action, by)
        assert isinstance(after, (Conflict, Forbidden))
        judged = judge(
            exchange, hold_wish(action, exchange, exchange.holds[0]), now=NOW, first_received_at=NOW, zone=TOKYO
        )
        assert judged.fate in {Fate.STALE, Fate.REFUSED}
        assert judged.exchange == exchange


def proposed(hold: Hold) -> Hold:
    """The hold with the first signature under its lifting."""
    order = hold_order("lift", in_state(State.PRESERVED), hold)
    reason = getattr(order.act, "reason", None)
    assert reason is not None
    return replace(hold, proposed_lift=ProposedLift(SOMEBODY, reason, NOW))


@pytest.mark.parametrize("state", HoldState)
def test_the_second_signature_lifts_and_only_a_supervisor_gives_it(state: HoldState) -> None:
    """By another person: LIFTED from both open states; nothing from any other."""
    for role in Role:
        exchange = holding("lift", state, Side.REQUESTED)
        exchange = replace(exchange, holds=(proposed(exchange.holds[0]),))
        after = outcome(exchange, "lift", officer(Side.REQUESTED, role))
        if role is not Role.SUPERVISOR:
            assert isinstance(after, Forbidden)
        elif state in OPEN_HOLD_STATES:
            assert not isinstance(after, CounterpartError)
            assert after.holds[0].state is HoldState.LIFTED
        else:
            assert isinstance(after, Conflict)


def test_control_a_machine_that_revives_would_be_caught() -> None:
    """Negative control: an outcome that led from EXPIRED back to TIMED is what no row of the second writing says."""
    assert not any(
        {"EXPIRED", "RELEASED", "LOST", "LIFTED"} & sources and target in {"TIMED", "PENDING_DECISION"}
        for action in ACTIONS
        for side in Side
        for sources, target, _ in rows_for(action, side)
    )
