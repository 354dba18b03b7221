"""What this node has stated under its own signature about an exchange, and what it then knew of the way it tried."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_delivery import outbox, publication
from app.db.tables_evidence import StatementKind, statement
from app.domain.codes import Lane, MessageType

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session

MAX_COPIES = 200
"""Copies that are listed, the newest. In a day of silence there are about forty."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: `jws` is all that counts, the rest finds it."""

    id: UUID
    exchange_id: UUID
    kind: StatementKind
    jws: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Copy:
    """One attempt to publish; without `confirmed_at` the broker never said that it has it."""

    copy: int
    lane: Lane
    began_at: datetime
    confirmed_at: datetime | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Attempts:
    """The opening of an exchange and every copy of it that was tried so far; `copies` are the newest of `in_all`."""

    jti: UUID
    queued_at: datetime
    in_all: int
    copies: Sequence[Copy]


async def add(session: Session, made: Statement) -> bool:
    """Keep it; False, and nothing changed, if there is one of that kind already: a statement is made once."""
    one = insert(statement).values(**asdict(made)).on_conflict_do_nothing().returning(statement.c.id)
    return (await session.execute(one)).one_or_none() is not None


async def of_exchange(session: ReadSession, exchange_id: UUID) -> list[Statement]:
    """What was stated about this exchange, oldest first."""
    rows = await session.execute(
        select(statement).where(statement.c.exchange_id == exchange_id).order_by(statement.c.made_at, statement.c.id)
    )
    return [Statement(row.id, row.exchange_id, StatementKind(row.kind), row.jws, row.made_at) for row in rows]


async def attempts_to_open(session: ReadSession, exchange_id: UUID) -> Attempts | None:
    """How its opening was sent; None if this node never queued one."""
    opening = (
        await session.execute(
            select(outbox.c.id, outbox.c.jti, outbox.c.created_at)
            .where(outbox.c.exchange_id == exchange_id, outbox.c.type == MessageType.EXCHANGE_OPEN)
            .order_by(outbox.c.id)
            .limit(1)
        )
    ).one_or_none()
    if opening is None:
        return None
    mine = publication.c.outbox_id == opening.id
    in_all = (await session.execute(select(func.count()).select_from(publication).where(mine))).scalar_one()
    rows = await session.execute(select(publication).where(mine).order_by(publication.c.copy.desc()).limit(MAX_COPIES))
    copies = [Copy(row.copy, Lane(row.lane), row.began_at, row.confirmed_at, row.trouble) for row in rows]
    return Attempts(opening.jti, opening.created_at, in_all, copies[::-1])
