"""The full snapshot inside `exchange.state/1`, member by member. Structure, types and sizes only (ruling 19).

What another node reports is shown as reported: a hold of thirty days from abroad is read here and warned about later.
"""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.codes import (
    HoldState,
    Instrument,
    MlaStatus,
    NotExecutable,
    RefusalGround,
    RequestType,
    State,
    Tier,
)
from app.domain.emergency_facts import EmergencyBody
from app.domain.exchange_codes import (
    ConditionKind,
    Flag,
    InformationEvaluation,
    QuestionKind,
    Side,
    SourceEvaluation,
)
from app.domain.marking_bodies import MarkingBody
from app.domain.moments import Instant
from app.domain.onward_bodies import ConfirmationBody, OnwardTransferBody, UseQuestionBody
from app.domain.wire import MAX_TARGETS, Code, Generation, Open, WireLine, WireText

MAX_ENTRIES = 1_000
"""Entries of one list in a snapshot."""

Index = Annotated[int, Field(ge=0, lt=MAX_TARGETS)]
Indexes = Annotated[tuple[Index, ...], Field(max_length=MAX_TARGETS)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class QuestionBody(Open):
    """The open question."""

    id: UUID
    kind: QuestionKind
    codes: Annotated[tuple[WireLine, ...], Field(max_length=50)]
    text: WireText
    asked_at: Instant
    due_at: Instant
    reminded_at: Instant | None = None


class ConditionBody(Open):
    """The open condition, or one that binds."""

    id: UUID
    kind: ConditionKind
    text: WireText
    proposed_at: Instant
    due_at: Instant
    accepted_at: Instant | None = None
    reminded_at: Instant | None = None


class TargetResultBody(Open):
    """What became of one target; without `outcome` it is held."""

    target: Index
    outcome: NotExecutable | None = None
    text: WireText | None = None


class AnswerBody(Open):
    """One answer, or the content of spontaneous information."""

    at: Instant
    text: WireText
    source: SourceEvaluation | None = None
    information: InformationEvaluation | None = None
    marking: MarkingBody | None = None
    conditions: Annotated[tuple[UUID, ...], Field(max_length=MAX_ENTRIES)] = ()


class ProgressBody(Open):
    """One report of progress."""

    at: Instant
    text: WireText


class SupplementBody(Open):
    """One supplement, as the requested side has it."""

    at: Instant
    text: WireText
    question_id: UUID | None = None


class LateFactBody(Open):
    """One fact that came after the end."""

    at: Instant
    side: Side
    text: WireText


class HopBody(Open):
    """One station of a path."""

    address: WireLine
    country: WireLine | None = None
    seen_at: Instant | None = None


class TrafficPathBody(Open):
    """One disclosure under art. 30, or that it is withheld."""

    at: Instant
    provider: WireLine | None = None
    country: WireLine | None = None
    path: Annotated[tuple[HopBody, ...], Field(max_length=MAX_ENTRIES)] = ()
    withheld: RefusalGround | None = None
    marking: MarkingBody | None = None


class TierChangeBody(Open):
    """One change of tier."""

    at: Instant
    side: Side
    tier: Tier
    text: WireText
    code: WireLine | None = None
    emergency: EmergencyBody | None = None


class ReferralBody(Open):
    """To whom it was handed."""

    authority: WireLine
    contact: WireLine | None = None
    reference: WireLine | None = None


class OralRequestBody(Open):
    """A request by voice and when it was confirmed."""

    made_at: Instant
    made_by: WireLine
    received_by: WireLine
    recorded_at: Instant
    text: WireText | None = None
    due_at: Instant | None = None
    regularised_at: Instant | None = None


class MlaBody(Open):
    """What is known of the follow-up request."""

    status: MlaStatus
    planned_on: date | None = None
    claimed_reference: WireLine | None = None
    claimed_on: date | None = None
    claimed_at: Instant | None = None
    confirm_by: Instant | None = None
    ca_reference: WireLine | None = None
    received_at: Instant | None = None
    decision: WireText | None = None
    decided_at: Instant | None = None


class ExtensionWishBody(Open):
    """More days, asked for and not granted yet."""

    days: Count
    asked_at: Instant
    text: WireText | None = None


class ExtensionBody(Open):
    """More days, granted."""

    days: Count
    granted_at: Instant
    expires_at: Instant


class HoldBody(Open):
    """One hold. No `expires_at` means that none is known or that a decision is pending."""

    id: UUID
    state: HoldState
    preserved_at: Instant
    days_granted: Count
    expires_at: Instant | None = None
    targets: Indexes = ()
    mla: MlaBody
    extension_wish: ExtensionWishBody | None = None
    extensions: Annotated[tuple[ExtensionBody, ...], Field(max_length=MAX_ENTRIES)] = ()
    releasing: bool = False
    release_due_at: Instant | None = None
    ended_at: Instant | None = None
    end_reason: WireLine | None = None
    end_text: WireText | None = None
    lost_at: Instant | None = None
    new_request_possible: bool | None = None


class SnapshotBody(Open):
    """Everything that both sides show of an exchange."""

    id: UUID
    requesting: Code
    requested: Code
    type: RequestType
    tier: Tier
    state: State
    generation: Generation
    request_reference: WireLine
    opened_at: Instant
    changed_at: Instant
    state_since: Instant
    flags: Annotated[tuple[Flag, ...], Field(max_length=len(Flag))] = ()
    resume_state: State | None = None
    b_reference: WireLine | None = None
    next_update_at: Instant | None = None
    instrument: Instrument | None = None
    question: QuestionBody | None = None
    clarifications: Count = 0
    condition: ConditionBody | None = None
    accepted_conditions: Annotated[tuple[ConditionBody, ...], Field(max_length=MAX_ENTRIES)] = ()
    narrowing: WireText | None = None
    review_at: Instant | None = None
    referred_to: ReferralBody | None = None
    reason: WireLine | None = None
    reason_article: WireLine | None = None
    reason_text: WireText | None = None
    suggestion: WireText | None = None
    oral: OralRequestBody | None = None
    confirmation: ConfirmationBody | None = None
    served_at: Instant | None = None
    marking: MarkingBody | None = None
    results: Annotated[tuple[TargetResultBody, ...], Field(max_length=MAX_TARGETS)] = ()
    holds: Annotated[tuple[HoldBody, ...], Field(max_length=MAX_TARGETS)] = ()
    answers: Annotated[tuple[AnswerBody, ...], Field(max_length=MAX_ENTRIES)] = ()
    progress: Annotated[tuple[ProgressBody, ...], Field(max_length=MAX_ENTRIES)] = ()
    supplements: Annotated[tuple[SupplementBody, ...], Field(max_length=MAX_ENTRIES)] = ()
    late_facts: Annotated[tuple[LateFactBody, ...], Field(max_length=MAX_ENTRIES)] = ()
    traffic_paths: Annotated[tuple[TrafficPathBody, ...], Field(max_length=MAX_ENTRIES)] = ()
    tier_changes: Annotated[tuple[TierChangeBody, ...], Field(max_length=MAX_ENTRIES)] = ()
    onward_transfers: Annotated[tuple[OnwardTransferBody, ...], Field(max_length=MAX_ENTRIES)] = ()
    use_questions: Annotated[tuple[UseQuestionBody, ...], Field(max_length=MAX_ENTRIES)] = ()
    left_out: Count = 0
    files_marking: MarkingBody | None = None
