"""Lists that peers sent to compare, until they are answered; and what our own returned texts said we had decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_recovery import adopted_fate, adopted_state, resync_part
from app.domain.codes import Fate, Lane, ResyncKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement

    from app.db.engine import ReadSession, Session
    from app.db.inbox import MessageKey

FIRST_PART = 1


@dataclass(frozen=True, slots=True)
class ListKey:
    """One list: whose, under which name, what for."""

    peer: str
    resync_id: UUID
    kind: ResyncKind


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a list on one lane. `body` is the canonical JSON of the message's body; empty once answered."""

    lane: Lane
    part: int
    parts: int
    body: bytes


@dataclass(frozen=True, slots=True)
class AdoptedFate:
    """What we had answered to a message that we do not remember."""

    iss: str
    jti: UUID
    thread: str
    fate: Fate
    code: str | None


@dataclass(frozen=True, slots=True)
class AdoptedState:
    """The newest `exchange.state/1` of our own that came back in a thread, not yet what the exchange says."""

    thread: str
    peer: str
    seq: int
    body: bytes


async def add_part(session: Session, key: ListKey, part: Part, *, now: datetime) -> None:
    """Keep a part; the same one again changes nothing."""
    await session.execute(
        insert(resync_part)
        .values(
            peer=key.peer,
            resync_id=key.resync_id,
            kind=key.kind,
            lane=part.lane,
            part=part.part,
            parts=part.parts,
            body=part.body,
            received_at=now,
        )
        .on_conflict_do_nothing()
    )


async def was_answered(session: ReadSession, key: ListKey) -> bool:
    """Whether this list has been dealt with: its further copies say nothing new."""
    query = select(resync_part.c.part).where(_of(key), resync_part.c.answered_at.is_not(None)).limit(1)
    return (await session.execute(query)).first() is not None


async def last_answered_at(session: ReadSession, peer: str, kind: ResyncKind) -> datetime | None:
    """When the latest list of this kind of that peer was dealt with."""
    query = select(func.max(resync_part.c.answered_at)).where(resync_part.c.peer == peer, resync_part.c.kind == kind)
    found: datetime | None = await session.scalar(query)
    return found


async def unanswered(session: ReadSession, *, peer: str | None = None, kind: ResyncKind | None = None) -> list[ListKey]:
    """Lists that wait, complete or not, those first whose first part came first; of one peer or kind if named."""
    query = select(resync_part.c.peer, resync_part.c.resync_id, resync_part.c.kind).where(
        resync_part.c.answered_at.is_(None)
    )
    if peer is not None:
        query = query.where(resync_part.c.peer == peer)
    if kind is not None:
        query = query.where(resync_part.c.kind == kind)
    query = query.group_by(resync_part.c.peer, resync_part.c.resync_id, resync_part.c.kind)
    rows = await session.execute(query.order_by(func.min(resync_part.c.received_at), resync_part.c.resync_id))
    return [ListKey(row.peer, row.resync_id, ResyncKind(row.kind)) for row in rows]


async def places(session: ReadSession, key: ListKey) -> set[tuple[Lane, int, int]]:
    """Which parts of a list have come: (lane, part, of how many)."""
    query = select(resync_part.c.lane, resync_part.c.part, resync_part.c.parts).where(_of(key))
    return {(Lane(row.lane), row.part, row.parts) for row in await session.execute(query)}


async def bodies(session: ReadSession, key: ListKey) -> list[bytes]:
    """The parts of a complete list, in order, each once."""
    query = select(resync_part.c.part, resync_part.c.body).where(_of(key)).order_by(resync_part.c.lane)
    by_part = {row.part: row.body for row in await session.execute(query)}
    return [by_part[part] for part in sorted(by_part)]


async def set_answered(session: Session, key: ListKey, *, now: datetime) -> None:
    """Remember of a list only that it was dealt with."""
    further = resync_part.c.part > FIRST_PART
    await session.execute(delete(resync_part).where(_of(key), further))
    await session.execute(update(resync_part).where(_of(key)).values(answered_at=now, body=b""))


async def drop(session: Session, keys: Collection[ListKey]) -> None:
    """Forget lists that were never completed."""
    for key in keys:
        await session.execute(delete(resync_part).where(_of(key), resync_part.c.answered_at.is_(None)))


async def forget_before(session: Session, moment: datetime) -> None:
    """Clear the memory of lists that were dealt with long ago."""
    await session.execute(delete(resync_part).where(resync_part.c.answered_at < moment))


async def keep_state(session: Session, state: AdoptedState) -> None:
    """Keep our own state unless a later one of the thread is kept; it has yet to become the exchange's."""
    new = insert(adopted_state).values(thread=state.thread, peer=state.peer, seq=state.seq, body=state.body)
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[adopted_state.c.thread],
            set_={
                "peer": new.excluded.peer,
                "seq": new.excluded.seq,
                "body": new.excluded.body,
                "applied_at": None,
            },
            where=and_(adopted_state.c.peer == new.excluded.peer, adopted_state.c.seq < new.excluded.seq),
        )
    )


async def unapplied_states(session: ReadSession, peer: str) -> list[str]:
    """The threads with this peer whose exchange is not yet what our returned states say."""
    query = select(adopted_state.c.thread).where(adopted_state.c.peer == peer, adopted_state.c.applied_at.is_(None))
    return sorted((await session.execute(query)).scalars())


async def has_unapplied_state(session: ReadSession, thread: str, peer: str) -> bool:
    """Whether the exchange of this thread has yet to become what our returned states say."""
    query = select(adopted_state.c.seq).where(
        adopted_state.c.thread == thread, adopted_state.c.peer == peer, adopted_state.c.applied_at.is_(None)
    )
    return (await session.execute(query)).first() is not None


async def speaks_to_another(session: ReadSession, thread: str, peer: str) -> bool:
    """Whether our returned states say that this id is an exchange with another contact point than `peer`."""
    query = select(adopted_state.c.seq).where(adopted_state.c.thread == thread, adopted_state.c.peer != peer)
    return (await session.execute(query)).first() is not None


async def set_applied(session: Session, thread: str, *, now: datetime) -> None:
    """The exchange is now what our returned states say."""
    await session.execute(update(adopted_state).where(adopted_state.c.thread == thread).values(applied_at=now))


async def add_fates(session: Session, fates: Collection[AdoptedFate]) -> None:
    """Remember what we had answered; what is known already stays."""
    rows = [{"iss": one.iss, "jti": one.jti, "thread": one.thread, "fate": one.fate, "code": one.code} for one in fates]
    if rows:
        await session.execute(insert(adopted_fate).values(rows).on_conflict_do_nothing())


async def fates_of(session: ReadSession, keys: Collection[MessageKey]) -> dict[MessageKey, AdoptedFate]:
    """What we had answered to these messages; nearly always nothing, since nearly never anything was lost."""
    if not keys:
        return {}
    query = select(adopted_fate).where(tuple_(adopted_fate.c.iss, adopted_fate.c.jti).in_(keys))
    found = (await session.execute(query)).mappings()
    return {
        (row["iss"], row["jti"]): AdoptedFate(row["iss"], row["jti"], row["thread"], Fate(row["fate"]), row["code"])
        for row in found
    }


def _of(key: ListKey) -> ColumnElement[bool]:
    return and_(
        resync_part.c.peer == key.peer, resync_part.c.resync_id == key.resync_id, resync_part.c.kind == key.kind
    )
