"""What an exchange opened towards us looks for is marked, so that others who ask for the same data are found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db.fingerprints import replace_marks
from app.db.node_secret import TARGET_FINGERPRINTS, settle_secret
from app.domain.fingerprints import marks_of, sought_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import Session
    from app.services.node import Node

KEY_BYTES = 32


async def mark_exchange(
    session: Session, node: Node, exchange_id: UUID, *, document: Mapping[str, Any], now: datetime
) -> None:
    """Store the marks of the document's targets, in place of earlier ones.

    They are keyed with a secret that this node draws once and keeps: nobody else can make or read them.
    """
    sought = sought_in(document)
    if sought:
        key = await settle_secret(session, TARGET_FINGERPRINTS, proposed=node.random(KEY_BYTES), now=now)
        await replace_marks(session, "exchange", exchange_id, marks_of(sought, key))
