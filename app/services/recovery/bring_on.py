"""The next step with one closed peer, whatever it is; and the end of a recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import JSON, Fact, FactType
from app.db import recoveries
from app.services.announce import Event, announce
from app.services.node import SYSTEM
from app.services.record import record
from app.services.recovery.ask import ask_peer, remind
from app.services.recovery.finish import finish_peer

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.services.node import Node


async def bring_on(session: Session, node: Node, peer: str, *, now: datetime) -> bool:
    """Ask the peer, or open it if all has come back, or remind it; False when there is nothing to do but wait."""
    closed = await recoveries.find_closed(session, peer)
    if closed is None:
        return False
    if closed.asked_at is None:
        await ask_peer(session, node, closed, now=now)
        return True
    return await finish_peer(session, node, closed, now=now) or await remind(session, node, closed, now=now)


async def end_recoveries(session: Session, node: Node, *, now: datetime) -> bool:
    """End every recovery that has its new log epoch and whose peers are all open; False when there is none."""
    ended = await recoveries.end_finished(session, now=now)
    for one in ended:
        contents: dict[str, JSON] = {"recovery": {"id": str(one)}}
        await record(session, node, Fact(FactType.RECOVERY_ENDED, contents=contents), actor=SYSTEM, now=now)
        await announce(session, Event("node.recovered", "node", node.code, None, {}), now=now)
    return bool(ended)
