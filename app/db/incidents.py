"""Incidents told to other contact points, and by them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.placing import Place, newest_first
from app.db.tables_directory import incident as table
from app.domain.codes import Direction

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """One incident as it was told to one peer, or by one. `exchanges` are those that both sides share.

    `over_at`, `over_note`: since when it is over, and why it can be said so.
    """

    id: UUID
    peer: str
    direction: Direction
    discovered_at: datetime
    told_at: datetime
    what: str
    mitigations: str
    contact: str
    exchanges: list[UUID]
    limit_onward: bool
    over_at: datetime | None = None
    over_note: str | None = None


async def add(session: Session, record: IncidentRecord) -> bool:
    """Note it; False, and nothing changed, if it is known."""
    one = insert(table).values(**asdict(record)).on_conflict_do_nothing().returning(table.c.id)
    return (await session.execute(one)).one_or_none() is not None


async def load(session: ReadSession, incident_id: UUID, *, peer: str | None = None) -> IncidentRecord | None:
    """One by its id, locked; where two peers chose the same one, of those that are not over the newest."""
    query = select(table).where(table.c.id == incident_id)
    if peer is not None:
        query = query.where(table.c.peer == peer, table.c.direction == Direction.INCOMING)
    query = query.order_by(table.c.over_at.is_(None).desc(), table.c.told_at.desc(), table.c.peer).limit(1)
    row = (await session.execute(query.with_for_update())).one_or_none()
    return None if row is None else _record(row)


async def end(session: Session, record: IncidentRecord) -> None:
    """Write since when it is over, and why."""
    this = (table.c.peer == record.peer) & (table.c.direction == record.direction) & (table.c.id == record.id)
    await session.execute(update(table).where(this).values(over_at=record.over_at, over_note=record.over_note))


async def touched_still(session: ReadSession, ids: Collection[UUID]) -> set[UUID]:
    """Those of these exchanges that an incident touches which is not over."""
    touching = select(table.c.exchanges).where(table.c.over_at.is_(None), table.c.exchanges.overlap(list(ids)))
    found = {one for listed in await session.scalars(touching) for one in listed}
    return found & set(ids)


def touches(exchange_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that an incident which is not over touches this exchange: what belongs to it is evidence."""
    return exists().where(table.c.over_at.is_(None), exchange_id == func.any(table.c.exchanges))


def concerns(peer: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that an incident which is not over was told to this contact point, or by it."""
    return exists().where(table.c.over_at.is_(None), table.c.peer == peer)


async def page(session: ReadSession, *, limit: int, before: Place | None = None) -> list[IncidentRecord]:
    """Those told last, of both directions."""
    query = newest_first(select(table), table, at=table.c.told_at, before=before).limit(limit)
    return [_record(row) for row in await session.execute(query)]


def _record(row: Any) -> IncidentRecord:  # noqa: ANN401 - a row of the query above
    columns = {name: getattr(row, name) for name in IncidentRecord.__dataclass_fields__}
    return IncidentRecord(**(columns | {"direction": Direction(row.direction), "exchanges": list(row.exchanges)}))
