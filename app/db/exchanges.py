"""Exchanges as this node knows them: those it opened (a replica) and those opened towards it (the truth)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from app.db import holds
from app.db.tables_exchange import exchange as table
from app.db.tables_recovery import recovering_peer
from app.db.watched import look_now
from app.domain.codes import Direction, State
from app.domain.deadlines import Subject
from app.domain.exchange.shortfalls import lacks_power
from app.domain.exchange_record import read_record, write_record
from app.errors import Conflict, StorageInconsistent

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row

    from app.db.engine import ReadSession, Session
    from app.domain.exchange.values import Exchange


@dataclass(frozen=True, slots=True)
class ExchangeRecord:
    """One exchange with what only this node knows of it.

    `opening` is the body of the `exchange.open/1` as signed; `not_understood` points at members of messages that this
    release does not know. `undeliverable`: the delivery clock of an outgoing exchange ran out while it was DISPATCHED.
    `due_at`: when a timer that changes its state has to look at it; set at the requested node only.
    """

    value: Exchange
    direction: Direction
    request_id: UUID | None
    opening: dict[str, Any]
    not_understood: Sequence[str]
    undeliverable: bool
    delivery_due_at: datetime | None
    due_at: datetime | None
    created_at: datetime

    @property
    def peer(self) -> str:
        """The other contact point."""
        return self.value.requesting if self.direction is Direction.INCOMING else self.value.requested

    @property
    def is_replica(self) -> bool:
        """Whether the truth about it is at the other node."""
        return self.direction is Direction.OUTGOING

    @property
    def document(self) -> dict[str, Any]:
        """The request's document as signed; empty where only a telephone call has announced it."""
        found: dict[str, Any] = self.opening.get("document", {})
        return found

    @property
    def is_test(self) -> bool:
        """Whether it says of itself that it is not real."""
        return self.document.get("is_test") is True


_CLOSED = select(recovering_peer.c.peer).where(recovering_peer.c.done_at.is_(None))
"""Peers of whose exchanges this node, restored from a backup, does not know yet how they stand."""


def _record(row: Row[Any]) -> ExchangeRecord:
    return ExchangeRecord(
        value=read_record(row.body),
        direction=Direction(row.direction),
        request_id=row.request_id,
        opening=row.opening,
        not_understood=row.not_understood,
        undeliverable=row.undeliverable,
        delivery_due_at=row.delivery_due_at,
        due_at=row.due_at,
        created_at=row.created_at,
    )


def _columns(record: ExchangeRecord, now: datetime) -> dict[str, Any]:
    value = record.value
    return {
        # A call can be noted under another type than the opening turns out to have.
        "type": value.type,
        "tier": value.tier,
        "state": value.state,
        "generation": value.generation,
        "request_reference": value.request_reference,
        "opening": record.opening,
        "body": write_record(value),
        "not_understood": list(record.not_understood),
        "undeliverable": record.undeliverable,
        "delivery_due_at": record.delivery_due_at,
        "due_at": record.due_at,
        "no_power": lacks_power(value),
        "updated_at": now,
    }


async def add(session: Session, record: ExchangeRecord, *, now: datetime) -> None:
    """Insert the exchange and its holds.

    Raises Conflict `exchange_exists` if somebody else was first at this moment: the caller had looked, and there was
    none. Two may be, since the threads of one id with two peers are two rows to lock.
    """
    value = record.value
    result = await session.execute(
        insert(table)
        .values(
            id=value.id,
            direction=record.direction,
            requesting=value.requesting,
            requested=value.requested,
            request_id=record.request_id,
            created_at=record.created_at,
            **_columns(record, now),
        )
        .on_conflict_do_nothing(index_elements=[table.c.id])
        .add_cte(look_now(Subject.EXCHANGE, value.id, now=now))
    )
    if result.rowcount != 1:
        raise Conflict("exchange_exists", "There is an exchange of that id already.")
    await holds.replace_all(session, value, record.direction, now=now)


async def save(session: Session, record: ExchangeRecord, *, read_generation: int, now: datetime) -> None:
    """Write back what was read at `read_generation` under its row lock, holds included."""
    result = await session.execute(
        update(table)
        .where(table.c.id == record.value.id, table.c.generation == read_generation)
        .values(**_columns(record, now))
        .add_cte(look_now(Subject.EXCHANGE, record.value.id, now=now))
    )
    if result.rowcount != 1:
        raise StorageInconsistent("exchange_moved", "The exchange changed while its row was locked.")
    await holds.replace_all(session, record.value, record.direction, now=now)


async def load(session: ReadSession, exchange_id: UUID, *, for_update: bool = False) -> ExchangeRecord | None:
    """One exchange. A caller that will write locks its thread row first (see `db/threads.py`)."""
    query = select(table).where(table.c.id == exchange_id)
    row = (await session.execute(query.with_for_update() if for_update else query)).one_or_none()
    return None if row is None else _record(row)


async def load_many(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, ExchangeRecord]:
    """Those of these exchanges that exist, by id."""
    rows = await session.execute(select(table).where(table.c.id.in_(ids))) if ids else ()
    return {row.id: _record(row) for row in rows}


async def page(
    session: ReadSession,
    *,
    limit: int,
    before: UUID | None = None,
    direction: Direction | None = None,
    states: Collection[State] = (),
) -> list[ExchangeRecord]:
    """Newest here first, at most `limit`, older than `before`. A foreign node chose the id, so it orders nothing."""
    place = tuple_(table.c.created_at, table.c.id)
    query = select(table).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
    if before is not None:
        seen = select(table.c.created_at, table.c.id).where(table.c.id == before)
        query = query.where(place < seen.scalar_subquery())
    if direction is not None:
        query = query.where(table.c.direction == direction)
    if states:
        query = query.where(table.c.state.in_([str(state) for state in states]))
    return [_record(row) for row in await session.execute(query)]


async def due(session: ReadSession, now: datetime, *, limit: int) -> list[UUID]:
    """Exchanges of which a timer of this node (the requested one) has run out; none with a closed peer (ruling 22)."""
    query = select(table.c.id).where(
        table.c.due_at <= now, table.c.direction == Direction.INCOMING, table.c.requesting.not_in(_CLOSED)
    )
    return list((await session.execute(query.order_by(table.c.due_at).limit(limit))).scalars())


async def delivery_overdue(session: ReadSession, now: datetime, *, limit: int) -> list[UUID]:
    """Outgoing exchanges still DISPATCHED after their delivery clock, and not yet marked so."""
    query = select(table.c.id).where(
        table.c.delivery_due_at <= now,
        table.c.state == State.DISPATCHED,
        table.c.undeliverable.is_(False),
        table.c.requested.not_in(_CLOSED),
    )
    return list((await session.execute(query.order_by(table.c.delivery_due_at).limit(limit))).scalars())
