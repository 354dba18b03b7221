"""Files being handed over: begun, grown piece by piece, judged when whole, and cleared once they are sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, or_, select, update

from app.db.incidents import touches
from app.db.tables_domestic import request
from app.db.tables_uploads import UploadState, upload, upload_piece
from app.domain.marking_bodies import store_marking, stored_marking

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement

    from app.db.engine import ReadSession, Session
    from app.domain.markings import Marking


@dataclass(frozen=True, slots=True)
class Case:
    """What a file belongs to: a request that has not left, or an exchange."""

    request_id: UUID | None = None
    exchange_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """One row. `sha256` in base64url; `media_type` once judged by the content; `marking` if it was given its own."""

    id: UUID
    request_id: UUID | None
    exchange_id: UUID | None
    person_id: UUID
    name: str
    declared_type: str | None
    media_type: str | None
    size: int
    sha256: str
    received: int
    state: UploadState
    fault: str | None
    created_at: datetime
    whole_at: datetime | None = None
    marking: Marking | None = None


async def add(session: Session, record: UploadRecord) -> None:
    """Note that a file is going to come."""
    await session.execute(insert(upload).values(**_columns(record)))


async def load(session: ReadSession, upload_id: UUID, *, for_update: bool = False) -> UploadRecord | None:
    """One by its id."""
    query = select(upload).where(upload.c.id == upload_id)
    found = (await session.execute(query.with_for_update() if for_update else query)).one_or_none()
    return None if found is None else _record(found)


async def of_case(session: ReadSession, case: Case, *, for_update: bool = False) -> list[UploadRecord]:
    """All of a request or an exchange, the oldest first."""
    query = select(upload).where(_of(case)).order_by(upload.c.created_at, upload.c.id)
    return [_record(row) for row in await session.execute(query.with_for_update() if for_update else query)]


async def lock_unfinished(session: Session, *, before: datetime, limit: int) -> list[UploadRecord]:
    """Lock files announced before then that are not whole; one whose next piece is being kept is passed over.

    So are those of an exchange under an incident: nothing of it is deleted by age.
    """
    mine = (upload.c.state == UploadState.UPLOADING) & (upload.c.created_at < before)
    # Said in words: inside another subquery it would otherwise be asked of every upload at once.
    left = select(request.c.exchange_id).where(request.c.id == upload.c.request_id).correlate(upload)
    evidence = or_(touches(upload.c.exchange_id), touches(left.scalar_subquery()))
    query = select(upload).where(mine, ~evidence).order_by(upload.c.id).limit(limit).with_for_update(skip_locked=True)
    return [_record(row) for row in await session.execute(query)]


async def count_and_size(session: ReadSession, case: Case) -> tuple[int, int]:
    """How many files a case has announced, and their bytes together."""
    query = select(func.count(), func.coalesce(func.sum(upload.c.size), 0)).where(_of(case))
    count, size = (await session.execute(query)).one()
    return int(count), int(size)


async def add_piece(session: Session, record: UploadRecord, content: bytes) -> None:
    """Keep the next piece of a locked upload."""
    await session.execute(insert(upload_piece).values(upload_id=record.id, start=record.received, content=content))


async def save(session: Session, record: UploadRecord) -> None:
    """Write back what was loaded for update."""
    columns = _columns(record)
    del columns["id"]
    await session.execute(update(upload).where(upload.c.id == record.id).values(**columns))


async def content(session: ReadSession, upload_id: UUID) -> bytes:
    """The whole of it as far as it has come; of our own files only, which have a limit."""
    query = select(upload_piece.c.content).where(upload_piece.c.upload_id == upload_id).order_by(upload_piece.c.start)
    return b"".join((await session.scalars(query)).all())


async def drop_pieces(session: Session, upload_id: UUID) -> None:
    """Forget the content: it is wrong, or it is kept as chunks now."""
    await session.execute(delete(upload_piece).where(upload_piece.c.upload_id == upload_id))


async def drop(session: Session, upload_id: UUID) -> None:
    """Forget it altogether."""
    await session.execute(delete(upload).where(upload.c.id == upload_id))


def _of(case: Case) -> ColumnElement[bool]:
    if case.request_id is not None:
        return upload.c.request_id == case.request_id
    return upload.c.exchange_id == case.exchange_id


def _columns(record: UploadRecord) -> dict[str, Any]:
    return asdict(record) | {"marking": store_marking(record.marking)}


def _record(row: Any) -> UploadRecord:  # noqa: ANN401 - a row of the query above
    columns = {name: getattr(row, name) for name in UploadRecord.__dataclass_fields__}
    columns |= {"state": UploadState(row.state), "marking": stored_marking(row.marking)}
    return UploadRecord(**columns)
