"""Secrets a node makes for itself once, the same for all of its processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_access import node_secret

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session

FEED_POSITIONS = "feed_positions"
"""Seals places in the feed of events, whose numbers would tell an agency how much the others file."""

TARGET_FINGERPRINTS = "target_fingerprints"
"""Keys the marks of what requests look for (`domain/fingerprints.py`): a mark of one node means nothing to another."""


async def settle_secret(session: Session, name: str, *, proposed: bytes, now: datetime) -> bytes:
    """The secret of that name: the one there is, else `proposed`, which from then on is it."""
    await session.execute(
        insert(node_secret)
        .values(name=name, value=proposed, created_at=now)
        .on_conflict_do_nothing(index_elements=["name"])
    )
    return bytes((await session.execute(select(node_secret.c.value).where(node_secret.c.name == name))).scalar_one())
