"""The roster of this node with what the rules need to know of the node itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import rosters
from app.domain.directory_codes import ContactKind

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import ReadSession
    from app.domain.roster import Roster
    from app.services.node import Node


async def load_standing_roster(session: ReadSession, node: Node, *, now: datetime) -> Roster:
    """The roster at `now`; whether somebody must call back is what the own directory entry says."""
    point = node.directory.point(node.code)
    switchboard = point is not None and point.contact_kind is ContactKind.SWITCHBOARD
    return await rosters.load_roster(session, now=now, switchboard=switchboard)
