"""What callers are shown of requests. Names listed in the contract never change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.exchanges import ExchangeRecord
from app.db.requests import RequestRecord
from app.domain.codes import Instrument, IntakeState, RequestType, State, Tier
from app.domain.intake import DraftOrigin
from app.domain.marking_bodies import MarkingBody, write_marking
from app.domain.snapshot import take_snapshot
from app.domain.snapshot_bodies import AnswerBody, ConditionBody, QuestionBody, TargetResultBody, TrafficPathBody
from app.domain.triage import Answer, Proposal
from app.routers.hold_views import HoldView, show_hold
from app.routers.models import Moment, View
from app.routers.views import DeterminationView, show_determination
from app.services.find_duplicates import Duplicate


class AgencyExchange(View):
    """The part of an exchange that the agency which asked may see."""

    id: UUID
    state: State
    generation: int
    tier: Tier
    b_reference: str | None
    next_update_at: Moment | None
    instrument: Instrument | None
    question: QuestionBody | None
    results: list[TargetResultBody]
    answers: list[AnswerBody]
    accepted_conditions: list[ConditionBody]
    traffic_paths: list[TrafficPathBody]
    marking: MarkingBody
    determination: DeterminationView | None
    review_at: Moment | None
    reason: str | None
    reason_article: str | None
    reason_text: str | None
    suggestion: str | None
    holds: list[HoldView]


class DoubtView(View):
    """What made the software doubt: a code, a sentence, where in the document, the outcome it points to."""

    code: str
    detail: str
    pointer: str | None = None
    suggests: str | None = None


class ProposalView(View):
    """One test of the checklist as the software would answer it; `failing` are the codes that a failure leads to."""

    test: str
    question: str
    proposal: Answer
    because: list[DoubtView]
    failing: list[str]


class DuplicateView(View):
    """Another request here for the same data: `overlap` pairs targets, ours first, both counted from 0."""

    id: UUID
    reference: str
    agency: str
    requested: str
    state: IntakeState
    exchange_id: UUID | None
    overlap: list[tuple[int, int]]


class JoinedView(View):
    """A request of another agency, or of the same one, that joined this one's exchange."""

    id: UUID
    reference: str
    agency: str


class DeskView(View):
    """What the desk alone sees of a request: `triage` and `duplicates` while it decides, and what was joined to what.

    `merged_into` is the reference of the request whose exchange this one joined.
    """

    triage: list[ProposalView]
    duplicates: list[DuplicateView]
    merged_into: str | None
    joined: list[JoinedView]
    review_due_at: Moment | None
    reviewed: bool


class RequestView(View):
    """A request of an agency at its own contact point. `desk` is null for the agency, and in lists."""

    id: UUID
    reference: str
    type: RequestType
    requested: str
    tier: Tier
    state: IntakeState
    generation: int
    exchange_id: UUID | None
    warnings: list[dict[str, Any]]
    allowed_actions: list[str]
    agency: str
    own_reference: str | None
    document: dict[str, Any]
    approval: dict[str, Any] | None
    outcome: dict[str, Any] | None
    withdrawal_wished_at: Moment | None
    triage_due_at: Moment | None
    is_test: bool
    case_id: UUID | None
    draft_of: UUID | None
    origin: DraftOrigin | None
    desk: DeskView | None
    exchange: AgencyExchange | None
    created_at: Moment
    updated_at: Moment


def show_request(
    record: RequestRecord,
    exchange: ExchangeRecord | None,
    *,
    allowed: list[str],
    now: datetime,
    desk: DeskView | None = None,
) -> RequestView:
    """One request, with the part of its exchange that its agency may see."""
    return RequestView(
        id=record.id,
        reference=record.reference,
        type=record.type,
        requested=record.requested,
        tier=record.tier,
        state=record.state,
        generation=record.generation,
        exchange_id=record.exchange_id,
        warnings=record.warnings,
        allowed_actions=allowed,
        agency=record.agency_id,
        own_reference=record.own_reference,
        document=record.document,
        approval=record.approval,
        outcome=record.outcome,
        withdrawal_wished_at=record.withdrawal_wished_at,
        triage_due_at=record.triage_due_at,
        is_test=record.is_test,
        case_id=record.case_id,
        draft_of=record.draft_of,
        origin=record.origin,
        desk=desk,
        exchange=None if exchange is None else show_exchange_part(exchange, now),
        created_at=record.created_at,
        updated_at=record.updated_at,
    )


def is_decided_on(record: RequestRecord) -> bool:
    """Whether the desk is deciding on it, and wants to see what speaks for and against."""
    return record.state in {IntakeState.TRIAGE, IntakeState.DRAFTED, IntakeState.DECLINE_PROPOSED}


def show_desk(
    record: RequestRecord,
    *,
    looked: tuple[Sequence[Proposal], Sequence[Duplicate]] | None,
    merged_into: RequestRecord | None,
    joined: Sequence[RequestRecord],
) -> DeskView:
    """The part of a request that no agency sees."""
    proposals, duplicates = looked or ((), ())
    return DeskView(
        triage=[ProposalView.model_validate(one.as_json()) for one in proposals],
        duplicates=[DuplicateView.model_validate(one) for one in duplicates],
        merged_into=None if merged_into is None else merged_into.reference,
        joined=[JoinedView(id=one.id, reference=one.reference, agency=one.agency_id) for one in joined],
        review_due_at=record.review_due_at,
        reviewed=record.reviewed_by is not None,
    )


def show_exchange_part(record: ExchangeRecord, now: datetime) -> AgencyExchange:
    """What the agency that asked may see of its exchange."""
    value = record.value
    told = take_snapshot(value)
    return AgencyExchange(
        id=value.id,
        state=value.state,
        generation=value.generation,
        tier=value.tier,
        b_reference=value.b_reference,
        next_update_at=value.next_update_at,
        instrument=value.instrument,
        question=told.question,
        results=list(told.results),
        answers=list(told.answers),
        accepted_conditions=list(told.accepted_conditions),
        traffic_paths=list(told.traffic_paths),
        marking=write_marking(value.marking),
        determination=show_determination(value),
        review_at=value.review_at,
        reason=value.reason,
        reason_article=value.reason_article,
        reason_text=value.reason_text,
        suggestion=value.suggestion,
        holds=[show_hold(hold, record, now=now) for hold in value.holds],
    )
