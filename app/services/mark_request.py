"""What a request looks for is marked, so that a later one for the same data is noticed (TRI-12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db.fingerprints import replace_marks
from app.db.node_secret import TARGET_FINGERPRINTS, settle_secret
from app.domain.fingerprints import marks_of, sought_in

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.requests import RequestRecord
    from app.services.node import Node

KEY_BYTES = 32


async def mark_request(session: Session, node: Node, record: RequestRecord, *, now: datetime) -> None:
    """Store the marks of the targets of its document in place of those of an earlier one."""
    sought = sought_in(record.document)
    key = b"" if not sought else await _key(session, node, now)
    await replace_marks(session, "request", record.id, marks_of(sought, key))


async def _key(session: Session, node: Node, now: datetime) -> bytes:
    return await settle_secret(session, TARGET_FINGERPRINTS, proposed=node.random(KEY_BYTES), now=now)
