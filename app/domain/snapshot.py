"""Exchange → snapshot → exchange, without loss of anything that both sides must show alike (domain.md 6.11).

What the requested side keeps to itself has no member in the snapshot: a refusal or a lifting that only one person has
signed, and who signed anything. What both sides read in the request's document (`asked`) is not repeated.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from app.domain.emergency_facts import read_emergency
from app.domain.exchange.onward_values import Confirmation, OnwardTransfer, UseQuestion
from app.domain.exchange.values import (
    Answer,
    Asked,
    Condition,
    Exchange,
    Hop,
    LateFact,
    OralRequest,
    Private,
    Progress,
    Question,
    Referral,
    Supplement,
    TargetResult,
    TierChange,
    TrafficPath,
)
from app.domain.holds import Extension, ExtensionWish, Hold, Mla
from app.domain.marking_bodies import read_marking
from app.domain.snapshot_bodies import HoldBody, SnapshotBody, TrafficPathBody
from app.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from _typeshed import DataclassInstance

    from app.domain.wire import Open

    Value = TypeVar("Value", bound=DataclassInstance)

_LISTS: dict[str, type[DataclassInstance]] = {
    "accepted_conditions": Condition,
    "results": TargetResult,
    "progress": Progress,
    "supplements": Supplement,
    "late_facts": LateFact,
    "onward_transfers": OnwardTransfer,
    "use_questions": UseQuestion,
}
"""Members of the snapshot that are lists of flat values."""

_SINGLES: dict[str, type[DataclassInstance]] = {
    "question": Question,
    "condition": Condition,
    "referred_to": Referral,
    "oral": OralRequest,
    "confirmation": Confirmation,
}
"""Members that are one flat value or none."""


def public_view(exchange: Exchange) -> Exchange:
    """The exchange without what stays at the requested side: exactly what a snapshot can carry."""
    holds = tuple(replace(hold, proposed_lift=None) for hold in exchange.holds)
    return replace(exchange, holds=holds, private=Private())


def take_snapshot(exchange: Exchange) -> SnapshotBody:
    """What `exchange.state/1` says of the exchange; the same exchange gives the same snapshot, byte for byte."""
    return SnapshotBody.model_validate(exchange, strict=False, from_attributes=True)


def read_snapshot(snapshot: SnapshotBody, *, asked: Asked) -> Exchange:
    """The exchange that a snapshot shows; `asked` comes from the request's document, which both sides have."""
    members: dict[str, Any] = {name: getattr(snapshot, name) for name in _flat_members()}
    members |= {name: _all_of(kind, getattr(snapshot, name)) for name, kind in _LISTS.items()}
    members |= {name: _one_of(kind, getattr(snapshot, name)) for name, kind in _SINGLES.items()}
    members["holds"] = tuple(_hold(hold, snapshot.id) for hold in snapshot.holds)
    members["traffic_paths"] = tuple(_traffic_path(path) for path in snapshot.traffic_paths)
    members["files_marking"] = read_marking(snapshot.files_marking)
    members["tier_changes"] = tuple(
        _value(TierChange, one, emergency=read_emergency(one.emergency)) for one in snapshot.tier_changes
    )
    members["answers"] = tuple(_value(Answer, one, marking=read_marking(one.marking)) for one in snapshot.answers)
    return Exchange(**members, asked=asked)


def adopt(replica: Exchange, snapshot: SnapshotBody) -> Exchange:
    """What the requesting side shows after this snapshot: it, or the replica if that is of a later generation.

    What the requesting side said itself (its reference, when it asked) stays as it said it, and a hold once shown stays
    listed: another node can end it, not unsay it.

    Raises Conflict `not_yours` if the snapshot speaks of another exchange, other parties or another type.
    """
    same = (replica.id, replica.requesting, replica.requested, replica.type)
    if same != (snapshot.id, snapshot.requesting, snapshot.requested, snapshot.type):
        raise Conflict("not_yours", "the snapshot is not of this exchange")
    if snapshot.generation < replica.generation:
        return replica
    told = read_snapshot(snapshot, asked=replica.asked)
    listed = {hold.id for hold in told.holds}
    unsaid = tuple(hold for hold in replica.holds if hold.id not in listed)
    return replace(
        told,
        request_reference=replica.request_reference,
        opened_at=replica.opened_at,
        holds=(*told.holds, *unsaid),
    )


def _flat_members() -> tuple[str, ...]:
    built = {"holds", "traffic_paths", "tier_changes", "answers", "files_marking"}
    elsewhere = {*_LISTS, *_SINGLES, *built, "asked", "private"}
    return tuple(member.name for member in fields(Exchange) if member.name not in elsewhere)


def _one_of(kind: type[Value], body: Open | None) -> Value | None:
    return None if body is None else _value(kind, body)


def _all_of(kind: type[Value], bodies: Iterable[Open]) -> tuple[Value, ...]:
    return tuple(_value(kind, body) for body in bodies)


def _value(kind: type[Value], body: Open, **changed: Any) -> Value:  # noqa: ANN401 - members of any value
    members = {member.name: getattr(body, member.name) for member in fields(kind) if member.name not in changed}
    return kind(**members, **changed)


def _traffic_path(body: TrafficPathBody) -> TrafficPath:
    return _value(TrafficPath, body, path=_all_of(Hop, body.path), marking=read_marking(body.marking))


def _hold(body: HoldBody, exchange_id: UUID) -> Hold:
    return _value(
        Hold,
        body,
        exchange_id=exchange_id,
        proposed_lift=None,
        mla=_value(Mla, body.mla),
        extension_wish=_one_of(ExtensionWish, body.extension_wish),
        extensions=_all_of(Extension, body.extensions),
    )
