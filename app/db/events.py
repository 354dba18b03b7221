"""The feed of events: complete and in one order, although transactions commit in another.

A row is handed out once every transaction that could still commit an earlier one has ended, that is when its `txid`
lies below the oldest transaction the reader's snapshot sees running. Order is `(txid, id)`; a position in the feed is
that pair. Numbers of transactions belong to one database cluster: a database that is dumped and loaded into another one
starts a new feed there (the rows of `event` are not carried over).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, and_, insert, or_, select, text, tuple_

from app.db.tables_access import event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.db.engine import ReadSession, Session

Member = str | int | None


@dataclass(frozen=True, slots=True)
class Event:
    """What changed: `kind` as `request.signed`, the thing it happened to, the agency that may see it.

    `data` holds ids and states, at most 1000 bytes of them.
    """

    kind: str
    subject_kind: str
    subject_id: str
    agency_id: str | None
    data: Mapping[str, Member]


class Position(NamedTuple):
    """A place in the feed, between two events."""

    txid: int
    id: int


START = Position(0, 0)


@dataclass(frozen=True, slots=True)
class Scope:
    """What one reader may see: everything, or one agency's events, or events of some kinds of subject."""

    everything: bool = False
    agency_id: str | None = None
    subject_kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of the feed, at its place."""

    position: Position
    at: datetime
    event: Event


async def append_event(session: Session, new: Event, *, now: datetime) -> None:
    """Add `new` at the end of the feed; readers see it after the commit."""
    await session.execute(
        insert(event).values(
            at=now,
            kind=new.kind,
            subject_kind=new.subject_kind,
            subject_id=new.subject_id,
            agency_id=new.agency_id,
            data=dict(new.data),
        )
    )


async def events_after(session: ReadSession, position: Position, *, scope: Scope, limit: int) -> Sequence[StoredEvent]:
    """At most `limit` events behind `position` that `scope` may see; none of which an earlier one can still precede."""
    rows = await session.execute(
        select(event)
        .where(tuple_(event.c.txid, event.c.id) > tuple_(position.txid, position.id), event.c.txid < _oldest_running())
        .where(_visible(scope))
        .order_by(event.c.txid, event.c.id)
        .limit(limit)
    )
    return [_stored(dict(row)) for row in rows.mappings()]


async def end_of_feed(session: ReadSession) -> Position:
    """The place behind everything that may be handed out now: where a reader starts who wants only what comes."""
    return Position((await session.execute(select(_oldest_running()))).scalar_one() - 1, MAX_ID)


MAX_ID = 2**63 - 1


def _oldest_running() -> ColumnElement[int]:
    return text("(pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")  # type: ignore[return-value] # one SQL expression


def _visible(scope: Scope) -> ColumnElement[bool]:
    if scope.everything:
        return event.c.id > 0
    own = event.c.agency_id == scope.agency_id if scope.agency_id is not None else None
    of_kind = and_(event.c.agency_id.is_(None), event.c.subject_kind.in_(sorted(scope.subject_kinds)))
    return of_kind if own is None else or_(own, of_kind)


def _stored(row: Mapping[str, Any]) -> StoredEvent:
    return StoredEvent(
        position=Position(row["txid"], row["id"]),
        at=row["at"],
        event=Event(
            kind=row["kind"],
            subject_kind=row["subject_kind"],
            subject_id=row["subject_id"],
            agency_id=row["agency_id"],
            data=row["data"],
        ),
    )
