"""Machine M1, walked whole: every state, act, role and person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from app.domain.codes import IntakeState, Role
from app.domain.intake import (
    TERMINAL,
    TRANSITIONS,
    Intake,
    IntakeAction,
    advance,
    allowed_actions,
    check_generation,
    check_mover,
)
from app.errors import Conflict, Forbidden

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FIRST, SECOND = UUID(int=1), UUID(int=2)
S, A = IntakeState, IntakeAction
AGENCY, DUTY, SUPERVISOR = Role.AGENCY_OFFICER, Role.DUTY_OFFICER, Role.SUPERVISOR

# Written from domain.md 6.2 and the rulings, not from the table under test: state → act → next state.
DESK_MOVES = {
    S.INTAKE: {A.OPEN: S.TRIAGE},
    S.TRIAGE: {
        A.RETURN: S.RETURNED,
        A.REDIRECT: S.REDIRECTED,
        A.MERGE: S.REDIRECTED,
        A.DECLINE: S.DECLINE_PROPOSED,
        A.APPROVE: S.DRAFTED,
    },
    S.SIGNED: {A.RETARGET: S.SIGNED},
    S.DRAFTED: {A.REOPEN: S.TRIAGE},
    S.DECLINE_PROPOSED: {A.REOPEN: S.TRIAGE},
}
SUPERVISOR_MOVES = {S.DRAFTED: {A.SIGN: S.SIGNED}, S.DECLINE_PROPOSED: {A.CONFIRM_DECLINE: S.DECLINED}}
OPEN_STATES = (S.INTAKE, S.TRIAGE, S.RETURNED, S.DECLINE_PROPOSED, S.DRAFTED)
AGENCY_MOVES = {
    **{state: {A.SUPPLEMENT: state, A.WITHDRAW: S.WITHDRAWN_DOMESTIC} for state in OPEN_STATES},
    S.SIGNED: {A.SUPPLEMENT: S.SIGNED, A.WITHDRAW: S.SIGNED},
}
AGENCY_MOVES[S.RETURNED] = {**AGENCY_MOVES[S.RETURNED], A.RESUBMIT: S.TRIAGE}
AGENCY_ACTS = {A.SUPPLEMENT, A.WITHDRAW, A.RESUBMIT}
SUPERVISOR_ACTS = {A.SIGN, A.CONFIRM_DECLINE, A.REVIEW}


def request_in(state: IntakeState) -> Intake:
    """A request that the first person approved or proposed to decline on the way to `state`."""
    return Intake(
        id=UUID(int=9),
        state=state,
        generation=3,
        approved_by=FIRST if state in {S.DRAFTED, S.SIGNED} else None,
        declined_by=FIRST if state in {S.DECLINE_PROPOSED, S.DECLINED} else None,
    )


def expected(state: IntakeState, action: IntakeAction, role: Role) -> IntakeState | str:
    """What a second person's act must lead to: the next state, or the code of the error."""
    acts = {AGENCY: AGENCY_ACTS, DUTY: set(A) - AGENCY_ACTS - SUPERVISOR_ACTS, SUPERVISOR: set(A) - AGENCY_ACTS}
    if action not in acts.get(role, set()):
        return "role_not_allowed"
    moves = AGENCY_MOVES if role is AGENCY else SUPERVISOR_MOVES if action in SUPERVISOR_ACTS else DESK_MOVES
    return moves.get(state, {}).get(action, "action_not_allowed")


def outcome(request: Intake, action: IntakeAction, *, actor: UUID, role: Role) -> IntakeState | str:
    """The next state, or the code of the error."""
    try:
        return advance(request, action, actor_id=actor, role=role, now=NOW).state
    except (Forbidden, Conflict) as error:
        return error.code


@pytest.mark.parametrize("state", S)
def test_every_act_by_every_role(state: IntakeState) -> None:
    """From each state each act of each role leads where the law of the machine says, and nowhere else."""
    for action, role in product(A, Role):
        assert outcome(request_in(state), action, actor=SECOND, role=role) == expected(state, action, role), (
            action,
            role,
        )


@pytest.mark.parametrize("state", S)
def test_allowed_actions_are_those_that_succeed(state: IntakeState) -> None:
    """What is offered to a person is what `advance` takes from that person, for both persons and all roles."""
    for actor, role in product((FIRST, SECOND), Role):
        request = request_in(state)
        succeed = {act for act in A if outcome(request, act, actor=actor, role=role) in set(S)}
        assert set(allowed_actions(request, actor_id=actor, role=role)) == succeed


@pytest.mark.parametrize(("state", "action"), [(S.DRAFTED, A.SIGN), (S.DECLINE_PROPOSED, A.CONFIRM_DECLINE)])
def test_second_decision_belongs_to_another_person(state: IntakeState, action: IntakeAction) -> None:
    """Four eyes compares persons: a supervisor who approved cannot sign, nor confirm an own proposal."""
    assert outcome(request_in(state), action, actor=FIRST, role=SUPERVISOR) == "four_eyes"
    assert outcome(request_in(state), action, actor=SECOND, role=SUPERVISOR) in {S.SIGNED, S.DECLINED}


def test_four_eyes_rests_on_the_remembered_person() -> None:
    """Control: were the approver forgotten, the same person's signature would be taken."""
    forgetful = replace(request_in(S.DRAFTED), approved_by=None)
    assert outcome(forgetful, A.SIGN, actor=FIRST, role=SUPERVISOR) is S.SIGNED


