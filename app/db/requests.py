"""Requests of our own agencies: load, add, save (guarded by generation), pages for lists."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_domestic import request
from app.db.watched import look_now
from app.domain.codes import IntakeState, RequestType, Tier
from app.domain.deadlines import Subject
from app.domain.intake import DraftOrigin
from app.errors import StorageInconsistent

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Row

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One row: what an agency filed, and how far its own contact point has come with it."""

    id: UUID
    reference: str
    agency_id: str
    filed_by: UUID
    type: RequestType
    requested: str
    tier: Tier
    own_reference: str | None
    state: IntakeState
    generation: int
    document: dict[str, Any]
    warnings: list[dict[str, Any]]
    is_test: bool
    created_at: datetime
    updated_at: datetime
    approved_by: UUID | None = None
    declined_by: UUID | None = None
    signed_by: UUID | None = None
    approval: dict[str, Any] | None = None
    outcome: dict[str, Any] | None = None
    withdrawal_wished_at: datetime | None = None
    exchange_id: UUID | None = None
    triage_due_at: datetime | None = None
    draft_of: UUID | None = None
    origin: DraftOrigin | None = None
    case_id: UUID | None = None
    merged_into: UUID | None = None
    review_due_at: datetime | None = None
    reviewed_by: UUID | None = None


def _record(row: Row[Any]) -> RequestRecord:
    columns = dict(row._mapping)  # noqa: SLF001 - the public name of a row's mapping begins with an underscore
    columns |= {
        "type": RequestType(columns["type"]),
        "tier": Tier(columns["tier"]),
        "state": IntakeState(columns["state"]),
        "origin": None if columns["origin"] is None else DraftOrigin(columns["origin"]),
    }
    return RequestRecord(**columns)


async def add(session: Session, record: RequestRecord) -> bool:
    """Insert; False, and nothing done, if another request has this reference: draw another one."""
    statement = insert(request).values(**asdict(record)).on_conflict_do_nothing(index_elements=[request.c.reference])
    statement = statement.add_cte(look_now(Subject.REQUEST, record.id, now=record.updated_at))
    return (await session.execute(statement.returning(request.c.id))).one_or_none() is not None


async def load(
    session: ReadSession, key: UUID | str, *, agency_id: str | None = None, for_update: bool = False
) -> RequestRecord | None:
    """Find by id or reference; with `agency_id` only that agency's. None does not tell which of the two failed."""
    query = select(request).where(request.c.id == key if isinstance(key, UUID) else request.c.reference == key)
    if agency_id is not None:
        query = query.where(request.c.agency_id == agency_id)
    if for_update:
        query = query.with_for_update()
    row = (await session.execute(query)).one_or_none()
    return None if row is None else _record(row)


async def load_many(session: ReadSession, ids: Collection[UUID]) -> list[RequestRecord]:
    """Those of these requests that exist, oldest first."""
    if not ids:
        return []
    query = select(request).where(request.c.id.in_(ids)).order_by(request.c.id)
    return [_record(row) for row in await session.execute(query)]


async def merged_into(session: ReadSession, request_id: UUID) -> list[RequestRecord]:
    """Requests that joined the exchange of this one, oldest first."""
    query = select(request).where(request.c.merged_into == request_id).order_by(request.c.id)
    return [_record(row) for row in await session.execute(query)]


async def of_case(session: ReadSession, case_id: UUID, *, for_update: bool = False) -> list[RequestRecord]:
    """The requests of one case, in the order in which they were filed; locked in that order if they will change."""
    query = select(request).where(request.c.case_id == case_id).order_by(request.c.id)
    rows = await session.execute(query.with_for_update() if for_update else query)
    return [_record(row) for row in rows]


async def load_for_exchange(session: ReadSession, exchange_id: UUID) -> RequestRecord | None:
    """The request that opened an exchange; None for those opened towards us.

    Later ones ask for its extension, and those merged into it may even be older.
    """
    opened_it = (request.c.exchange_id == exchange_id, request.c.merged_into.is_(None))
    query = select(request).where(*opened_it).order_by(request.c.id).limit(1)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else _record(row)


async def save(session: Session, record: RequestRecord, *, read_generation: int) -> None:
    """Write back what was loaded at `read_generation`; the row was locked, so another generation is our own bug."""
    columns = asdict(record)
    del columns["id"]
    result = await session.execute(
        update(request)
        .where(request.c.id == record.id, request.c.generation == read_generation)
        .values(**columns)
        .add_cte(look_now(Subject.REQUEST, record.id, now=record.updated_at))
    )
    if result.rowcount != 1:
        raise StorageInconsistent("request_moved", "The request changed while its row was locked.")


async def page(
    session: ReadSession,
    *,
    limit: int,
    before: UUID | None = None,
    agency_id: str | None = None,
    states: Collection[IntakeState] = (),
) -> list[RequestRecord]:
    """Newest first (ids are time-ordered), at most `limit`, older than `before`."""
    query = select(request).order_by(request.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(request.c.id < before)
    if agency_id is not None:
        query = query.where(request.c.agency_id == agency_id)
    if states:
        query = query.where(request.c.state.in_([str(state) for state in states]))
    return [_record(row) for row in await session.execute(query)]
