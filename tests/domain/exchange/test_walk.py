"""Every act by everyone in every state for every type: it works as its row says, or is turned away with its code."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import Fate, Instrument, NotExecutable, RefusalGround, RequestType, Role, State, Tier
from app.domain.exchange.admission import allowed_actions
from app.domain.exchange.advance import act
from app.domain.exchange.judging import judge
from app.domain.exchange.onward import ONWARD_ACTS
from app.domain.exchange.values import Condition, Exchange
from app.domain.exchange.wishing import check_wish
from app.domain.exchange_codes import ConditionKind, Flag, Side
from app.domain.law import packaged_law
from app.domain.messages import ActionBody
from app.domain.transitions import EXCHANGE_ROWS, OFFER, REQUESTING_ACTS
from app.errors import Conflict, CounterpartError, Forbidden, Refused
from tests.domain.exchange.build import (
    CONDITION_ID,
    NOW,
    QUESTION_ID,
    RULES,
    TOKYO,
    body,
    content,
    in_state,
    officer,
    refusal_proposed,
    with_information,
)
from tests.domain.exchange.oracle import ACTIONS, leaving, may_sign, rows_for

if TYPE_CHECKING:
    from app.domain.acts import ExchangeAct
    from app.domain.exchange.parties import Officer
    from tests.domain.exchange.oracle import Wanted

ROLES = tuple(Role)
DESK = (Role.DUTY_OFFICER, Role.SUPERVISOR)
ABOUT_INFORMATION = ONWARD_ACTS | {"confirm_formally"}


@cache
def ready_for(action: str, state: State, kind: RequestType) -> Exchange:
    """An exchange in this state in which nothing but the state, the type and the person can stand against the act."""
    exchange = in_state(state, kind, Tier.EMERGENCY if action == "downgrade" else Tier.URGENT)
    if action == "confirm_refusal":
        exchange = refusal_proposed(exchange)
        proposed = exchange.private.proposed_refusal
        if proposed is not None:
            instrument = refusable_on(kind) or Instrument.ETS185
            exchange = replace(
                exchange, private=replace(exchange.private, proposed_refusal=replace(proposed, instrument=instrument))
            )
    if action == "regularise":
        exchange = replace(exchange, flags=(Flag.ORAL_FIRST,))
    if action == "cannot_comply":
        offered = Condition(CONDITION_ID, ConditionKind.COURT_CONSENT, "Not in court.", NOW, NOW)
        exchange = replace(exchange, condition=offered)
    return with_information(exchange) if action in ABOUT_INFORMATION else exchange


@cache
def refusable_on(kind: RequestType) -> Instrument | None:
    """An instrument on which a request of this type can be refused for a political offence."""
    cells = ((one, packaged_law().table.cell(one, kind)) for one in Instrument)
    return next((one for one, cell in cells if cell is not None and cell.row(RefusalGround.POLITICAL)), None)


def contents(action: str, exchange: Exchange) -> dict[str, object]:
    """A content of the act that the exchange has nothing against."""
    members: dict[str, object] = dict(content(action, exchange))
    instrument = refusable_on(exchange.type)
    if action in {"refuse", "notify_risk"} and instrument is not None:
        members["instrument"] = instrument
    return members


def row_for(action: str, exchange: Exchange, side: Side) -> Wanted | None:
    """The row of the design that leads from here."""
    fitting = leaving(action, exchange.state, exchange.type, side=side)
    return fitting[0] if fitting else None


@cache
def said(action: str, state: State, kind: RequestType) -> ExchangeAct:
    """The act as the interface reads it, for the exchange that is ready for it."""
    exchange = ready_for(action, state, kind)
    return body(action, exchange.generation, **contents(action, exchange))


def outcome_of(exchange: Exchange, action: str, by: Officer) -> Exchange | CounterpartError:
    """The exchange after the act, or the error."""
    try:
        return act(exchange, said(action, exchange.state, exchange.type), by=by, rules=RULES, now=NOW)
    except CounterpartError as error:
        return error


def check(exchange: Exchange, action: str, by: Officer, outcome: Exchange | CounterpartError) -> None:
    """Hold one outcome against the rows."""
    row = row_for(action, exchange, by.side)
    if by.side is Side.REQUESTING or not may_sign(action, by):
        assert isinstance(outcome, Forbidden)
        assert outcome.code == "role_not_allowed"
    elif row is None:
        assert isinstance(outcome, Conflict)
        assert outcome.code == "action_not_allowed"
    elif action == "notify_risk" and refusable_on(exchange.type) is None:
        assert isinstance(outcome, Refused)
        assert outcome.code == "code_not_available"
    elif action in {"refuse", "confirm_refusal"} and refusable_on(exchange.type) is None:
        assert isinstance(outcome, Refused)
        assert outcome.code == "refusal_ground_not_available"
    else:
        assert isinstance(outcome, Exchange), outcome
        assert outcome.state in (row.targets or (exchange.state,))
        assert outcome.generation == exchange.generation + 1


def sent(exchange: Exchange, action: str, by: Officer) -> bool:
    """Whether this person may send the act, as the replica stands."""
    try:
        check_wish(exchange, said(action, exchange.state, exchange.type), by=by, now=NOW)
    except (Forbidden, Conflict):
        return False
    return True


@pytest.mark.parametrize("kind", list(RequestType))
def test_each_act_by_everyone_works_as_its_row_says(kind: RequestType) -> None:
    """State by state, act by act, person by person: the row's target one generation on, or the right refusal.

    And at the requesting side, whose people only wish: what has a row from the replica's state, and is theirs, is sent.
    """
    for state, action, side, role in product(State, ACTIONS, Side, ROLES):
        exchange = ready_for(action, state, kind)
        by = officer(side, role)
        row = row_for(action, exchange, side)
        try:
            check(exchange, action, by, outcome_of(exchange, action, by))
            sendable = side is Side.REQUESTING and row is not None and may_sign(action, by)
            assert sent(exchange, action, by) is sendable, "sent" if sendable else "not sent"
        except AssertionError as wrong:
            message = f"{kind} {state} {action} {side} {role}: {wrong}"
            raise AssertionError(message) from wrong


PREPARED = frozenset({"downgrade", "confirm_refusal", "regularise", "cannot_comply", *ABOUT_INFORMATION})
"""Acts that something beside the state must be there for."""


@cache
def ready_for_all(state: State, kind: RequestType) -> Exchange:
    """An exchange in which all of that is there at once."""
    exchange = ready_for("confirm_refusal", state, kind)
    condition = ready_for("cannot_comply", state, kind).condition
    oral = replace(exchange, tier=Tier.EMERGENCY, condition=condition, flags=(*exchange.flags, Flag.ORAL_FIRST))
    return with_information(oral)


@pytest.mark.parametrize("kind", list(RequestType))
def test_the_allowed_actions_are_those_that_work(kind: RequestType) -> None:
    """What is offered can be done, and what can be done is offered; nobody but the desk is offered anything."""
    for state, side, role in product(State, Side, (*DESK, Role.AUDITOR)):
        by = officer(side, role)
        plain, full = in_state(state, kind), ready_for_all(state, kind)
        offered = {action for action in allowed_actions(plain, by=by, now=NOW) if action not in PREPARED}
        offered |= PREPARED & set(allowed_actions(full, by=by, now=NOW))
        works = {action for action in ACTIONS if may_sign(action, by) and row_for(action, plain, side) is not None}
        assert offered == works, (state, side, role)


def arriving(action: str, exchange: Exchange) -> ActionBody:
    """The act as it arrives, naming a question or condition even where none is open."""
    members = contents(action, exchange)
    if action in {"proceed", "stop"}:
        members.setdefault("question_id", str(QUESTION_ID))
    if action in {"accept_condition", "decline_condition"}:
        members.setdefault("condition_id", str(CONDITION_ID))
    return ActionBody(act=body(action, 1, **members), at=NOW)


def expected_fate(action: str, exchange: Exchange) -> tuple[Fate, str | None]:
    """What ruling 14 says of this act in this exchange."""
    if action not in REQUESTING_ACTS:
        return Fate.REFUSED, "not_yours"
    if all(exchange.type not in row.kinds for row in rows_for(action, Side.REQUESTING)):
        return Fate.REFUSED, "action_not_allowed"
    if action == "stop":
        return (Fate.APPLIED if row_for("withdraw", exchange, Side.REQUESTING) else Fate.STALE), None
    return (Fate.APPLIED if row_for(action, exchange, Side.REQUESTING) else Fate.STALE), None


@pytest.mark.parametrize("kind", list(RequestType))
def test_the_requesting_side_s_acts_have_the_fate_that_their_rows_say(kind: RequestType) -> None:
    """Applied along the row, stale where none leaves, refused where it is not theirs or not of this type."""
    for state, action in product(State, ACTIONS):
        exchange = ready_for(action, state, kind)
        judged = judge(exchange, arriving(action, exchange), now=NOW, first_received_at=NOW, zone=TOKYO)
        assert (judged.fate, judged.code) == expected_fate(action, exchange), (state, action)
        if judged.fate is Fate.APPLIED:
            row = row_for(action, exchange, Side.REQUESTING) or row_for("withdraw", exchange, Side.REQUESTING)
            assert row is not None
            assert judged.exchange.state in (row.targets or (state,)), (state, action)
            assert judged.exchange.generation == exchange.generation + 1
        else:
            assert judged.exchange == exchange


def test_nothing_can_be_done_to_a_refused_request_but_to_add_facts() -> None:
    """REFUSED → anything is illegal; a late fact is kept and changes no state."""
    refused = in_state(State.REFUSED)
    theirs = allowed_actions(refused, by=officer(Side.REQUESTED, Role.SUPERVISOR), now=NOW)
    ours = allowed_actions(refused, by=officer(Side.REQUESTING, Role.SUPERVISOR), now=NOW)
    assert (theirs, ours) == (("report_progress", "request_onward_transfer"), ("supplement", "ask_use"))


def test_offered_information_is_neither_accepted_nor_answered_like_a_request() -> None:
    """The receiver's acts are to accept the information, or to say that it cannot comply."""
    exchange = in_state(State.ACKNOWLEDGED, OFFER[0])
    allowed = allowed_actions(exchange, by=officer(Side.REQUESTED), now=NOW)
    assert "accept_information" in allowed
    assert not {"accept", "answer", "propose_conditions", "notify_risk"} & set(allowed)


def test_every_code_of_not_executable_has_a_row() -> None:
    """The nine codes are spread over the rows, silence apart from the others."""
    listed = {code for row in EXCHANGE_ROWS if row.action == "not_executable" for code in row.codes}
    assert listed == set(NotExecutable)
