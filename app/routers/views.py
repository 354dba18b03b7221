"""What callers are shown of requests, exchanges and holds. Names listed in the contract never change."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.acts import ActRecord
from app.db.exchanges import ExchangeRecord
from app.db.requests import RequestRecord
from app.db.timeline import Entry
from app.domain.codes import Direction, HoldState, Instrument, IntakeState, RequestType, State, Tier
from app.domain.exchange.timers import local_flags
from app.domain.exchange.values import Exchange
from app.domain.exchange_codes import Side
from app.domain.holds import Hold, hold_flags, state_at
from app.domain.moments import to_milliseconds
from app.domain.snapshot import take_snapshot
from app.domain.snapshot_bodies import (
    AnswerBody,
    ExtensionBody,
    ExtensionWishBody,
    MlaBody,
    QuestionBody,
    SnapshotBody,
    TargetResultBody,
)
from app.routers.file_views import AttachmentView
from app.routers.models import Moment, View


class HoldView(View):
    """Data kept for another state. `expires_at` is null while a decision is pending."""

    id: UUID
    exchange_id: UUID
    state: HoldState
    generation: int
    preserved_at: Moment
    days_granted: int
    expires_at: Moment | None
    flags: list[str]
    targets: list[int]
    mla: MlaBody
    extension_wish: ExtensionWishBody | None
    extensions: list[ExtensionBody]
    release_due_at: Moment | None
    ended_at: Moment | None
    end_reason: str | None
    end_text: str | None
    lost_at: Moment | None
    new_request_possible: bool | None
    allowed_actions: list[str]


class UnderWay(View):
    """An act of the requesting side whose fate is not known yet."""

    act_id: UUID
    action: str
    hold_id: UUID | None
    since: Moment


class ExchangeView(View):
    """An exchange: at the requested side the truth, at the requesting side the last snapshot and the acts under way."""

    id: UUID
    direction: Direction
    requesting: str
    requested: str
    type: RequestType
    tier: Tier
    state: State
    generation: int
    flags: list[str]
    holds: list[HoldView]
    under_way: list[UnderWay]
    allowed_actions: list[str]
    request_reference: str
    request_id: UUID | None
    opened_at: Moment
    changed_at: Moment
    b_reference: str | None
    next_update_at: Moment | None
    instrument: Instrument | None
    details: SnapshotBody
    document: dict[str, Any]
    attachments: list[AttachmentView]
    not_understood: list[str]


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
    reason: str | None
    reason_article: str | None
    reason_text: str | None
    suggestion: str | None
    holds: list[HoldView]


class RequestView(View):
    """A request of an agency at its own contact point."""

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
    exchange: AgencyExchange | None
    created_at: Moment
    updated_at: Moment


class TimelineEntry(View):
    """One line of a timeline; `id` counts within it, `party` is the contact point whose act it was."""

    id: int
    at: Moment
    party: str
    actor: str
    event: str
    detail: dict[str, Any]


class ActAccepted(View):
    """A wish of the requesting side is on its way: its id, and the exchange as it is known until the answer comes."""

    act_id: UUID
    exchange: ExchangeView


def side_of(record: ExchangeRecord) -> Side:
    """On which side of the exchange this node stands."""
    return Side.REQUESTED if record.direction is Direction.INCOMING else Side.REQUESTING


def show_hold(
    hold: Hold, *, generation: int, replica: bool, now: datetime, allowed: list[str] | None = None
) -> HoldView:
    """One hold. The requested side shows the state that every rule goes by; a replica shows what it was told."""
    return HoldView(
        id=hold.id,
        exchange_id=hold.exchange_id,
        state=hold.state if replica else state_at(hold, now),
        generation=generation,
        preserved_at=hold.preserved_at,
        days_granted=hold.days_granted,
        expires_at=hold.expires_at,
        flags=[str(flag) for flag in hold_flags(hold, now, replica=replica)],
        targets=list(hold.targets),
        mla=MlaBody.model_validate(hold.mla, strict=False, from_attributes=True),
        extension_wish=None
        if hold.extension_wish is None
        else ExtensionWishBody.model_validate(hold.extension_wish, strict=False, from_attributes=True),
        extensions=[ExtensionBody.model_validate(one, strict=False, from_attributes=True) for one in hold.extensions],
        release_due_at=hold.release_due_at,
        ended_at=hold.ended_at,
        end_reason=hold.end_reason,
        end_text=hold.end_text,
        lost_at=hold.lost_at,
        new_request_possible=hold.new_request_possible,
        allowed_actions=allowed or [],
    )


def show_exchange(record: ExchangeRecord, acts: list[ActRecord], *, allowed: list[str], now: datetime) -> ExchangeView:
    """One exchange as the duty desk of this node sees it."""
    value = record.value
    replica = record.direction is Direction.OUTGOING
    return ExchangeView(
        id=value.id,
        direction=record.direction,
        requesting=value.requesting,
        requested=value.requested,
        type=value.type,
        tier=value.tier,
        state=value.state,
        generation=value.generation,
        flags=_flags(record, now),
        holds=[show_hold(hold, generation=value.generation, replica=replica, now=now) for hold in value.holds],
        under_way=[UnderWay(act_id=act.id, action=act.action, hold_id=act.hold_id, since=act.since) for act in acts],
        allowed_actions=allowed,
        request_reference=value.request_reference,
        request_id=record.request_id,
        opened_at=value.opened_at,
        changed_at=value.changed_at,
        b_reference=value.b_reference,
        next_update_at=value.next_update_at,
        instrument=value.instrument,
        details=take_snapshot(value),
        document=record.opening.get("document", {}),
        attachments=[],
        not_understood=list(record.not_understood),
    )


def show_request(
    record: RequestRecord, exchange: ExchangeRecord | None, *, allowed: list[str], now: datetime
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
        exchange=None if exchange is None else _for_agency(exchange.value, now),
        created_at=record.created_at,
        updated_at=record.updated_at,
    )


def show_entry(serial: int, entry: Entry) -> TimelineEntry:
    """One line."""
    return TimelineEntry(
        id=serial, at=entry.at, party=entry.party, actor=entry.actor, event=entry.event, detail=dict(entry.detail)
    )


def _flags(record: ExchangeRecord, now: datetime) -> list[str]:
    """What both sides see, and what this node works out for itself."""
    own = local_flags(record.value, side=side_of(record), now=to_milliseconds(now))
    return [*map(str, record.value.flags), *map(str, own)]


def _for_agency(value: Exchange, now: datetime) -> AgencyExchange:
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
        reason=value.reason,
        reason_article=value.reason_article,
        reason_text=value.reason_text,
        suggestion=value.suggestion,
        holds=[show_hold(hold, generation=value.generation, replica=True, now=now) for hold in value.holds],
    )
