"""The editions of the law that this node has gone by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from app.db.tables_law import law_seen

if TYPE_CHECKING:
    from datetime import date, datetime

    from app.db.engine import ReadSession, Session

ONE_AT_A_TIME = 0x6C61775F7365656E
"""Key of the advisory lock under which an edition is noted: the word `law_seen` in ASCII."""


@dataclass(frozen=True, slots=True)
class SeenEdition:
    """An edition of the law, the digest of its files, and since when this node goes by it."""

    version: str
    dated: date
    digest: str
    seen_at: datetime


async def newest_edition(session: ReadSession) -> SeenEdition | None:
    """Return the edition this node started with last, None before the first."""
    query = select(law_seen).order_by(law_seen.c.number.desc()).limit(1)
    row = (await session.execute(query)).first()
    return None if row is None else SeenEdition(row.version, row.dated, row.digest, row.seen_at)


async def add_edition(session: Session, edition: SeenEdition) -> bool:
    """Remember what this node goes by from now on; False if it is what it went by already.

    Processes of one node that start together take turns.
    """
    await session.execute(select(func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
    newest = await newest_edition(session)
    if newest is not None and newest.digest == edition.digest:
        return False
    values = {
        "version": edition.version,
        "dated": edition.dated,
        "digest": edition.digest,
        "seen_at": edition.seen_at,
    }
    await session.execute(insert(law_seen).values(**values))
    return True
