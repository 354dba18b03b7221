"""The requesting side's own acts: under way until the requested node has said what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from app.db.tables_exchange import act as table
from app.domain.codes import Fate

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class ActRecord:
    """One act. Its id is the `jti` of the message that carries it."""

    id: UUID
    exchange_id: UUID
    hold_id: UUID | None
    action: str
    body: dict[str, Any]
    person_id: UUID
    since: datetime
    fate: Fate | None = None
    code: str | None = None
    fate_at: datetime | None = None


def _record(row: Row[Any]) -> ActRecord:
    return ActRecord(
        id=row.id,
        exchange_id=row.exchange_id,
        hold_id=row.hold_id,
        action=row.action,
        body=row.body,
        person_id=row.person_id,
        since=row.since,
        fate=None if row.fate is None else Fate(row.fate),
        code=row.code,
        fate_at=row.fate_at,
    )


async def add(session: Session, record: ActRecord) -> None:
    """Store an act that has just been queued."""
    await session.execute(
        insert(table).values(
            id=record.id,
            exchange_id=record.exchange_id,
            hold_id=record.hold_id,
            action=record.action,
            body=record.body,
            person_id=record.person_id,
            since=record.since,
        )
    )


async def under_way(session: ReadSession, exchanges: Collection[UUID]) -> list[ActRecord]:
    """Acts without a fate, oldest first."""
    query = select(table).where(table.c.exchange_id.in_(exchanges), table.c.fate.is_(None)).order_by(table.c.since)
    return [_record(row) for row in await session.execute(query)]


async def end(session: Session, act_id: UUID, *, fate: Fate, code: str | None, now: datetime) -> ActRecord | None:
    """Give an act its fate, once; None if there is no such act or its fate was known."""
    statement = (
        update(table)
        .where(table.c.id == act_id, table.c.fate.is_(None))
        .values(fate=fate, code=code, fate_at=now)
        .returning(table)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else _record(row)
