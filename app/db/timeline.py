"""What happened to a request or an exchange, in words for people. The audit log, not this, is evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from app.db.tables_domestic import timeline

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session

MAX_ENTRIES = 1_000
"""More entries than this on one subject are cut off at the old end; the audit log still has them all."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `party` is the contact point whose act it was; `for_agency` lets the agency see it (domain.md 6.11)."""

    subject_id: UUID
    at: datetime
    party: str
    actor: str
    event: str
    detail: Mapping[str, Any]
    for_agency: bool


async def append(session: Session, entry: Entry) -> None:
    """Add one line in the transaction of the act it tells of."""
    await session.execute(
        insert(timeline).values(
            subject_id=entry.subject_id,
            at=entry.at,
            party=entry.party,
            actor=entry.actor,
            event=entry.event,
            detail=dict(entry.detail),
            for_agency=entry.for_agency,
        )
    )


async def entries(
    session: ReadSession, subjects: Collection[UUID], *, agency_only: bool = False
) -> list[tuple[int, Entry]]:
    """All lines of these subjects, oldest first, numbered within this answer: the table's own serial tells volume."""
    query = select(timeline).where(timeline.c.subject_id.in_(subjects)).order_by(timeline.c.id.desc())
    if agency_only:
        query = query.where(timeline.c.for_agency)
    rows = list(await session.execute(query.limit(MAX_ENTRIES)))
    return [
        (number, Entry(row.subject_id, row.at, row.party, row.actor, row.event, row.detail, row.for_agency))
        for number, row in enumerate(reversed(rows), start=1)
    ]
