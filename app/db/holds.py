"""Holds as rows of their own, so that lists and clocks find them; the truth is the exchange they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_exchange import exchange
from app.db.tables_exchange import hold as table
from app.domain.holds import is_treaty_exception
from app.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session
    from app.domain.codes import Direction, HoldState
    from app.domain.exchange.values import Exchange


@dataclass(frozen=True, slots=True)
class HoldPlace:
    """Where a hold is found."""

    id: UUID
    exchange_id: UUID


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which holds: on which side, in which states as last written, and whether lifted before the treaty's term."""

    direction: Direction | None = None
    states: Collection[HoldState] = ()
    treaty_exception: bool | None = None


ALL = Wanted()


async def replace_all(session: Session, exchange: Exchange, direction: Direction, *, now: datetime) -> None:
    """Make the rows say what the exchange says. A hold never disappears from an exchange, so none is deleted.

    Raises Conflict `not_yours` for an id that belongs to another exchange.
    """
    for one in exchange.holds:
        values = {
            "direction": direction,
            "state": one.state,
            "preserved_at": one.preserved_at,
            "days_granted": one.days_granted,
            "expires_at": one.expires_at,
            "updated_at": now,
            # Whatever changed, the desk may have to be told: the timers look at the hold next.
            "look_at": now,
            "treaty_exception": is_treaty_exception(one),
        }
        statement = (
            insert(table)
            .values(id=one.id, exchange_id=exchange.id, **values)
            .on_conflict_do_update(index_elements=[table.c.id], set_=values, where=table.c.exchange_id == exchange.id)
            .returning(table.c.id)
        )
        if (await session.execute(statement)).one_or_none() is None:
            # The other node chose the id; it must not reach the hold of another exchange with it.
            raise Conflict("not_yours", "A hold of that id belongs to another exchange.")


async def find(session: ReadSession, hold_id: UUID) -> HoldPlace | None:
    """The exchange that a hold belongs to."""
    row = (await session.execute(select(table.c.id, table.c.exchange_id).where(table.c.id == hold_id))).one_or_none()
    return None if row is None else HoldPlace(row.id, row.exchange_id)


async def page(
    session: ReadSession,
    *,
    limit: int,
    before: UUID | None = None,
    wanted: Wanted = ALL,
) -> list[HoldPlace]:
    """Those of the newest exchanges here first, at most `limit`, beyond `before`."""
    both = table.join(exchange, exchange.c.id == table.c.exchange_id)
    order = (exchange.c.created_at, table.c.id)
    query = select(table.c.id, table.c.exchange_id).select_from(both)
    query = query.order_by(*(column.desc() for column in order)).limit(limit)
    if before is not None:
        seen = select(*order).select_from(both).where(table.c.id == before)
        query = query.where(tuple_(*order) < seen.scalar_subquery())
    if wanted.direction is not None:
        query = query.where(table.c.direction == wanted.direction)
    if wanted.states:
        query = query.where(table.c.state.in_([str(state) for state in wanted.states]))
    if wanted.treaty_exception is not None:
        query = query.where(table.c.treaty_exception == wanted.treaty_exception)
    return [HoldPlace(row.id, row.exchange_id) for row in await session.execute(query)]


async def to_look_at(session: ReadSession, now: datetime, *, limit: int) -> list[HoldPlace]:
    """Holds of which there may be something to tell this node's desk, longest due first."""
    query = select(table.c.id, table.c.exchange_id).where(table.c.look_at <= now).order_by(table.c.look_at)
    return [HoldPlace(row.id, row.exchange_id) for row in await session.execute(query.limit(limit))]


async def look_again(session: Session, hold_id: UUID, *, at: datetime | None) -> None:
    """When next, if nothing changes before."""
    await session.execute(update(table).where(table.c.id == hold_id).values(look_at=at))
