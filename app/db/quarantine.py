"""What could not be trusted or understood: kept byte for byte, counted, and bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_delivery import QuarantineState, quarantine
from app.domain.codes import Lane

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import RowMapping

    from app.db.engine import ReadSession, Session

MAX_UNAUTHENTICATED = 1_000
"""Open rows of unproven origin that are kept whole, half a megabyte each at most; further ones are only counted."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Something to keep. `digest` tells the same thing from another; `iss` and the rest are the word of the text."""

    digest: str
    raw: bytes
    reason: str
    authenticated: bool
    lane: Lane
    iss: str | None = None
    jti: str | None = None
    thread: str | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """One row of the quarantine, with how often and since when the same thing came."""

    id: int
    suspect: Suspect
    first_seen: datetime
    last_seen: datetime
    times: int
    state: QuarantineState


@dataclass(frozen=True, slots=True)
class Counted:
    """Open rows of one kind."""

    peer: str | None
    reason: str
    authenticated: bool
    count: int
    since: datetime


async def add(session: Session, suspect: Suspect, *, now: datetime) -> bool:
    """Keep it, or count it if the same was kept before; returns whether it is new.

    Of unproven origin no more than `MAX_UNAUTHENTICATED` are kept: whoever may write to the broker could otherwise fill
    the disk. Beyond that one row per reason goes on counting.
    """
    if not suspect.authenticated and await _is_full(session, suspect.digest):
        suspect = Suspect(f"further:{suspect.reason}", b"", suspect.reason, authenticated=False, lane=suspect.lane)
    new = insert(quarantine).values(
        digest=suspect.digest,
        raw=suspect.raw,
        reason=suspect.reason,
        authenticated=suspect.authenticated,
        iss=suspect.iss,
        jti=suspect.jti,
        thread=suspect.thread,
        seq=suspect.seq,
        lane=suspect.lane,
        first_seen=now,
        last_seen=now,
    )
    counted = new.on_conflict_do_update(
        index_elements=[quarantine.c.digest],
        set_={"times": quarantine.c.times + 1, "last_seen": new.excluded.last_seen},
    ).returning(quarantine.c.times)
    times: int = (await session.execute(counted)).scalar_one()
    return times == 1


async def pages(session: ReadSession, *, limit: int, after: int = 0) -> list[Kept]:
    """Open rows in the order in which they came, from behind the row `after`."""
    query = (
        select(quarantine)
        .where(quarantine.c.state == QuarantineState.OPEN.value, quarantine.c.id > after)
        .order_by(quarantine.c.id)
        .limit(limit)
    )
    return [_kept(row) for row in (await session.execute(query)).mappings()]


async def load(session: ReadSession, number: int) -> Kept | None:
    """The row of that number, open or not."""
    row = (await session.execute(select(quarantine).where(quarantine.c.id == number))).mappings().one_or_none()
    return None if row is None else _kept(row)


async def close_open(session: Session, number: int, state: QuarantineState) -> bool:
    """End the quarantine of one row; False if somebody else did so meanwhile."""
    closed = await session.execute(
        update(quarantine)
        .where(quarantine.c.id == number, quarantine.c.state == QuarantineState.OPEN.value)
        .values(state=state.value)
    )
    return int(closed.rowcount) == 1


async def count_ways(session: ReadSession) -> list[Counted]:
    """Open rows per sender and reason, with since when the oldest is there; senders are the word of the text."""
    columns = (quarantine.c.iss, quarantine.c.reason, quarantine.c.authenticated)
    query = (
        select(*columns, func.count().label("rows"), func.min(quarantine.c.first_seen).label("since"))
        .where(quarantine.c.state == QuarantineState.OPEN.value)
        .group_by(*columns)
        .order_by(func.min(quarantine.c.first_seen))
    )
    return [
        Counted(row.iss, row.reason, authenticated=row.authenticated, count=row.rows, since=row.since)
        for row in await session.execute(query)
    ]


async def close(session: Session, digests: Collection[str], state: QuarantineState) -> None:
    """End the quarantine of these; the rows stay as evidence."""
    await session.execute(update(quarantine).where(quarantine.c.digest.in_(digests)).values(state=state.value))


async def count_open(session: ReadSession) -> dict[str, int]:
    """Open rows per reason."""
    query = (
        select(quarantine.c.reason, func.count().label("rows"))
        .where(quarantine.c.state == QuarantineState.OPEN.value)
        .group_by(quarantine.c.reason)
    )
    return {row.reason: row.rows for row in await session.execute(query)}


async def _is_full(session: ReadSession, digest: str) -> bool:
    known = select(quarantine.c.id).where(quarantine.c.digest == digest)
    if (await session.execute(known)).first() is not None:
        return False
    open_ones = (
        select(quarantine.c.id)
        .where(quarantine.c.state == QuarantineState.OPEN.value, quarantine.c.authenticated.is_(False))
        .limit(MAX_UNAUTHENTICATED)
        .subquery()
    )
    return (await session.execute(select(func.count()).select_from(open_ones))).scalar_one() >= MAX_UNAUTHENTICATED


def _kept(row: RowMapping) -> Kept:
    suspect = Suspect(
        row["digest"],
        row["raw"],
        row["reason"],
        authenticated=row["authenticated"],
        lane=Lane(row["lane"]),
        iss=row["iss"],
        jti=row["jti"],
        thread=row["thread"],
        seq=row["seq"],
    )
    return Kept(row["id"], suspect, row["first_seen"], row["last_seen"], row["times"], QuarantineState(row["state"]))
