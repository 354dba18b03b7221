"""Cases of our own agencies: what groups requests to several states. Their states are those of their requests."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from app.db.tables_domestic import case_file as table
from app.db.tables_domestic import request
from app.db.tables_exchange import exchange

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One row. `own_reference` and `title` are the agency's and stay at home."""

    id: UUID
    agency_id: str
    opened_by: UUID
    own_reference: str
    title: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CaseCount:
    """How many requests of a case are in this state, with an exchange in that one."""

    intake: str
    exchange: str | None
    requests: int


async def add(session: Session, record: CaseRecord) -> None:
    """Store a new case; its requests follow in the same transaction."""
    await session.execute(insert(table).values(**asdict(record)))


async def load(session: ReadSession, case_id: UUID, *, agency_id: str | None = None) -> CaseRecord | None:
    """One case; with `agency_id` only that agency's. None does not tell which of the two failed."""
    query = select(table).where(table.c.id == case_id)
    if agency_id is not None:
        query = query.where(table.c.agency_id == agency_id)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else CaseRecord(*row)


async def page(
    session: ReadSession, *, limit: int, before: UUID | None = None, agency_id: str | None = None
) -> list[CaseRecord]:
    """Newest first (ids are time-ordered), at most `limit`, older than `before`."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.id < before)
    if agency_id is not None:
        query = query.where(table.c.agency_id == agency_id)
    return [CaseRecord(*row) for row in await session.execute(query)]


async def counts(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, list[CaseCount]]:
    """How far the requests of these cases have come, in one query."""
    found: dict[UUID, list[CaseCount]] = {case_id: [] for case_id in ids}
    if not ids:
        return found
    grouped = (request.c.case_id, request.c.state, exchange.c.state)
    query = (
        select(*grouped, func.count())
        .select_from(request.outerjoin(exchange, exchange.c.id == request.c.exchange_id))
        .where(request.c.case_id.in_(ids))
        .group_by(*grouped)
    )
    for case_id, intake, shared, number in await session.execute(query):
        found[case_id].append(CaseCount(intake, shared, number))
    return found
