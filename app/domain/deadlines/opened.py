"""Which steps of an exchange or of a domestic request are waited for now, by when, and whose they are.

Both sides work them out from the same snapshot, each with its own clocks. Nothing here is sent or changes a state.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.codes import IntakeState, MlaStatus, NotExecutable, State
from app.domain.deadlines.clocks import PACKAGED, Clocks, Step, acknowledgement_due, due
from app.domain.exchange_codes import Flag, QuestionKind, Side
from app.domain.holds import RELEASE_TASK, is_open, next_end
from app.domain.transitions import HOLD_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from app.domain.codes import Tier
    from app.domain.exchange.values import Exchange
    from app.domain.holds import Hold


class Subject(StrEnum):
    """What a deadline belongs to."""

    REQUEST = "request"
    EXCHANGE = "exchange"


class Whose(StrEnum):
    """Whose step it is, seen from this node."""

    OURS = "ours"
    THEIRS = "theirs"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Deadline:
    """One step that is waited for. `hold` names the hold it is about, if it is about one."""

    kind: Subject
    subject: UUID
    step: Step
    tier: Tier
    whose: Whose
    started_at: datetime
    due_at: datetime
    hold: UUID | None = None


@dataclass(frozen=True, slots=True)
class Standpoint:
    """From where an exchange is looked at: on which side, by which clocks; and when the document says data are lost."""

    side: Side
    clocks: Clocks = PACKAGED
    lost_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeskWork:
    """A request of our own agencies, as far as its clocks are concerned.

    `review_due_at` is when a signature given alone in an emergency must have been looked at by a second person; None
    once it was, or where there is nothing to look at.
    """

    id: UUID
    tier: Tier
    state: IntakeState
    filed_at: datetime
    triage_due_at: datetime | None
    review_due_at: datetime | None = None


_UNDECIDED = frozenset({IntakeState.TRIAGE, IntakeState.DRAFTED, IntakeState.DECLINE_PROPOSED})
"""The triage clock runs until the request has left or was declined: a draft that nobody signs helps nobody."""

_EXECUTING = frozenset({State.IN_EXECUTION, State.PRESERVED, State.PARTIALLY_PRESERVED})


def open_deadlines(exchange: Exchange, seen: Standpoint, *, now: datetime) -> tuple[Deadline, ...]:
    """Everything that is waited for in an exchange at `now`, by either side, in no order."""
    found = [*_of_state(exchange, seen), *_of_marks(exchange, seen)]
    for hold in exchange.holds:
        if is_open(hold, now):
            found += _of_hold(exchange, hold, seen)
    return tuple(found)


def open_deadlines_of_request(request: DeskWork, *, clocks: Clocks = PACKAGED) -> tuple[Deadline, ...]:
    """What the own desk has to do for a domestic request: open it, decide it, look again at a lone signature."""
    found = []
    if request.state is IntakeState.INTAKE:
        due_at = due(Step.INTAKE, request.tier, start=request.filed_at, clocks=clocks)
        found.append(_at_home(request, Step.INTAKE, started_at=request.filed_at, due_at=due_at))
    if request.state in _UNDECIDED and request.triage_due_at is not None:
        started_at = max(request.filed_at, request.triage_due_at - clocks.within(Step.TRIAGE, request.tier))
        found.append(_at_home(request, Step.TRIAGE, started_at=started_at, due_at=request.triage_due_at))
    if request.review_due_at is not None:
        started_at = request.review_due_at - clocks.within(Step.SIGNATURE_REVIEW, request.tier)
        found.append(_at_home(request, Step.SIGNATURE_REVIEW, started_at=started_at, due_at=request.review_due_at))
    return tuple(found)


def is_overdue(exchange: Exchange, seen: Standpoint, *, now: datetime) -> bool:
    """Whether a step of either side should have been done by now; delivery has a mark of its own, UNDELIVERABLE."""
    return any(
        one.due_at <= now
        for one in open_deadlines(exchange, seen, now=now)
        if one.step not in {Step.DELIVERY, Step.DELIVERY_ALARM, Step.HOLD_END}
    )


def _at_home(request: DeskWork, step: Step, *, started_at: datetime, due_at: datetime) -> Deadline:
    return Deadline(Subject.REQUEST, request.id, step, request.tier, Whose.OURS, started_at, due_at)


def _of(
    exchange: Exchange, step: Step, seen: Standpoint, *, side: Side | None, span: tuple[datetime, datetime]
) -> Deadline:
    """A deadline of the exchange; `side` None means that both have to see to it."""
    whose = Whose.BOTH if side is None else Whose.OURS if side is seen.side else Whose.THEIRS
    return Deadline(Subject.EXCHANGE, exchange.id, step, exchange.tier, whose, *span)


def _of_state(exchange: Exchange, seen: Standpoint) -> Iterator[Deadline]:
    """The step that the state itself waits for."""
    since = exchange.state_since
    if exchange.state is State.DISPATCHED:
        yield from _of_delivery(exchange, seen)
    elif exchange.state is State.DELIVERED:
        due_at = acknowledgement_due(exchange.tier, expected_loss_at=seen.lost_at, start=since, clocks=seen.clocks)
        yield _of(exchange, Step.ACKNOWLEDGEMENT, seen, side=Side.REQUESTED, span=(since, due_at))
    elif (step := _working_step(exchange)) is not None:
        due_at = due(step, exchange.tier, start=since, clocks=seen.clocks)
        yield _of(exchange, step, seen, side=Side.REQUESTED, span=(since, due_at))
    elif exchange.state is State.POSTPONED and exchange.review_at is not None:
        yield _of(exchange, Step.REVIEW, seen, side=Side.REQUESTED, span=(since, exchange.review_at))
    elif exchange.state is State.CONDITIONS and exchange.condition is not None:
        asked = exchange.condition
        span = (asked.proposed_at, asked.due_at)
        yield _of(exchange, Step.CONDITION_ANSWER, seen, side=Side.REQUESTING, span=span)
    elif not exchange.is_terminal and exchange.question is not None:
        is_risk = exchange.question.kind is QuestionKind.RISK
        step = Step.RISK_NOTICE_ANSWER if is_risk else Step.CLARIFICATION_ANSWER
        span = (exchange.question.asked_at, exchange.question.due_at)
        yield _of(exchange, step, seen, side=Side.REQUESTING, span=span)


def _of_delivery(exchange: Exchange, seen: Standpoint) -> Iterator[Deadline]:
    """The receipt that the requesting side waits for: first the target, then the alarm.

    The same at every node: what arrives after the alarm is marked `late` by the other side.
    """
    if seen.side is Side.REQUESTING:
        for step in (Step.DELIVERY, Step.DELIVERY_ALARM):
            span = (exchange.opened_at, due(step, exchange.tier, start=exchange.opened_at))
            yield _of(exchange, step, seen, side=Side.REQUESTED, span=span)


def _working_step(exchange: Exchange) -> Step | None:
    """What the requested side works on; what the answer of an execution is depends on the type."""
    if exchange.question is not None:
        return None
    if exchange.state in {State.ACKNOWLEDGED, State.ACCEPTED}:
        return Step.SUBSTANCE
    if exchange.state is State.IN_EXECUTION:
        return Step.PRESERVED if exchange.type in HOLD_TYPES else Step.ANSWER
    return Step.REFERRAL if exchange.state is State.REFERRED else None


def _of_marks(exchange: Exchange, seen: Standpoint) -> Iterator[Deadline]:
    """What is owed beside the state: a voice to be regularised, a confirmation, the path that art. 30 wants told."""
    if exchange.is_terminal:
        return
    if exchange.oral is not None and exchange.oral.regularised_at is None:
        made_at = exchange.oral.made_at
        usual = due(Step.REGULARISATION, exchange.tier, start=made_at, clocks=seen.clocks)
        yield _of(exchange, Step.REGULARISATION, seen, side=None, span=(made_at, exchange.oral.due_at or usual))
    if Flag.CONFIRMATION_OUTSTANDING in exchange.flags and exchange.confirmation is not None:
        span = (exchange.opened_at, exchange.confirmation.due_at)
        yield _of(exchange, Step.CONFIRMATION, seen, side=Side.REQUESTING, span=span)
    elsewhere = any(result.outcome is NotExecutable.WRONGSTATE for result in exchange.results)
    if exchange.state in _EXECUTING and elsewhere and not exchange.traffic_paths:
        due_at = due(Step.TRAFFIC_PATH, exchange.tier, start=exchange.state_since, clocks=seen.clocks)
        yield _of(exchange, Step.TRAFFIC_PATH, seen, side=Side.REQUESTED, span=(exchange.state_since, due_at))


def _of_hold(exchange: Exchange, hold: Hold, seen: Standpoint) -> Iterator[Deadline]:
    """Of an open hold: letting go of it, confirming a claimed receipt, and its end, which is nobody's step."""
    ours = {side: Whose.OURS if side is seen.side else Whose.THEIRS for side in Side}
    steps: list[tuple[Step, Side, datetime, datetime]] = []
    if hold.releasing and hold.release_due_at is not None:
        started_at = hold.release_due_at - RELEASE_TASK
        steps.append((Step.RELEASE, Side.REQUESTED, started_at, hold.release_due_at))
    claimed_at, confirm_by = hold.mla.claimed_at, hold.mla.confirm_by
    if hold.mla.status is MlaStatus.CLAIMED_SENT and claimed_at is not None and confirm_by is not None:
        steps.append((Step.MLA_RECEIPT, Side.REQUESTED, claimed_at, confirm_by))
    ends_at = next_end(hold)
    if ends_at is not None:
        steps.append((Step.HOLD_END, Side.REQUESTING, hold.preserved_at, ends_at))
    for step, side, started_at, due_at in steps:
        kind, subject, tier = Subject.EXCHANGE, exchange.id, exchange.tier
        yield Deadline(kind, subject, step, tier, ours[side], started_at, due_at, hold=hold.id)
