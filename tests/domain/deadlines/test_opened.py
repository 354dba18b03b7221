"""What is waited for in each state, by when, and whose it is, from either side."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from app.domain.codes import IntakeState, MlaStatus, NotExecutable, RequestType, State, Tier
from app.domain.deadlines import (
    PACKAGED,
    TARGETS,
    Clocks,
    Deadline,
    DeskWork,
    Standpoint,
    Step,
    Target,
    Whose,
    is_overdue,
    open_deadlines,
    open_deadlines_of_request,
)
from app.domain.exchange.onward_values import Confirmation
from app.domain.exchange.values import OralRequest, TargetResult, TrafficPath
from app.domain.exchange_codes import Flag, Side
from app.domain.holds import Mla
from tests.domain.exchange.build import NOW, in_state, preserved

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ID = UUID("0193523a-7a00-7000-8000-000000000009")


def found(exchange: Exchange, side: Side = Side.REQUESTED) -> dict[Step, Deadline]:
    """What is due, by step."""
    return {one.step: one for one in open_deadlines(exchange, Standpoint(side), now=NOW)}


@pytest.mark.parametrize(
    ("state", "kind", "step", "term"),
    [
        (State.DELIVERED, RequestType.PRESERVATION, Step.ACKNOWLEDGEMENT, HOUR),
        (State.ACKNOWLEDGED, RequestType.PRESERVATION, Step.SUBSTANCE, 8 * HOUR),
        (State.ACCEPTED, RequestType.PRESERVATION, Step.SUBSTANCE, 8 * HOUR),
        (State.IN_EXECUTION, RequestType.PRESERVATION, Step.PRESERVED, DAY),
        (State.IN_EXECUTION, RequestType.TECHNICAL_ADVICE, Step.ANSWER, 8 * HOUR),
        (State.REFERRED, RequestType.TECHNICAL_ADVICE, Step.REFERRAL, DAY),
    ],
)
def test_the_requested_side_works_by_the_clock_of_its_state(
    state: State, kind: RequestType, step: Step, term: timedelta
) -> None:
    """From when the state was reached; its own step at the requested side, theirs at the requesting one."""
    exchange = in_state(state, kind)
    for side, whose in ((Side.REQUESTED, Whose.OURS), (Side.REQUESTING, Whose.THEIRS)):
        (one,) = open_deadlines(exchange, Standpoint(side), now=NOW)
        assert (one.step, one.whose, one.started_at, one.due_at) == (step, whose, NOW, NOW + term)


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (State.CLARIFICATION, Step.CLARIFICATION_ANSWER),
        (State.RISK_NOTICE, Step.RISK_NOTICE_ANSWER),
        (State.CONDITIONS, Step.CONDITION_ANSWER),
    ],
)
def test_what_was_asked_is_due_when_it_was_said(state: State, step: Step) -> None:
    """Question, notice and condition carry their own date, and are the requesting side's."""
    exchange = in_state(state)
    asked = exchange.question or exchange.condition
    assert asked is not None
    (one,) = open_deadlines(exchange, Standpoint(Side.REQUESTING), now=NOW)
    assert (one.step, one.whose, one.due_at) == (step, Whose.OURS, asked.due_at)


def test_a_postponed_request_is_due_at_its_review() -> None:
    """The date that was named, and no target."""
    exchange = in_state(State.POSTPONED, RequestType.EVIDENCE_COLLECTION)
    assert found(exchange)[Step.REVIEW].due_at == exchange.review_at


@pytest.mark.parametrize(
    "state", [State.ANSWERED, State.CLOSED, State.REFUSED, State.NOT_EXECUTABLE, State.WITHDRAWN, State.PRESERVED]
)
def test_where_nobody_is_waited_for_nothing_is_due(state: State) -> None:
    """Answered, held or ended: only holds have clocks then."""
    exchange = replace(in_state(state), holds=())
    assert open_deadlines(exchange, Standpoint(Side.REQUESTED), now=NOW + 400 * DAY) == ()
    assert not is_overdue(exchange, Standpoint(Side.REQUESTED), now=NOW + 400 * DAY)


def test_only_the_requesting_side_waits_for_delivery() -> None:
    """By the fixed clock from the opening; it is no step that can be overdue, UNDELIVERABLE is its mark."""
    exchange = in_state(State.DISPATCHED, tier=Tier.EMERGENCY)
    assert found(exchange) == {}
    seen = found(exchange, Side.REQUESTING)
    assert {one.whose for one in seen.values()} == {Whose.THEIRS}
    waited = {step: one.due_at - NOW for step, one in seen.items()}
    assert waited == {Step.DELIVERY: MINUTE, Step.DELIVERY_ALARM: 30 * MINUTE}
    days = Target(DAY, DAY, DAY)
    slower = Standpoint(Side.REQUESTING, Clocks({**TARGETS, Step.DELIVERY: days, Step.DELIVERY_ALARM: days}))
    assert set(open_deadlines(exchange, slower, now=NOW)) == set(seen.values())
    assert not is_overdue(exchange, Standpoint(Side.REQUESTING), now=NOW + DAY)


def test_a_loss_that_is_near_shortens_the_acknowledgement() -> None:
    """Forty minutes until the data are gone leave ten, by the document that both sides have."""
    for side in Side:
        seen = Standpoint(side, lost_at=NOW + 40 * MINUTE)
        (one,) = open_deadlines(in_state(State.DELIVERED), seen, now=NOW)
        assert one.due_at == NOW + 10 * MINUTE


