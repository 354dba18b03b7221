"""Machine M1: what happens to a request of our own agencies before anything leaves the state.

Every move is a row of `TRANSITIONS`; `advance` looks rows up and compares persons, and decides nothing else. No state
of this machine is ever visible abroad. After `sign` the request does not move again: what the agency wishes then is put
on the duty officer's desk (ruling 6), and the exchange goes its own way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.domain.codes import IntakeState, Role
from app.errors import Conflict, Forbidden

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

S = IntakeState


class IntakeAction(StrEnum):
    """What a person may do with a request."""

    OPEN = "open"
    RETURN = "return"
    RESUBMIT = "resubmit"
    REDIRECT = "redirect"
    DECLINE = "decline"
    CONFIRM_DECLINE = "confirm_decline"
    APPROVE = "approve"
    MERGE = "merge"
    SIGN = "sign"
    REVIEW = "review"
    RETARGET = "retarget"
    REOPEN = "reopen"
    SUPPLEMENT = "supplement"
    WITHDRAW = "withdraw"


class DraftOrigin(StrEnum):
    """What a request was prepared from that no officer wrote by hand from the beginning."""

    TRAFFIC_PATH = "traffic_path"
    WRONG_STATE = "wrong_state"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Intake:
    """A request as far as the machine is concerned. Persons are remembered for the rule of four eyes.

    `alone` says that one officer may carry it through: an emergency, at a contact point whose shift is one person.
    """

    id: UUID
    state: IntakeState
    generation: int
    approved_by: UUID | None = None
    declined_by: UUID | None = None
    signed_by: UUID | None = None
    withdrawal_wished_at: datetime | None = None
    review_due_at: datetime | None = None
    reviewed_by: UUID | None = None
    alone: bool = False

    @property
    def withdrawal_wished(self) -> bool:
        """The agency asked, after signing, that the request be taken back; only the duty officer can do that."""
        return self.withdrawal_wished_at is not None


@dataclass(frozen=True, slots=True)
class Transition:
    """One row. `target` None leaves the state as it is.

    `signs` names the member that remembers who acted, `other_than` the member whose person may not be the one acting
    now, `forgets` the members that are emptied, `needs` the members an act's body must carry, `once` the member that
    must still be empty and `given` the one that must not be. `may_be_alone` lifts `other_than` from a request that one
    officer may carry through.
    """

    sources: frozenset[IntakeState]
    action: IntakeAction
    target: IntakeState | None
    roles: frozenset[Role]
    needs: tuple[str, ...] = ()
    signs: str | None = None
    other_than: str | None = None
    forgets: tuple[str, ...] = ()
    once: str | None = None
    given: str | None = None
    may_be_alone: bool = False


REVIEW_WITHIN = timedelta(hours=24)
"""How soon another supervisor looks at what one person alone sent out (domain.md 6.1)."""

TERMINAL = frozenset({S.REDIRECTED, S.DECLINED, S.SIGNED, S.WITHDRAWN_DOMESTIC})
"""SIGNED counts as an end: nothing but a supplement, a wish, a review or a copy for another state is added to it."""

_OPEN = frozenset(S) - TERMINAL
_AGENCY = frozenset({Role.AGENCY_OFFICER})
_DESK = frozenset({Role.DUTY_OFFICER, Role.SUPERVISOR})
"""Small desks exist: a supervisor may do a duty officer's acts. Four eyes compares persons, not roles."""
_SUPERVISOR = frozenset({Role.SUPERVISOR})
_TRIAGE = frozenset({S.TRIAGE})
_DRAFTED = frozenset({S.DRAFTED})
_SECOND_LOOK = frozenset({S.DRAFTED, S.DECLINE_PROPOSED})
_SIGNED = frozenset({S.SIGNED})
_A = IntakeAction

