"""An exchange as this node stores it: the snapshot, and beside it what no snapshot carries."""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.codes import DataCategory, Instrument, RefusalGround
from app.domain.exchange.values import Asked, Exchange, Private, ProposedRefusal
from app.domain.exchange_codes import LiftReason
from app.domain.holds import ProposedLift
from app.domain.marking_bodies import MarkingBody, read_marking
from app.domain.moments import Instant
from app.domain.snapshot import read_snapshot, take_snapshot
from app.domain.snapshot_bodies import SnapshotBody
from app.domain.wire import Closed

if TYPE_CHECKING:
    from collections.abc import Mapping


class AskedRecord(Closed):
    """`Asked`, stored."""

    targets: int
    articles: tuple[str, ...]
    requested_days: int | None = None
    instruments: tuple[Instrument, ...]
    categories: tuple[DataCategory, ...] = ()
    mla_planned_on: date | None = None
    mla_intended: bool
    marking: MarkingBody | None = None
    offered: UUID | None = None


class ProposedRefusalRecord(Closed):
    """`ProposedRefusal`, stored."""

    by: UUID
    code: RefusalGround
    reasons: str
    instrument: Instrument
    at: Instant
    reservation_id: str | None = None
    alternatives: str | None = None


class ProposedLiftRecord(Closed):
    """`ProposedLift`, stored."""

    by: UUID
    reason: LiftReason
    at: Instant


class ExchangeRecord(Closed):
    """The whole stored value."""

    snapshot: SnapshotBody
    asked: AskedRecord
    proposed_refusal: ProposedRefusalRecord | None = None
    withdrawal_waiting: bool
    withdrawn_at_birth: UUID | None = None
    proposed_lifts: dict[UUID, ProposedLiftRecord]


def write_record(exchange: Exchange) -> dict[str, Any]:
    """The JSON to store; `read_record` gives back an equal exchange."""
    proposed = exchange.private.proposed_refusal
    record = ExchangeRecord(
        snapshot=take_snapshot(exchange),
        asked=AskedRecord.model_validate(asdict(exchange.asked), strict=False),
        proposed_refusal=None if proposed is None else ProposedRefusalRecord(**asdict(proposed)),
        withdrawal_waiting=exchange.private.withdrawal_waiting,
        withdrawn_at_birth=exchange.private.withdrawn_at_birth,
        proposed_lifts={
            hold.id: ProposedLiftRecord(**asdict(hold.proposed_lift))
            for hold in exchange.holds
            if hold.proposed_lift is not None
        },
    )
    return record.model_dump(mode="json", exclude_none=True)


def read_record(stored: Mapping[str, Any]) -> Exchange:
    """The exchange that `write_record` wrote; pydantic's ValidationError if the stored JSON is not one."""
    record = ExchangeRecord.model_validate(stored, strict=False)
    asked = Asked(**_members(record.asked, Asked) | {"marking": read_marking(record.asked.marking)})
    exchange = read_snapshot(record.snapshot, asked=asked)
    lifts = {hold_id: ProposedLift(**_members(lift, ProposedLift)) for hold_id, lift in record.proposed_lifts.items()}
    proposed = record.proposed_refusal
    return replace(
        exchange,
        holds=tuple(replace(hold, proposed_lift=lifts.get(hold.id)) for hold in exchange.holds),
        private=Private(
            proposed_refusal=None if proposed is None else ProposedRefusal(**_members(proposed, ProposedRefusal)),
            withdrawal_waiting=record.withdrawal_waiting,
            withdrawn_at_birth=record.withdrawn_at_birth,
        ),
    )


def _members(record: Closed, kind: type[Asked | ProposedRefusal | ProposedLift]) -> dict[str, Any]:
    return {member.name: getattr(record, member.name) for member in fields(kind)}