def test_the_operator_s_clocks_count() -> None:
    """A node that allows itself less is late sooner; nothing else changes."""
    stricter = Clocks({**TARGETS, Step.ACKNOWLEDGEMENT: Target(5 * MINUTE, 30 * MINUTE, DAY)})
    exchange = in_state(State.DELIVERED)
    at = NOW + 31 * MINUTE
    assert is_overdue(exchange, Standpoint(Side.REQUESTED, stricter), now=at)
    assert not is_overdue(exchange, Standpoint(Side.REQUESTED, PACKAGED), now=at)


def test_a_request_by_voice_is_to_be_regularised_by_both() -> None:
    """Within a day, until it was; the sides see it alike."""
    oral = OralRequest(NOW, "Duty officer", "Duty officer", NOW, due_at=NOW + DAY)
    exchange = replace(in_state(State.ACKNOWLEDGED, RequestType.EMERGENCY_DISCLOSURE), oral=oral)
    for side in Side:
        one = found(exchange, side)[Step.REGULARISATION]
        assert (one.whose, one.due_at) == (Whose.BOTH, NOW + DAY)
    done = replace(exchange, oral=replace(oral, regularised_at=NOW + HOUR))
    assert Step.REGULARISATION not in found(done)


def test_a_formal_confirmation_is_the_requesting_side_s() -> None:
    """Due when the requested side wants it, while the mark stands."""
    exchange = replace(
        in_state(State.ACKNOWLEDGED),
        flags=(Flag.CONFIRMATION_OUTSTANDING,),
        confirmation=Confirmation(due_at=NOW + 7 * DAY),
    )
    one = found(exchange, Side.REQUESTING)[Step.CONFIRMATION]
    assert (one.whose, one.due_at) == (Whose.OURS, NOW + 7 * DAY)
    assert Step.CONFIRMATION not in found(replace(exchange, flags=()))


def test_the_path_is_to_be_told_where_data_lie_elsewhere() -> None:
    """Art. 30: as soon as a target turns out to be in another state, until the path was told or withheld."""
    elsewhere = (TargetResult(0), TargetResult(1, NotExecutable.WRONGSTATE))
    exchange = replace(in_state(State.PARTIALLY_PRESERVED), results=elsewhere)
    one = found(exchange)[Step.TRAFFIC_PATH]
    assert (one.whose, one.due_at) == (Whose.OURS, NOW + DAY)
    told = replace(exchange, traffic_paths=(TrafficPath(NOW),))
    assert Step.TRAFFIC_PATH not in found(told)
    assert Step.TRAFFIC_PATH not in found(in_state(State.PARTIALLY_PRESERVED))


def test_open_holds_have_their_clocks_and_ended_ones_none() -> None:
    """Letting go, confirming a claim, the end; also where the exchange itself has ended."""
    exchange = preserved()
    hold = exchange.holds[0]
    assert hold.expires_at is not None
    claimed = Mla(status=MlaStatus.CLAIMED_SENT, claimed_at=NOW, confirm_by=NOW + 3 * DAY)
    busy = replace(hold, releasing=True, release_due_at=NOW + DAY, mla=claimed)
    withdrawn = replace(exchange, state=State.WITHDRAWN, holds=(busy,))
    shown = found(withdrawn)
    assert {step: (one.whose, one.due_at) for step, one in shown.items()} == {
        Step.RELEASE: (Whose.OURS, NOW + DAY),
        Step.MLA_RECEIPT: (Whose.OURS, NOW + 3 * DAY),
        Step.HOLD_END: (Whose.THEIRS, hold.expires_at),
    }
    assert {one.hold for one in shown.values()} == {hold.id}
    seen = Standpoint(Side.REQUESTED)
    assert not is_overdue(withdrawn, seen, now=NOW + DAY - MINUTE)
    assert is_overdue(withdrawn, seen, now=NOW + DAY)
    assert open_deadlines(withdrawn, seen, now=hold.expires_at) == ()
    assert not is_overdue(exchange, seen, now=hold.expires_at - MINUTE), "the end of a hold is no step of anybody"


@pytest.mark.parametrize("state", list(IntakeState))
def test_a_request_at_home_is_waited_for_until_it_has_left_or_was_decided(state: IntakeState) -> None:
    """Unopened by the intake clock, then by the triage clock through to the signature; returned ones by nobody here."""
    work = DeskWork(ID, Tier.URGENT, state, NOW, triage_due_at=NOW + 2 * HOUR)
    steps = {one.step: one.due_at for one in open_deadlines_of_request(work)}
    expected = {
        IntakeState.INTAKE: {Step.INTAKE: NOW + HOUR},
        IntakeState.TRIAGE: {Step.TRIAGE: NOW + 2 * HOUR},
        IntakeState.DRAFTED: {Step.TRIAGE: NOW + 2 * HOUR},
        IntakeState.DECLINE_PROPOSED: {Step.TRIAGE: NOW + 2 * HOUR},
    }
    assert steps == expected.get(state, {})


def test_a_lone_signature_is_looked_at_again() -> None:
    """In an emergency one officer may have signed alone: a second person looks at it within a day."""
    work = DeskWork(ID, Tier.EMERGENCY, IntakeState.SIGNED, NOW, None, review_due_at=NOW + DAY)
    (one,) = open_deadlines_of_request(work)
    assert (one.step, one.started_at, one.due_at) == (Step.SIGNATURE_REVIEW, NOW, NOW + DAY)
