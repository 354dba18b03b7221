"""Incidents told to other contact points, and by them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_directory import incident as table
from app.domain.codes import Direction

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """One incident as it was told to one peer, or by one. `exchanges` are those that both sides share."""

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


async def add(session: Session, record: IncidentRecord) -> bool:
    """Note it; False, and nothing changed, if it is known."""
    one = insert(table).values(**asdict(record)).on_conflict_do_nothing().returning(table.c.id)
    return (await session.execute(one)).one_or_none() is not None


async def newest(session: ReadSession, *, limit: int) -> list[IncidentRecord]:
    """Those told last, of both directions."""
    query = select(table).order_by(table.c.told_at.desc(), table.c.id, table.c.peer).limit(limit)
    return [_record(row) for row in await session.execute(query)]


def _record(row: Any) -> IncidentRecord:  # noqa: ANN401 - a row of the query above
    columns = {name: getattr(row, name) for name in IncidentRecord.__dataclass_fields__}
    return IncidentRecord(**(columns | {"direction": Direction(row.direction), "exchanges": list(row.exchanges)}))
