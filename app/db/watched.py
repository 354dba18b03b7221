"""Which requests and exchanges have to be looked at by the clock, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import CTE, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_clocks import watched
from app.db.tables_exchange import exchange
from app.domain.codes import Direction, State
from app.domain.deadlines import Subject

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session

AWAITING = (State.CLARIFICATION, State.RISK_NOTICE, State.CONDITIONS)
"""States of which the requesting side is reminded, once."""


def look_now(kind: Subject, subject: UUID, *, now: datetime) -> CTE:
    """Part of the statement that writes `subject`: whatever changes it also has its clocks looked at.

    In one statement with the change, so that no change can forget it and none costs a way to the server more.
    """
    new = insert(watched).values(subject=subject, kind=kind, look_at=now)
    again = new.on_conflict_do_update(index_elements=[watched.c.subject], set_={"look_at": now})
    return again.cte("watched_anew")


async def look_at_all(session: Session, *, now: datetime) -> None:
    """Have everything looked at: the clocks themselves may be others since the last start.

    And what waits for the other side's answer without a timer: an earlier release, which may have worked on after the
    migration, set none for a reminder.
    """
    await session.execute(update(watched).where(watched.c.look_at > now).values(look_at=now))
    waiting = (exchange.c.direction == Direction.INCOMING, exchange.c.state.in_(AWAITING), exchange.c.due_at.is_(None))
    free = select(exchange.c.id).where(*waiting).with_for_update(skip_locked=True)
    await session.execute(update(exchange).where(exchange.c.id.in_(free)).values(due_at=now))


async def due_subjects(session: ReadSession, *, now: datetime, limit: int) -> list[UUID]:
    """What has to be looked at, longest due first."""
    query = select(watched.c.subject).where(watched.c.look_at <= now).order_by(watched.c.look_at).limit(limit)
    return list((await session.execute(query)).scalars())


async def claim(session: Session, subject: UUID, *, now: datetime) -> Subject | None:
    """Lock it for this transaction and tell what it is; None if another process has it in hand or has looked."""
    query = select(watched.c.kind).where(watched.c.subject == subject, watched.c.look_at <= now)
    kind = (await session.execute(query.with_for_update(skip_locked=True))).scalar_one_or_none()
    return None if kind is None else Subject(kind)


async def look_again(session: Session, subject: UUID, *, at: datetime | None) -> None:
    """Look at it again then; None: not before it changes."""
    if at is None:
        await session.execute(delete(watched).where(watched.c.subject == subject))
    else:
        await session.execute(update(watched).where(watched.c.subject == subject).values(look_at=at))
