"""Files that messages name, and their chunks as they travel: encrypted, on both sides, as long as the case is kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast, func, literal, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.dialects.postgresql import insert

from app.db.incidents import concerns
from app.db.tables_delivery import outbox
from app.db.tables_files import FileState, attachment, attachment_chunk
from app.domain.codes import Direction
from app.domain.marking_bodies import store_marking, stored_marking

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Select

    from app.db.engine import ReadSession, Session
    from app.domain.markings import Marking


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file as the message that names it describes it. `queued` counts the chunks of ours put into the outbox.

    `marking` is None for files named before they bore one: they bear that of their exchange.
    """

    id: UUID
    peer: str
    direction: Direction
    exchange_id: UUID
    name: str
    media_type: str
    size: int
    sha256: str
    key: bytes
    chunks: int
    queued: int
    state: FileState
    created_at: datetime
    marking: Marking | None = None

    @property
    def thread(self) -> str:
        """The thread of its chunks."""
        return f"att:{self.id}"


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """One chunk; `named`: whether a message had named its file when it was stored."""

    peer: str
    file_id: UUID
    number: int
    chunks: int
    ciphertext: bytes
    stored_at: datetime
    named: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file has come: of an incoming one the chunks that are here, of an outgoing one those that are there."""

    file: NamedFile
    arrived: int


_COLUMNS = tuple(attachment.c[name] for name in NamedFile.__dataclass_fields__)
_THREAD = literal("att:", Text) + cast(attachment.c.id, Text)


async def add(session: Session, file: NamedFile) -> bool:
    """Note a named file; False, and nothing changed, if its id is known."""
    columns = asdict(file) | {"marking": store_marking(file.marking)}
    one = insert(attachment).values(**columns).on_conflict_do_nothing().returning(attachment.c.id)
    return (await session.execute(one)).one_or_none() is not None


async def load(session: ReadSession, file_id: UUID) -> NamedFile | None:
    """One file by its id."""
    found = await _load(session, select(*_COLUMNS).where(attachment.c.id == file_id))
    return found[0] if found else None


async def of_exchange(session: ReadSession, exchange_id: UUID, *, direction: Direction) -> list[NamedFile]:
    """The files of an exchange that one side has brought, the oldest first."""
    mine = (attachment.c.exchange_id == exchange_id) & (attachment.c.direction == direction)
    return await _load(session, select(*_COLUMNS).where(mine).order_by(attachment.c.created_at, attachment.c.id))


async def received_like(session: ReadSession, sha256: str, *, from_others_than: str) -> list[NamedFile]:
    """Whole files of this content that other contact points than this one gave us, the oldest first.

    What we had sent to its giver ourselves before is ours, and what is empty is nobody's.
    """
    ours = attachment.alias("ours")
    sent_before = (
        select(ours.c.id)
        .where(ours.c.sha256 == attachment.c.sha256, ours.c.peer == attachment.c.peer)
        .where(ours.c.direction == Direction.OUTGOING, ours.c.created_at <= attachment.c.created_at)
    )
    whole = (attachment.c.direction == Direction.INCOMING) & (attachment.c.state == FileState.COMPLETE)
    query = select(*_COLUMNS).where(attachment.c.sha256 == sha256, whole, attachment.c.size > 0)
    others = query.where(attachment.c.peer != from_others_than, ~sent_before.exists())
    return await _load(session, others.order_by(attachment.c.created_at, attachment.c.id))


async def end(session: Session, file_id: UUID, state: FileState, *, now: datetime) -> bool:
    """Give a file that was arriving its end; False if somebody else already has."""
    mine = (attachment.c.id == file_id) & (attachment.c.state == FileState.ARRIVING)
    ended = update(attachment).where(mine).values(state=state, complete_at=now).returning(attachment.c.id)
    return (await session.execute(ended)).one_or_none() is not None


async def store_chunk(session: Session, chunk: StoredChunk) -> bool:
    """Keep a chunk; False, and nothing changed, if its number is taken."""
    one = insert(attachment_chunk).values(**asdict(chunk)).on_conflict_do_nothing()
    return (await session.execute(one.returning(attachment_chunk.c.number))).one_or_none() is not None


async def load_chunk(session: ReadSession, file: NamedFile, number: int) -> bytes | None:
    """The ciphertext of one chunk of a named file, if it is here."""
    return await stored_chunk(session, file.peer, file.id, number)


async def stored_chunk(session: ReadSession, peer: str, file_id: UUID, number: int) -> bytes | None:
    """The same by its place."""
    query = select(attachment_chunk.c.ciphertext).where(
        attachment_chunk.c.peer == peer,
        attachment_chunk.c.file_id == file_id,
        attachment_chunk.c.number == number,
    )
    found: bytes | None = await session.scalar(query)
    return found


async def count_chunks(session: ReadSession, file: NamedFile) -> int:
    """How many of its chunks are here."""
    mine = (attachment_chunk.c.peer == file.peer) & (attachment_chunk.c.file_id == file.id)
    return int((await session.execute(select(func.count()).where(mine))).scalar_one())


async def mark_named(session: Session, file: NamedFile) -> None:
    """Note that the chunks which are here belong to a file that a message names."""
    mine = (attachment_chunk.c.peer == file.peer) & (attachment_chunk.c.file_id == file.id)
    await session.execute(update(attachment_chunk).where(mine, attachment_chunk.c.named.is_(False)).values(named=True))


async def unnamed_bytes(session: ReadSession, peer: str) -> int:
    """How much of this peer is here that no message names."""
    query = select(func.coalesce(func.sum(func.octet_length(attachment_chunk.c.ciphertext)), 0)).where(
        attachment_chunk.c.peer == peer, _is_unnamed()
    )
    return int((await session.execute(query)).scalar_one())


async def drop_unnamed(session: Session, *, before: datetime) -> int:
    """Forget chunks stored before then that no message names; returns how many.

    Not of a peer with which an incident is under way: nothing that may be evidence is deleted by age.
    """
    is_old = attachment_chunk.c.stored_at < before
    old = sql_delete(attachment_chunk).where(is_old, _is_unnamed(), ~concerns(attachment_chunk.c.peer))
    return int((await session.execute(old)).rowcount)


async def all_here(session: ReadSession, *, limit: int) -> list[NamedFile]:
    """Files of peers whose chunks are all here and which nobody has compared: chunk and name came at one moment."""
    mine = (attachment_chunk.c.peer == attachment.c.peer) & (attachment_chunk.c.file_id == attachment.c.id)
    here = select(func.count()).select_from(attachment_chunk).where(mine).scalar_subquery()
    waiting = (attachment.c.direction == Direction.INCOMING) & (attachment.c.state == FileState.ARRIVING)
    return await _load(session, select(*_COLUMNS).where(waiting, here >= attachment.c.chunks).limit(limit))


async def lock_leaving(session: Session) -> list[NamedFile]:
    """Lock every file of ours of which not all chunks are known to be at the peer, by peer, the oldest first."""
    leaving = (attachment.c.direction == Direction.OUTGOING) & (attachment.c.state == FileState.ARRIVING)
    query = select(*_COLUMNS).where(leaving).order_by(attachment.c.peer, attachment.c.created_at, attachment.c.id)
    return await _load(session, query.with_for_update())


async def unreceipted(session: ReadSession, files: Collection[NamedFile]) -> dict[UUID, int]:
    """How many chunks of each of these files are under way: in the outbox, without a receipt."""
    threads = {file.thread: file.id for file in files}
    if not threads:
        return {}
    query = (
        select(outbox.c.thread, func.count().label("under_way"))
        .where(outbox.c.peer.in_({file.peer for file in files}))
        .where(outbox.c.thread.in_(threads), outbox.c.left_at.is_(None))
        .group_by(outbox.c.thread)
    )
    return {threads[row.thread]: row.under_way for row in await session.execute(query)}


async def count_queued(session: Session, file_id: UUID, queued: int) -> None:
    """Note how many chunks of a locked file have been put into the outbox."""
    await session.execute(update(attachment).where(attachment.c.id == file_id).values(queued=queued))


async def progress(session: ReadSession, exchange_ids: Iterable[UUID]) -> dict[UUID, list[Progress]]:
    """The files of these exchanges and how far each has come, the oldest first."""
    mine = (attachment_chunk.c.peer == attachment.c.peer) & (attachment_chunk.c.file_id == attachment.c.id)
    here = select(func.count()).select_from(attachment_chunk).where(mine).scalar_subquery()
    under_way = (
        select(func.count())
        .select_from(outbox)
        .where(outbox.c.peer == attachment.c.peer, outbox.c.thread == _THREAD, outbox.c.left_at.is_(None))
        .scalar_subquery()
    )
    query = (
        select(*_COLUMNS, here.label("here"), (attachment.c.queued - under_way).label("there"))
        .where(attachment.c.exchange_id.in_(list(exchange_ids)))
        .order_by(attachment.c.created_at, attachment.c.id)
    )
    found: dict[UUID, list[Progress]] = {}
    for row in (await session.execute(query)).all():
        file = _file(row)
        arrived = row.here if file.direction is Direction.INCOMING else row.there
        found.setdefault(file.exchange_id, []).append(Progress(file, arrived))
    return found


def _is_unnamed() -> ColumnElement[bool]:
    named = select(attachment.c.id).where(
        attachment.c.id == attachment_chunk.c.file_id, attachment.c.peer == attachment_chunk.c.peer
    )
    return attachment_chunk.c.named.is_(False) & ~named.exists()


async def _load(session: ReadSession, query: Select[Any]) -> list[NamedFile]:
    return [_file(row) for row in await session.execute(query)]


def _file(row: Any) -> NamedFile:  # noqa: ANN401 - a row of any query that has these columns
    columns = {name: getattr(row, name) for name in NamedFile.__dataclass_fields__}
    columns |= {"direction": Direction(row.direction), "state": FileState(row.state)}
    columns["marking"] = stored_marking(row.marking)
    return NamedFile(**columns)
