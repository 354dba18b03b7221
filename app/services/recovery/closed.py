"""What is refused while this node does not know all that it has said, and whom to call instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db import recoveries
from app.errors import Unavailable

if TYPE_CHECKING:
    from app.db.engine import ReadSession
    from app.services.node import Node

RECOVERING = "recovering"
RETRY_SECONDS = 60
"""A recovery waits for other nodes and for an operator; asking more often than this learns nothing."""


async def refuse_shut(session: ReadSession) -> None:
    """Raise Unavailable `recovering` while a recovery waits for its new log epoch: no command is taken."""
    if await recoveries.is_shut(session):
        detail = "This node was restored from a backup and takes no command until its operator opens a new log epoch."
        raise Unavailable(RECOVERING, detail, retry_after=RETRY_SECONDS)


async def refuse_closed(session: ReadSession, node: Node, peer: str) -> None:
    """Raise Unavailable `recovering` for a peer that is closed, with the way to reach its desk without this node."""
    if await recoveries.find_closed(session, peer) is None:
        return
    detail = f"After a restore it is not yet known what was agreed with {peer}. Call its desk; other peers are open."
    raise Unavailable(RECOVERING, detail, retry_after=RETRY_SECONDS, peer=peer, fallback=fallback_of(node, peer))


def fallback_of(node: Node, peer: str) -> dict[str, Any] | None:
    """How that contact point is reached by voice and mail, as the directory has it; None if it is not listed."""
    point = node.directory.point(peer)
    if point is None:
        return None
    return {
        "code": point.code,
        "agency": point.agency_name.model_dump(mode="json", exclude_none=True),
        "ask_for": point.ask_for,
        "phones": [
            {"number": phone.number, "label": phone.label, "languages": list(phone.languages)}
            for phone in sorted(point.phones, key=lambda phone: phone.priority)
        ],
        "emails": [{"address": mail.address, "purpose": mail.purpose} for mail in point.emails],
        "time_zone": str(point.time_zone),
    }
