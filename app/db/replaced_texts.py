"""Texts of a peer beside the one that stands in the inbox: the same message under another key."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_evidence import replaced_text

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session
    from app.db.inbox import MessageKey


@dataclass(frozen=True, slots=True)
class BesideText:
    """One such text. `received_at` is when it came, `noted_at` when it lost its place to another or found it taken."""

    iss: str
    jti: UUID
    inner_hash: str
    kid: str
    jws: str
    received_at: datetime
    noted_at: datetime


async def add(session: Session, text: BesideText) -> None:
    """Keep it; the same text is kept once."""
    await session.execute(insert(replaced_text).values(**asdict(text)).on_conflict_do_nothing())


async def known(session: ReadSession, keys: Collection[MessageKey]) -> set[tuple[MessageKey, str]]:
    """Return the names of the texts kept beside the rows with these keys."""
    if not keys:
        return set()
    query = select(replaced_text.c.iss, replaced_text.c.jti, replaced_text.c.inner_hash).where(
        tuple_(replaced_text.c.iss, replaced_text.c.jti).in_(keys)
    )
    return {((row.iss, row.jti), row.inner_hash) for row in await session.execute(query)}