TRANSITIONS: tuple[Transition, ...] = (
    Transition(frozenset({S.INTAKE}), _A.OPEN, S.TRIAGE, _DESK),
    Transition(_TRIAGE, _A.RETURN, S.RETURNED, _DESK, needs=("codes", "text")),
    Transition(frozenset({S.RETURNED}), _A.RESUBMIT, S.TRIAGE, _AGENCY, needs=("document",)),
    Transition(_TRIAGE, _A.REDIRECT, S.REDIRECTED, _DESK, needs=("code", "text")),
    # The same is on its way for another agency: that exchange serves both, and no second request goes abroad.
    Transition(_TRIAGE, _A.MERGE, S.REDIRECTED, _DESK, needs=("into", "text")),
    Transition(_TRIAGE, _A.DECLINE, S.DECLINE_PROPOSED, _DESK, needs=("code", "text"), signs="declined_by"),
    Transition(frozenset({S.DECLINE_PROPOSED}), _A.CONFIRM_DECLINE, S.DECLINED, _SUPERVISOR, other_than="declined_by"),
    Transition(_TRIAGE, _A.APPROVE, S.DRAFTED, _DESK, signs="approved_by"),
    Transition(
        _DRAFTED, _A.SIGN, S.SIGNED, _SUPERVISOR, signs="signed_by", other_than="approved_by", may_be_alone=True
    ),
    Transition(
        _SIGNED,
        _A.REVIEW,
        None,
        _SUPERVISOR,
        needs=("text",),
        signs="reviewed_by",
        other_than="signed_by",
        once="reviewed_by",
        given="review_due_at",
    ),
    Transition(_SIGNED, _A.RETARGET, None, _DESK, needs=("new_requested",)),
    # A second pair of eyes that could only agree would be none; and a draft without legal basis must go somewhere.
    Transition(_SECOND_LOOK, _A.REOPEN, S.TRIAGE, _DESK, needs=("text",), forgets=("approved_by", "declined_by")),
    Transition(_OPEN | _SIGNED, _A.SUPPLEMENT, None, _AGENCY, needs=("text",)),
    Transition(_OPEN, _A.WITHDRAW, S.WITHDRAWN_DOMESTIC, _AGENCY),
    Transition(_SIGNED, _A.WITHDRAW, None, _AGENCY, once="withdrawal_wished_at"),
)


def check_mover(request: Intake, action: IntakeAction, *, actor_id: UUID, role: Role) -> None:
    """Raise Forbidden unless this person, in this role, may ever do this act to this request.

    Runs before any look at state or generation, so that who may not act learns neither.
    """
    rows = [row for row in TRANSITIONS if row.action is action and role in row.roles]
    if not rows:
        raise Forbidden("role_not_allowed", f"A person in the role {role} cannot do this act.")
    if all(_acts_against_itself(request, row, actor_id) for row in rows):
        raise Forbidden("four_eyes", "The second decision belongs to another person than the first.")


def check_generation(request: Intake, generation: int | None) -> None:
    """Raise Conflict `stale_generation` if the caller saw an older request than this one; None means not asked."""
    if generation is not None and generation != request.generation:
        raise Conflict("stale_generation", "The request has changed since you read it.")


def advance(request: Intake, action: IntakeAction, *, actor_id: UUID, role: Role, now: datetime) -> Intake:
    """The request after the act, its generation one higher.

    Raises Forbidden (`role_not_allowed`, `four_eyes`) before Conflict (`action_not_allowed`).
    """
    check_mover(request, action, actor_id=actor_id, role=role)
    for row in TRANSITIONS:
        if row.action is action and _fits(request, row, role):
            return replace(request, **_changes(request, row, actor_id=actor_id, now=now))
    raise Conflict("action_not_allowed", f"This act cannot be done to a request in the state {request.state}.")


def allowed_actions(request: Intake, *, actor_id: UUID, role: Role) -> tuple[IntakeAction, ...]:
    """What `advance` would accept from this person now, in the order of the table."""
    return tuple(
        row.action
        for row in TRANSITIONS
        if _fits(request, row, role) and not _acts_against_itself(request, row, actor_id)
    )


def _acts_against_itself(request: Intake, row: Transition, actor_id: UUID) -> bool:
    excepted = row.may_be_alone and request.alone
    return not excepted and row.other_than is not None and getattr(request, row.other_than) == actor_id


def _fits(request: Intake, row: Transition, role: Role) -> bool:
    spent = row.once is not None and getattr(request, row.once) is not None
    lacking = row.given is not None and getattr(request, row.given) is None
    return request.state in row.sources and role in row.roles and not spent and not lacking


def _changes(request: Intake, row: Transition, *, actor_id: UUID, now: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = dict.fromkeys(row.forgets)
    changes["generation"] = request.generation + 1
    changes["state"] = row.target or request.state
    if row.signs is not None:
        changes[row.signs] = actor_id
    if row.once is not None and row.once != row.signs:
        changes[row.once] = now
    if row.action is IntakeAction.SIGN and request.approved_by == actor_id:
        changes["review_due_at"] = now + REVIEW_WITHIN
    return changes
