"""What callers are shown of exchanges and holds. Names listed in the contract never change."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.acts import ActRecord
from app.db.exchanges import ExchangeRecord
from app.db.timeline import Entry
from app.domain.codes import Direction, Instrument, RequestType, State, Tier
from app.domain.deadlines import Standpoint
from app.domain.exchange.determination import Outcome, Stage, outcome_of, stage_of
from app.domain.exchange.timers import local_flags
from app.domain.exchange.values import Exchange
from app.domain.exchange_codes import Side
from app.domain.marking_bodies import MarkingBody, write_marking
from app.domain.moments import to_milliseconds
from app.domain.snapshot import take_snapshot
from app.domain.snapshot_bodies import SnapshotBody
from app.routers.file_views import AttachmentView
from app.routers.hold_views import HoldView, SameDataView, show_hold
from app.routers.models import Moment, View


class DeterminationView(View):
    """An emergency disclosure (CETS 224 art. 9): how far it came, and what was determined."""

    stage: Stage
    outcome: Outcome | None


class UnderWay(View):
    """An act of the requesting side whose fate is not known yet."""

    act_id: UUID
    action: str
    hold_id: UUID | None
    since: Moment


class ExchangeView(View):
    """An exchange: at the requested side the truth, at the requesting side the last snapshot and the acts under way.

    `same_data` are other open exchanges on the same data, `warnings` what is missing or doubtful in the document as it
    arrived and in the facts of an emergency raised since (those pointers lead into `details`); both are null at the
    requesting side and in lists.
    """

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
    determination: DeterminationView | None
    marking: MarkingBody
    details: SnapshotBody
    document: dict[str, Any]
    attachments: list[AttachmentView]
    not_understood: list[str]
    is_test: bool
    warnings: list[dict[str, Any]] | None
    same_data: list[SameDataView] | None


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


def show_exchange(
    record: ExchangeRecord, acts: list[ActRecord], *, allowed: list[str], seen: Standpoint, now: datetime
) -> ExchangeView:
    """One exchange as the duty desk of this node sees it."""
    value = record.value
    return ExchangeView(
        id=value.id,
        direction=record.direction,
        requesting=value.requesting,
        requested=value.requested,
        type=value.type,
        tier=value.tier,
        state=value.state,
        generation=value.generation,
        flags=_flags(record, seen, now),
        holds=[show_hold(hold, record, now=now) for hold in value.holds],
        is_test=record.is_test,
        warnings=None,
        same_data=None,
        under_way=[UnderWay(act_id=act.id, action=act.action, hold_id=act.hold_id, since=act.since) for act in acts],
        allowed_actions=allowed,
        request_reference=value.request_reference,
        request_id=record.request_id,
        opened_at=value.opened_at,
        changed_at=value.changed_at,
        b_reference=value.b_reference,
        next_update_at=value.next_update_at,
        instrument=value.instrument,
        determination=show_determination(value),
        marking=write_marking(value.marking),
        details=take_snapshot(value),
        document=record.document,
        attachments=[],
        not_understood=list(record.not_understood),
    )


def show_determination(value: Exchange) -> DeterminationView | None:
    """What was determined in an emergency; None for every other type."""
    stage = stage_of(value)
    return None if stage is None else DeterminationView(stage=stage, outcome=outcome_of(value))


def show_entry(serial: int, entry: Entry) -> TimelineEntry:
    """One line."""
    return TimelineEntry(
        id=serial, at=entry.at, party=entry.party, actor=entry.actor, event=entry.event, detail=dict(entry.detail)
    )


def _flags(record: ExchangeRecord, seen: Standpoint, now: datetime) -> list[str]:
    """What both sides see, and what this node works out for itself."""
    own = local_flags(record.value, seen, now=to_milliseconds(now))
    return [*map(str, record.value.flags), *map(str, own)]
