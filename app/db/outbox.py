"""What waits to be published, and what has been: put, claim, sign, settle.

A claim is a short lease kept in `next_at`: a relay that dies leaves nothing locked, its rows are due again when the
lease ends. The text of a row is signed once; every other signature for it loses against the stored one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, insert, select, update

from app.db.tables_delivery import outbox

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row

    from app.db.engine import Session
    from app.db.tables_delivery import LeftBy, Trouble
    from app.domain.codes import Lane


@dataclass(frozen=True, slots=True)
class Queued:
    """A message as the business transaction queues it. `body` is canonical JSON; `exp` only where the type has one."""

    jti: UUID
    peer: str
    thread: str | None
    seq: int | None
    prev: UUID | None
    type: str
    body: bytes
    exp: datetime | None
    exchange_id: UUID | None
    lane: Lane
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """A claimed row: everything that is signed, the text if it has been, and how often it was tried."""

    id: int
    jti: UUID
    peer: str
    thread: str | None
    seq: int | None
    prev: UUID | None
    type: str
    body: bytes
    exp: datetime | None
    jws: str | None
    tries: int


@dataclass(frozen=True, slots=True)
class SignedText:
    """One signature for one row. `inner_hash` is the name of `jws` in receipts."""

    jws: str
    kid: str
    inner_hash: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A publication about to happen: the stored text, whoever signed it, and the number of this copy."""

    letter: Letter
    jws: str
    copy: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an attempt ended for its row. Without `next_at` the row leaves the outbox, `left_by` says why."""

    id: int
    next_at: datetime | None
    trouble: Trouble | None
    left_by: LeftBy | None = None


_LETTER = (
    outbox.c.id,
    outbox.c.jti,
    outbox.c.peer,
    outbox.c.thread,
    outbox.c.seq,
    outbox.c.prev,
    outbox.c.type,
    outbox.c.body,
    outbox.c.exp,
    outbox.c.jws,
    outbox.c.tries,
)


async def put(session: Session, queued: Queued) -> None:
    """Add a row that is due at once; it exists when, and only if, the caller's transaction commits."""
    await session.execute(insert(outbox).values(**asdict(queued), next_at=queued.created_at))


async def claim(session: Session, lane: Lane, *, limit: int, now: datetime, lease_until: datetime) -> list[Letter]:
    """Lease up to `limit` due rows of one lane, the longest due first, passing over what another relay is claiming.

    Returned in the order of their ids. Ordered by due time and not by id, so that a hundred thousand rows that wait for
    their next attempt are never read on the way to the few that are due.
    """
    due = (
        select(outbox.c.id)
        .where(outbox.c.left_at.is_(None), outbox.c.lane == lane, outbox.c.next_at <= now)
        .order_by(outbox.c.next_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        update(outbox)
        .where(outbox.c.id == due.c.id)
        .values(next_at=lease_until, tries=outbox.c.tries + 1)
        .returning(*_LETTER)
    )
    rows = await session.execute(statement)
    return sorted((_letter(row) for row in rows), key=lambda letter: letter.id)


async def begin_copies(
    session: Session, drafts: Sequence[tuple[Letter, SignedText | None]], *, now: datetime
) -> list[Begun]:
    """Store the text of each row unless one is stored already, count the copy, and return what is to be published.

    A draft is a letter and a new signature, None where the letter came with its text. The guard is in the statement: of
    two relays that signed the same row the second gets the first one's text back.
    """
    signed = func.coalesce(outbox.c.jws, bindparam("new_jws"))
    statement = (
        update(outbox)
        .where(outbox.c.id == bindparam("row"))
        .values(
            jws=signed,
            jws_kid=func.coalesce(outbox.c.jws_kid, bindparam("new_kid")),
            jws_hash=func.coalesce(outbox.c.jws_hash, bindparam("new_hash")),
            signed_at=func.coalesce(outbox.c.signed_at, bindparam("at")),
            began_at=bindparam("at"),
            copy=outbox.c.copy + 1,
        )
    )
    letters = {letter.id: letter for letter, _ in drafts}
    values = [
        {
            "row": letter.id,
            "new_jws": text.jws if text else None,
            "new_kid": text.kid if text else None,
            "new_hash": text.inner_hash if text else None,
            "at": now,
        }
        for letter, text in sorted(drafts, key=lambda draft: draft[0].id)
    ]
    if not values:
        return []
    await session.execute(statement, values)
    stored = select(outbox.c.id, outbox.c.jws, outbox.c.copy).where(outbox.c.id.in_(letters)).order_by(outbox.c.id)
    return [Begun(letters[row.id], row.jws, row.copy) for row in await session.execute(stored)]


async def settle(
    session: Session, settlements: Collection[Settlement], *, lease_until: datetime, now: datetime
) -> None:
    """Note how attempts ended. Rows whose receipt came meanwhile have left, and stay as they are.

    `lease_until` is what the claim wrote: a row that was made due in between (its tier was raised, the peer misses it)
    keeps that time, since this attempt began before.
    """
    next_at = case((outbox.c.next_at == lease_until, bindparam("next")), else_=outbox.c.next_at)
    staying = (
        update(outbox)
        .where(outbox.c.id == bindparam("row"), outbox.c.left_at.is_(None))
        .values(next_at=next_at, trouble=bindparam("why"))
    )
    leaving = (
        update(outbox)
        .where(outbox.c.id == bindparam("row"), outbox.c.left_at.is_(None))
        .values(left_at=now, left_by=bindparam("by"), trouble=bindparam("why"))
    )
    ordered = sorted(settlements, key=lambda one: one.id)
    stay = [{"row": one.id, "next": one.next_at, "why": one.trouble} for one in ordered if one.left_by is None]
    leave = [{"row": one.id, "by": one.left_by, "why": one.trouble} for one in ordered if one.left_by is not None]
    if stay:
        await session.execute(staying, stay)
    if leave:
        await session.execute(leaving, leave)


def _letter(row: Row[Any]) -> Letter:
    return Letter(**row._mapping)  # noqa: SLF001 - the public name of a row's mapping begins with an underscore
