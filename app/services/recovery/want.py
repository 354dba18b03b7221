"""Ask a peer for texts of ours of which we know only its receipts (ruling 22)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import Lane, MessageType, ResyncKind
from app.domain.delivery_messages import MAX_WANTED, ResyncBody
from app.domain.messages import write_body
from app.services.identifiers import new_id
from app.services.send import Outgoing, put

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import Session
    from app.services.node import Node


async def ask_for_texts(session: Session, node: Node, peer: str, jtis: Collection[UUID], *, now: datetime) -> None:
    """Queue one `resync/1` that wants these. Call it once per text: for what was not asked for before."""
    wanted = sorted(jtis)
    for start in range(0, len(wanted), MAX_WANTED):
        body = ResyncBody(
            id=new_id(),
            kind=ResyncKind.WANT,
            lane=Lane.URGENT,
            want=tuple(wanted[start : start + MAX_WANTED]),
        )
        letter = Outgoing(peer, MessageType.RESYNC, write_body(body), lane=Lane.URGENT)
        await put(session, node, letter, now=now)
