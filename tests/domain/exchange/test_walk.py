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
from app.domain.exchange.grounds import MATRIX
from app.domain.exchange.judging import judge
from app.domain.exchange.values import Condition, Exchange
from app.domain.exchange.wishing import check_wish
from app.domain.exchange_codes import By, ConditionKind, Flag, Side
from app.domain.messages import ActionBody
from app.domain.transitions import EXCHANGE_ROWS, OFFER, REQUESTING_ACTS, Row, rows_of
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
)

if TYPE_CHECKING:
    from app.domain.exchange.parties import Officer

ACTIONS = sorted({row.action for row in EXCHANGE_ROWS if row.action is not None})
ROLES = (Role.DUTY_OFFICER, Role.SUPERVISOR, Role.AUDITOR, Role.AGENCY_OFFICER)
MOVERS = {
    (Side.REQUESTED, Role.DUTY_OFFICER): {By.DO_B},
    (Side.REQUESTED, Role.SUPERVISOR): {By.DO_B, By.SUP_B},
    (Side.REQUESTING, Role.DUTY_OFFICER): {By.DO_A},
    (Side.REQUESTING, Role.SUPERVISOR): {By.DO_A, By.SUP_A},
}


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
    return exchange


def refusable_on(kind: RequestType) -> Instrument | None:
    """An instrument on which a request of this type can be refused for a political offence."""
    return next(
        (one for (one, of), grounds in MATRIX.items() if of is kind and RefusalGround.POLITICAL in grounds), None
    )


def contents(action: str, exchange: Exchange) -> dict[str, object]:
    """A content of the act that the exchange has nothing against."""
    members: dict[str, object] = dict(content(action, exchange))
    instrument = refusable_on(exchange.type)
    if action == "refuse" and instrument is not None:
        members["instrument"] = instrument
    return members


def row_for(action: str, exchange: Exchange, side: Side) -> Row | None:
    """The row that leads from here, looked up without the program's own admission."""
    rows = [row for row in rows_of(action, side) if exchange.state in row.sources]
    fitting = [
        row for row in rows if (not row.types or exchange.type in row.types) and exchange.type not in row.types_not
    ]
    return fitting[0] if fitting else None


def may_sign(action: str, by: Officer) -> bool:
    """Whether one of the rows names this person, the last signature where two are needed."""
    movers = MOVERS.get((by.side, by.role), set())
    rows = rows_of(action, by.side)
    return any(movers & ({row.by[-1]} if row.both else set(row.by)) for row in rows)


def outcome_of(exchange: Exchange, action: str, by: Officer) -> Exchange | CounterpartError:
    """The exchange after the act, or the error."""
    try:
        return act(
            exchange, body(action, exchange.generation, **contents(action, exchange)), by=by, rules=RULES, now=NOW
        )
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
    elif action in {"refuse", "confirm_refusal"} and refusable_on(exchange.type) is None:
        assert isinstance(outcome, Refused)
        assert outcome.code == "refusal_ground_not_available"
    else:
        assert isinstance(outcome, Exchange), outcome
        assert outcome.state in (row.targets or (exchange.state,))
        assert outcome.generation == exchange.generation + 1


@pytest.mark.parametrize("kind", list(RequestType))
def test_the_requested_side_s_acts_work_as_their_rows_say(kind: RequestType) -> None:
    """State by state, act by act, person by person: the row's target one generation on, or the right refusal."""
    for state, action, side, role in product(State, ACTIONS, Side, ROLES):
        exchange = ready_for(action, state, kind)
        by = officer(side, role)
        try:
            check(exchange, action, by, outcome_of(exchange, action, by))
        except AssertionError as wrong:
            message = f"{kind} {state} {action} {side} {role}: {wrong}"
            raise AssertionError(message) from wrong


@pytest.mark.parametrize("kind", list(RequestType))
def test_the_allowed_actions_are_those_that_work(kind: RequestType) -> None:
    """What is offered can be done, and what can be done is offered."""
    prepared = {"downgrade", "confirm_refusal", "regularise", "cannot_comply"}
    alike = [action for action in ACTIONS if action not in prepared]
    for state, side, role in product(State, Side, ROLES):
        by = officer(side, role)
        for together in (alike, *([action] for action in prepared)):
            exchange = ready_for(together[0], state, kind)
            offered = allowed_actions(exchange, by=by, now=NOW)
            for action in together:
                works = may_sign(action, by) and row_for(action, exchange, side) is not None
                assert (action in offered) is works, (state, action, side, role)


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
    rows = rows_of(action, Side.REQUESTING)
    if all(exchange.type in row.types_not or (row.types and exchange.type not in row.types) for row in rows):
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


@pytest.mark.parametrize("kind", list(RequestType))
def test_what_the_requesting_side_may_send_is_what_its_rows_say(kind: RequestType) -> None:
    """A wish that has no row from the replica's state, or that another role must sign, is not sent."""
    for state, action, side, role in product(State, ACTIONS, Side, ROLES):
        exchange = ready_for(action, state, kind)
        by = officer(side, role)
        wish = body(action, exchange.generation, **contents(action, exchange))
        sendable = side is Side.REQUESTING and may_sign(action, by) and row_for(action, exchange, side) is not None
        try:
            check_wish(exchange, wish, by=by, now=NOW)
        except (Forbidden, Conflict):
            assert not sendable, (state, action, role)
        else:
            assert sendable, (state, action, role)


def test_nothing_can_be_done_to_a_refused_request_but_to_add_facts() -> None:
    """REFUSED → anything is illegal; a late fact is kept and changes no state."""
    refused = in_state(State.REFUSED)
    assert allowed_actions(refused, by=officer(Side.REQUESTED, Role.SUPERVISOR), now=NOW) == ("report_progress",)
    assert allowed_actions(refused, by=officer(Side.REQUESTING, Role.SUPERVISOR), now=NOW) == ("supplement",)


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
