"""A `void/1` arrives: it takes the place of a text that nobody holds any more, so that its thread goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import Fate
from app.services.inbound import Applied

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.services.inbound import Received
    from app.services.node import Node


async def take_void(_session: Session, _node: Node, _received: Received, _now: datetime) -> Applied:
    """Consume its number; nothing else."""
    return Applied(Fate.VOID)
