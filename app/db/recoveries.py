"""Recoveries of this node: which peers are closed, whether the log is, and what was lost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, func, insert, or_, select, update

from app.db.tables_recovery import lost_item, recovering_peer, recovery, resync_part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session

ONE_AT_A_TIME = 0x7265636F76657279
"""Key of the advisory lock of the recovery's steps: the word `recovery` in ASCII."""

BEGINNING = 0x7265636265676966
"""Key of the advisory lock under which a recovery begins."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """One time that this node found its database older than its word.

    `remembers_until`: the newest moment of which the database knew. While `reopened_at` is None nothing is sequenced
    and no command taken. It ends when every peer is done.
    """

    id: UUID
    began_at: datetime
    proof: str
    detail: dict[str, Any]
    remembers_until: datetime | None
    reopened_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecoveringPeer:
    """One peer of a recovery; closed until `done_at`. `resync_id` names the ask that is under way with it."""

    recovery_id: UUID
    peer: str
    resync_id: UUID
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LostItem:
    """One thing for people to look into."""

    recovery_id: UUID
    peer: str
    thread: str
    seq: int | None
    what: str
    noted_at: datetime


async def try_turn(session: Session) -> bool:
    """Become the only one that takes a step of a recovery until the transaction ends, or learn that another does."""
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(ONE_AT_A_TIME))))


async def take_beginning(session: Session) -> None:
    """Wait for whoever is just beginning a recovery: it begins once."""
    await session.execute(select(func.pg_advisory_xact_lock(BEGINNING)))


async def is_shut(session: ReadSession) -> bool:
    """Whether a recovery waits for its new log epoch: then nothing is sequenced and no command is taken."""
    return bool(await session.scalar(select(exists().where(recovery.c.reopened_at.is_(None)))))


async def are_under_way(session: ReadSession) -> bool:
    """Whether a recovery has not ended."""
    return bool(await session.scalar(select(exists().where(recovery.c.ended_at.is_(None)))))


async def are_all_over(session: ReadSession) -> bool:
    """Whether there is nothing that a step could bring on: no recovery of ours, and no list of a peer that waits."""
    ours = exists().where(recovery.c.ended_at.is_(None))
    closed = exists().where(recovering_peer.c.done_at.is_(None))
    theirs = exists().where(resync_part.c.answered_at.is_(None))
    return not await session.scalar(select(or_(ours, closed, theirs)))


async def closed_peers(session: ReadSession) -> frozenset[str]:
    """The peers whose threads are closed."""
    query = select(recovering_peer.c.peer).where(recovering_peer.c.done_at.is_(None))
    return frozenset((await session.execute(query)).scalars())


async def find_closed(session: ReadSession, peer: str) -> RecoveringPeer | None:
    """The row of a peer that is closed; None for one that is open."""
    query = select(recovering_peer).where(recovering_peer.c.peer == peer, recovering_peer.c.done_at.is_(None))
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else RecoveringPeer(**row)


async def all_closed(session: ReadSession) -> list[RecoveringPeer]:
    """Every closed peer, by name."""
    query = select(recovering_peer).where(recovering_peer.c.done_at.is_(None)).order_by(recovering_peer.c.peer)
    return [RecoveringPeer(**row) for row in (await session.execute(query)).mappings()]


async def newest(session: ReadSession) -> Recovery | None:
    """The recovery that began last, ended or not."""
    query = select(recovery).order_by(recovery.c.began_at.desc(), recovery.c.id.desc()).limit(1)
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else Recovery(**row)


async def history(session: ReadSession) -> list[Recovery]:
    """All recoveries, the newest first."""
    query = select(recovery).order_by(recovery.c.began_at.desc(), recovery.c.id.desc())
    return [Recovery(**row) for row in (await session.execute(query)).mappings()]


async def peers_of(session: ReadSession, recovery_id: UUID) -> list[RecoveringPeer]:
    """The peers of one recovery, by name."""
    query = select(recovering_peer).where(recovering_peer.c.recovery_id == recovery_id)
    return [RecoveringPeer(**row) for row in (await session.execute(query.order_by(recovering_peer.c.peer))).mappings()]


async def lost_in(session: ReadSession, recovery_id: UUID, *, limit: int) -> list[LostItem]:
    """What one recovery lists, in the order in which it was found, at most `limit`."""
    columns = [lost_item.c[name] for name in LostItem.__dataclass_fields__]
    query = select(*columns).where(lost_item.c.recovery_id == recovery_id).order_by(lost_item.c.id).limit(limit)
    return [LostItem(**row) for row in (await session.execute(query)).mappings()]


async def add(session: Session, begun: Recovery, peers: Mapping[str, UUID]) -> None:
    """Begin: from the commit on these peers are closed. What an earlier recovery still had open with them is over."""
    await session.execute(insert(recovery).values(**asdict(begun)))
    await session.execute(
        update(recovering_peer)
        .where(recovering_peer.c.peer.in_(peers), recovering_peer.c.done_at.is_(None))
        .values(done_at=begun.began_at)
    )
    rows = [
        {"recovery_id": begun.id, "peer": peer, "resync_id": resync_id} for peer, resync_id in sorted(peers.items())
    ]
    if rows:
        await session.execute(insert(recovering_peer), rows)


async def reopen(session: Session, *, now: datetime) -> int:
    """Note that a new log epoch has begun; returns how many recoveries had waited for it."""
    reopened = await session.execute(update(recovery).where(recovery.c.reopened_at.is_(None)).values(reopened_at=now))
    return int(reopened.rowcount)


async def set_asked(session: Session, closed: RecoveringPeer, resync_id: UUID, *, now: datetime) -> None:
    """Note that this peer was asked under that name; what it may have answered to an earlier one is void."""
    await _set(session, closed, resync_id=resync_id, asked_at=now, answered_at=None)


async def set_answered(session: Session, closed: RecoveringPeer, *, now: datetime) -> None:
    """Note when all of the answer was there."""
    await _set(session, closed, answered_at=now)


async def set_done(session: Session, closed: RecoveringPeer, *, now: datetime) -> None:
    """Open the peer's threads again."""
    await _set(session, closed, done_at=now)


