"""What this node has told its desk of holds: the primary keys see to it that each is told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_exchange import hold
from app.db.tables_holds import hold_notice, hold_warning
from app.domain.hold_notices import Notice, Told

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session
    from app.domain.hold_notices import Due
    from app.domain.holds import Hold


async def told(session: ReadSession, hold_id: UUID) -> Told:
    """Everything told of the hold, or passed over."""
    warnings = await session.execute(
        select(hold_warning.c.expires_at, hold_warning.c.days).where(hold_warning.c.hold_id == hold_id)
    )
    columns = (hold_notice.c.notice, hold_notice.c.since, hold_notice.c.number)
    notices = await session.execute(select(*columns).where(hold_notice.c.hold_id == hold_id))
    return Told(
        warnings=frozenset((row.expires_at, row.days) for row in warnings),
        notices=frozenset((Notice(row.notice), row.since, row.number) for row in notices),
    )


async def add_warning(session: Session, warned: Hold, days: int, *, told: bool, now: datetime) -> bool:
    """Write down that the warning was told, or passed over; False if it already was, and then nobody is told."""
    values = {"hold_id": warned.id, "expires_at": warned.expires_at, "days": days, "at": now, "told": told}
    statement = insert(hold_warning).values(values).on_conflict_do_nothing().returning(hold_warning.c.days)
    return (await session.execute(statement)).one_or_none() is not None


async def add_notice(session: Session, hold_id: UUID, due: Due, *, now: datetime) -> bool:
    """The same for a notice."""
    values = {"hold_id": hold_id, "notice": due.notice, "since": due.since, "number": due.number, "at": now}
    statement = insert(hold_notice).values(values).on_conflict_do_nothing().returning(hold_notice.c.number)
    return (await session.execute(statement)).one_or_none() is not None


async def warnings_told(session: ReadSession, exchange_ids: Collection[UUID]) -> dict[UUID, list[tuple[int, datetime]]]:
    """For each hold of these exchanges, the days before its present end of which the desk was warned, and when."""
    if not exchange_ids:
        return {}
    query = (
        select(hold_warning.c.hold_id, hold_warning.c.days, hold_warning.c.at)
        .join(hold, (hold.c.id == hold_warning.c.hold_id) & (hold.c.expires_at == hold_warning.c.expires_at))
        .where(hold.c.exchange_id.in_(exchange_ids), hold_warning.c.told)
    )
    found: dict[UUID, list[tuple[int, datetime]]] = {}
    for row in await session.execute(query.order_by(hold_warning.c.days.desc())):
        found.setdefault(row.hold_id, []).append((row.days, row.at))
    return found