def test_who_acted_is_remembered() -> None:
    """Approval, proposal and signature keep their person; reopening forgets the earlier decisions."""
    triage = request_in(S.TRIAGE)
    approved = advance(triage, A.APPROVE, actor_id=FIRST, role=DUTY, now=NOW)
    declined = advance(triage, A.DECLINE, actor_id=FIRST, role=DUTY, now=NOW)
    signed = advance(approved, A.SIGN, actor_id=SECOND, role=SUPERVISOR, now=NOW)
    assert (approved.approved_by, declined.declined_by, signed.signed_by) == (FIRST, FIRST, SECOND)
    for decided in (approved, declined):
        reopened = advance(decided, A.REOPEN, actor_id=SECOND, role=SUPERVISOR, now=NOW)
        assert (reopened.approved_by, reopened.declined_by) == (None, None)


def test_one_officer_alone_may_sign_an_emergency_and_another_reviews_it_within_a_day() -> None:
    """Domain.md 6.1: where the shift is one person, the approver signs too, and a review falls due, once."""
    alone = replace(request_in(S.DRAFTED), alone=True)
    signed = advance(alone, A.SIGN, actor_id=FIRST, role=SUPERVISOR, now=NOW)
    assert (signed.state, signed.review_due_at) == (S.SIGNED, NOW + timedelta(hours=24))
    assert outcome(signed, A.REVIEW, actor=FIRST, role=SUPERVISOR) == "four_eyes"
    reviewed = advance(signed, A.REVIEW, actor_id=SECOND, role=SUPERVISOR, now=NOW)
    assert (reviewed.state, reviewed.reviewed_by) == (S.SIGNED, SECOND)
    assert outcome(reviewed, A.REVIEW, actor=UUID(int=3), role=SUPERVISOR) == "action_not_allowed"


def test_one_officer_alone_needs_the_exception() -> None:
    """Control: without it, or in the role of a duty officer, the approver cannot sign; two people need no review."""
    alone = replace(request_in(S.DRAFTED), alone=True)
    assert outcome(request_in(S.DRAFTED), A.SIGN, actor=FIRST, role=SUPERVISOR) == "four_eyes"
    assert outcome(alone, A.SIGN, actor=FIRST, role=DUTY) == "role_not_allowed"
    assert advance(alone, A.SIGN, actor_id=SECOND, role=SUPERVISOR, now=NOW).review_due_at is None
    declined = replace(request_in(S.DECLINE_PROPOSED), alone=True)
    assert outcome(declined, A.CONFIRM_DECLINE, actor=FIRST, role=SUPERVISOR) == "four_eyes"


def test_reopened_draft_can_be_signed_by_the_first_approver_after_another_approves() -> None:
    """After reopening, four eyes counts the new approval and not the old one."""
    reopened = advance(request_in(S.DRAFTED), A.REOPEN, actor_id=SECOND, role=SUPERVISOR, now=NOW)
    again = advance(reopened, A.APPROVE, actor_id=SECOND, role=DUTY, now=NOW)
    assert outcome(again, A.SIGN, actor=FIRST, role=SUPERVISOR) is S.SIGNED
    assert outcome(again, A.SIGN, actor=SECOND, role=SUPERVISOR) == "four_eyes"


def test_every_accepted_act_raises_the_generation_by_one() -> None:
    """The generation counts accepted acts, also those that leave the state as it is."""
    for state, action, role in product(S, A, Role):
        request = request_in(state)
        if outcome(request, action, actor=SECOND, role=role) in set(S):
            assert advance(request, action, actor_id=SECOND, role=role, now=NOW).generation == request.generation + 1


def test_withdrawal_after_signing_is_a_wish_and_made_once() -> None:
    """Ruling 6: a signed request stays signed; the wish is dated, shown, and not repeated."""
    wished = advance(request_in(S.SIGNED), A.WITHDRAW, actor_id=SECOND, role=AGENCY, now=NOW)
    assert (wished.state, wished.withdrawal_wished, wished.withdrawal_wished_at) == (S.SIGNED, True, NOW)
    assert outcome(wished, A.WITHDRAW, actor=SECOND, role=AGENCY) == "action_not_allowed"
    assert not request_in(S.SIGNED).withdrawal_wished


def test_nothing_leaves_an_end() -> None:
    """No row moves a request out of an end state; a signed one keeps its state whatever is added."""
    for row in TRANSITIONS:
        assert row.target is None or not row.sources & TERMINAL


def test_role_is_judged_before_the_state_is_seen() -> None:
    """Who may never do an act hears so in every state, and learns no state from it."""
    assert {outcome(request_in(state), A.SIGN, actor=SECOND, role=DUTY) for state in S} == {"role_not_allowed"}
    with pytest.raises(Forbidden):
        check_mover(request_in(S.INTAKE), A.APPROVE, actor_id=SECOND, role=AGENCY)


def test_stale_generation_is_a_conflict() -> None:
    """A generation other than the present one is `stale_generation`; none at all is not asked."""
    check_generation(request_in(S.TRIAGE), None)
    check_generation(request_in(S.TRIAGE), 3)
    with pytest.raises(Conflict) as stale:
        check_generation(request_in(S.TRIAGE), 2)
    assert stale.value.code == "stale_generation"