async def end_finished(session: Session, *, now: datetime) -> list[UUID]:
    """End the recoveries that have their new epoch and no closed peer; returns them."""
    still = exists().where(recovering_peer.c.recovery_id == recovery.c.id, recovering_peer.c.done_at.is_(None))
    ended = await session.execute(
        update(recovery)
        .where(recovery.c.ended_at.is_(None), recovery.c.reopened_at.is_not(None), ~still)
        .values(ended_at=now)
        .returning(recovery.c.id)
    )
    return list(ended.scalars())


async def add_lost(session: Session, item: LostItem) -> bool:
    """List it; False when this recovery lists the same already."""
    same = select(lost_item.c.id).where(
        lost_item.c.recovery_id == item.recovery_id,
        lost_item.c.peer == item.peer,
        lost_item.c.thread == item.thread,
        lost_item.c.seq.is_not_distinct_from(item.seq),
        lost_item.c.what == item.what,
    )
    if (await session.execute(same.limit(1))).first() is not None:
        return False
    await session.execute(insert(lost_item).values(**asdict(item)))
    return True


async def places_listed(session: ReadSession, closed: RecoveringPeer, what: str) -> set[tuple[str, int]]:
    """The (thread, number) of what a recovery lists as `what` with this peer."""
    query = select(lost_item.c.thread, lost_item.c.seq).where(
        lost_item.c.recovery_id == closed.recovery_id,
        lost_item.c.peer == closed.peer,
        lost_item.c.what == what,
        lost_item.c.seq.is_not(None),
    )
    return {(row.thread, row.seq) for row in await session.execute(query)}


async def _set(session: Session, closed: RecoveringPeer, **values: object) -> None:
    await session.execute(
        update(recovering_peer)
        .where(recovering_peer.c.recovery_id == closed.recovery_id, recovering_peer.c.peer == closed.peer)
        .values(**values)
    )
