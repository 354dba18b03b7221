"""The bodies that travel between contact points: structure, types and sizes; completeness and law are not checked here.

`app.domain.message_reading` reads them: members that we do not know are kept and shown, never an error (ruling 19).
"""

# ruff: noqa: TC001 - pydantic reads the annotations at run time

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from app.domain.acts import ExchangeAct
from app.domain.codes import Fate, Instrument, MessageType, ReceiptStatus, RequestType, Tier
from app.domain.delivery_messages import Files
from app.domain.exchange_codes import ConditionKind
from app.domain.hold_acts import HoldAct
from app.domain.marking_bodies import MarkingBody
from app.domain.moments import Instant
from app.domain.snapshot_bodies import SnapshotBody
from app.domain.wire import MAX_WIRE_TEXT, Code, Open, WireLine, WireText

MAX_RECEIPTS = 1_000
"""Receipts in one `receipt/1`; a larger batch is sent as several."""

MAX_FATES = 10_000
"""Acts of the other side in one thread."""

Sequence = Annotated[int, Field(ge=1, le=2**53 - 1)]
Jti = UUID
InnerHash = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]


class OfferedConditionBody(Open):
    """The condition under which spontaneous information would be given (art. 26(2))."""

    id: UUID
    kind: ConditionKind
    text: WireText


class BasisBody(Open):
    """The instrument on which the requesting side rests its request; the other one accepts it or another one."""

    instrument: Instrument
    articles: Annotated[tuple[WireLine, ...], Field(max_length=10)] = ()


class OpenBody(Open):
    """`exchange.open/1`: the request itself. The exchange's id is the thread of the envelope."""

    type: RequestType
    tier: Tier
    requesting: Code
    requested: Code
    request_reference: WireLine
    opened_at: Instant
    document: dict[str, Any]
    basis: BasisBody | None = None
    marking: MarkingBody | None = None
    condition: OfferedConditionBody | None = None
    attachments: Files | None = None


class ActionBody(Open):
    """`exchange.action/1`: what the requesting side wishes, and when its officer said so; files it adds."""

    act: ExchangeAct
    at: Instant
    marking: MarkingBody | None = None
    attachments: Files | None = None


class HoldActionBody(Open):
    """`hold.action/1`: the same about one hold."""

    hold_id: UUID
    act: HoldAct
    at: Instant
    marking: MarkingBody | None = None


class FateBody(Open):
    """What became of one message of the other side."""

    jti: Jti
    fate: Fate
    code: WireLine | None = None


class StateBody(Open):
    """`exchange.state/1`: how it stands, the other side's highest sequence number consumed, the fates of its acts.

    `attachments` are files added since the state before; a snapshot replaces the one before it, files add up.
    """

    snapshot: SnapshotBody
    answers: Annotated[tuple[FateBody, ...], Field(max_length=MAX_FATES)] = ()
    consumed: Annotated[int, Field(ge=0, le=2**53 - 1)]
    attachments: Files | None = None


class ReceiptEntry(Open):
    """What the receiving node did with the bytes of one envelope; it says nothing about what a person did."""

    jti: Jti
    copy_number: Annotated[int, Field(ge=1, le=2**31 - 1, alias="copy")]
    inner_hash: InnerHash
    status: ReceiptStatus
    reason: WireLine | None = None
    received_at: Instant
    missing: Annotated[tuple[Sequence, ...], Field(max_length=1_000)] | None = None


class ReceiptBody(Open):
    """`receipt/1`: always a list."""

    receipts: Annotated[tuple[ReceiptEntry, ...], Field(min_length=1, max_length=MAX_RECEIPTS)]


class VoidBody(Open):
    """`void/1`: fills a sequence number whose text nobody holds any more; the envelope carries the number."""

    reason: Annotated[str, StringConstraints(max_length=MAX_WIRE_TEXT)] | None = None


def known_message(message_type: str) -> MessageType | None:
    """The type, or None for one that we cannot read: its message is quarantined, visibly, and stops its own thread."""
    try:
        return MessageType(message_type)
    except ValueError:
        return None


def write_body(body: Open) -> dict[str, Any]:
    """The JSON of a body of ours, the same for the same body; members without a value are left out."""
    return body.model_dump(mode="json", by_alias=True, exclude_none=True)
