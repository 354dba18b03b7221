"""One record per message and moment it was queued or received here: how its way went. Never what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal, null, select

from app.db.tables_delivery import inbox, outbox, publication
from app.domain.codes import Direction, MessageType

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Select

    from app.db.engine import ReadSession

WITHOUT_RECORD = (MessageType.RECEIPT.value, MessageType.HEARTBEAT.value)
"""Receipts are told of in the record of what they receipt; heartbeats under `peers`."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which records: from `start` on and before `end`, by the moment they were queued or received here."""

    start: datetime
    end: datetime
    peer: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The way of one message. `at` is when it was queued here, or its first copy received here.

    Outgoing: `published_at`, `confirmed_at` of the first copy, `receipted_at` when the peer's signed receipt was
    known. Incoming: `processed_at` when it had its effect, or ended without one. `fault_code` is the peer's word, or
    ours, for what is not simply so.
    """

    message_id: UUID
    direction: Direction
    peer: str
    type: str
    lane: str
    at: datetime
    published_at: datetime | None
    confirmed_at: datetime | None
    receipted_at: datetime | None
    processed_at: datetime | None
    text_bytes: int | None
    copies: int
    duplicates: int
    status: str | None
    fault_code: str | None


async def records(session: ReadSession, window: Window, *, limit: int) -> list[Record]:
    """Return the first `limit` records of the window in order of time, and all others of the last one's moment.

    So the window behind the last moment is exactly what is left, however many messages share a moment.
    """
    found: list[Record] = []
    for query in (_outgoing(window), _incoming(window)):
        rows = (await session.execute(query.fetch(limit, with_ties=True))).mappings()
        found += [Record(**{**row, "direction": Direction(row["direction"])}) for row in rows]
    found.sort(key=lambda one: (one.at, one.message_id))
    last = found[limit - 1].at if len(found) > limit else window.end
    return [one for one in found if one.at <= last]


def _outgoing(window: Window) -> Select[Any]:
    copies = select(
        func.min(publication.c.began_at).label("published_at"),
        func.min(publication.c.confirmed_at).label("confirmed_at"),
    ).where(publication.c.outbox_id == outbox.c.id)
    first = copies.lateral("first")
    query = (
        select(
            outbox.c.jti.label("message_id"),
            literal(Direction.OUTGOING.value).label("direction"),
            outbox.c.peer,
            outbox.c.type,
            func.coalesce(outbox.c.published_lane, outbox.c.lane).label("lane"),
            outbox.c.created_at.label("at"),
            first.c.published_at,
            first.c.confirmed_at,
            outbox.c.receipted_at,
            null().label("processed_at"),
            func.octet_length(outbox.c.jws).label("text_bytes"),
            outbox.c.copy.label("copies"),
            literal(0).label("duplicates"),
            outbox.c.receipt_status.label("status"),
            func.coalesce(outbox.c.receipt_reason, outbox.c.trouble).label("fault_code"),
        )
        .select_from(outbox.join(first, literal(value=True)))
        .where(outbox.c.created_at >= window.start, outbox.c.created_at < window.end)
        .where(outbox.c.type.not_in(WITHOUT_RECORD))
        .order_by(outbox.c.created_at)
    )
    return query if window.peer is None else query.where(outbox.c.peer == window.peer)


def _incoming(window: Window) -> Select[Any]:
    query = (
        select(
            inbox.c.jti.label("message_id"),
            literal(Direction.INCOMING.value).label("direction"),
            inbox.c.iss.label("peer"),
            inbox.c.type,
            inbox.c.lane,
            inbox.c.received_at.label("at"),
            null().label("published_at"),
            null().label("confirmed_at"),
            null().label("receipted_at"),
            inbox.c.applied_at.label("processed_at"),
            func.octet_length(inbox.c.jws).label("text_bytes"),
            inbox.c.copy.label("copies"),
            inbox.c.duplicates,
            inbox.c.state.label("status"),
            inbox.c.code.label("fault_code"),
        )
        .where(inbox.c.received_at >= window.start, inbox.c.received_at < window.end)
        .where(inbox.c.type.not_in(WITHOUT_RECORD))
        .order_by(inbox.c.received_at)
    )
    return query if window.peer is None else query.where(inbox.c.iss == window.peer)
