"""Providers as this contact point knows them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select, update

from app.db.tables_directory import provider as table

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class ProviderRecord:
    """One provider; `entry` is the JSON of `domain.providers.ProviderEntry`."""

    id: UUID
    country: str
    legal_name: str
    entry: dict[str, Any]
    generation: int
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None = None


async def add(session: Session, record: ProviderRecord) -> None:
    """A new one."""
    await session.execute(insert(table).values(**asdict(record)))


async def load(session: ReadSession, provider_id: UUID, *, for_update: bool = False) -> ProviderRecord | None:
    """One by its id, also a retired one."""
    query = select(table).where(table.c.id == provider_id)
    row = (await session.execute(query.with_for_update() if for_update else query)).one_or_none()
    return None if row is None else _record(row)


async def save(session: Session, record: ProviderRecord) -> None:
    """Write back what was loaded for update."""
    columns = asdict(record)
    del columns["id"]
    await session.execute(update(table).where(table.c.id == record.id).values(**columns))


async def page(
    session: ReadSession, *, limit: int, before: UUID | None = None, country: str | None = None
) -> list[ProviderRecord]:
    """Those in use, newest first."""
    query = select(table).where(table.c.retired_at.is_(None)).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.id < before)
    if country is not None:
        query = query.where(table.c.country == country)
    return [_record(row) for row in await session.execute(query)]


async def named(session: ReadSession, names: Collection[str]) -> list[ProviderRecord]:
    """Those in use with one of these as legal name or brand, whatever the case."""
    if not names:
        return []
    wanted = [name.casefold() for name in names]
    brand = func.jsonb_array_elements_text(table.c.entry["brands"]).column_valued("brand")
    branded = select(brand).where(func.lower(brand).in_(wanted)).exists()
    query = select(table).where(table.c.retired_at.is_(None), or_(func.lower(table.c.legal_name).in_(wanted), branded))
    return [_record(row) for row in await session.execute(query.order_by(table.c.id))]


def _record(row: Any) -> ProviderRecord:  # noqa: ANN401 - a row of the queries above
    return ProviderRecord(**{name: getattr(row, name) for name in ProviderRecord.__dataclass_fields__})
