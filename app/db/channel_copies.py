"""Requests that also came, or went, on another road."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_directory import channel_copy as table
from app.domain.codes import Direction
from app.domain.directory_codes import OtherChannel

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class CopyRecord:
    """One copy. `exchange_id` once a person has said which exchange it is."""

    id: UUID
    peer: str
    direction: Direction
    channel: OtherChannel
    reference: str
    at: datetime
    note: str | None
    targets: list[dict[str, Any]]
    noted_at: datetime
    noted_by: UUID
    exchange_id: UUID | None = None
    linked_at: datetime | None = None
    linked_by: UUID | None = None


async def add(session: Session, record: CopyRecord) -> bool:
    """Note it; False, and nothing changed, if the reference is known on that road."""
    one = insert(table).values(**asdict(record)).on_conflict_do_nothing().returning(table.c.id)
    return (await session.execute(one)).one_or_none() is not None


async def load(session: ReadSession, copy_id: UUID, *, for_update: bool = False) -> CopyRecord | None:
    """One by its id."""
    query = select(table).where(table.c.id == copy_id)
    row = (await session.execute(query.with_for_update() if for_update else query)).one_or_none()
    return None if row is None else _record(row)


async def link(session: Session, record: CopyRecord) -> None:
    """Write who said which exchange a copy is."""
    said = {"exchange_id": record.exchange_id, "linked_at": record.linked_at, "linked_by": record.linked_by}
    await session.execute(update(table).where(table.c.id == record.id).values(**said))


async def page(session: ReadSession, *, limit: int, before: UUID | None = None) -> list[CopyRecord]:
    """Newest first."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.id < before)
    return [_record(row) for row in await session.execute(query)]


def _record(row: Any) -> CopyRecord:  # noqa: ANN401 - a row of the queries above
    columns = {name: getattr(row, name) for name in CopyRecord.__dataclass_fields__}
    return CopyRecord(**(columns | {"direction": Direction(row.direction), "channel": OtherChannel(row.channel)}))
