"""`incident/1` arrives: a contact point says that data of our cases were exposed, altered or lost there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import exchanges, incidents
from app.db.incidents import IncidentRecord
from app.domain.codes import Direction, Fate
from app.domain.message_reading import read_body
from app.domain.service_messages import IncidentBody
from app.services.announce import Event, announce
from app.services.inbound import Applied
from app.services.mark_incident import mark_incident

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.services.inbound import Received
    from app.services.node import Node


async def take_incident(session: Session, node: Node, received: Received, now: datetime) -> Applied:
    """Keep it, tell the desk, mark the exchanges; those that are not shared with the writer are passed over."""
    body = read_body(IncidentBody, received.body).body
    found = await exchanges.load_many(session, sorted(set(body.exchanges)))
    shared = [one for _, one in sorted(found.items()) if one.peer == received.peer]
    told = IncidentRecord(
        id=body.incident_id,
        peer=received.peer,
        direction=Direction.INCOMING,
        discovered_at=body.discovered_at,
        told_at=received.received_at,
        what=body.what,
        mitigations=body.mitigations,
        contact=body.contact,
        exchanges=[one.value.id for one in shared],
        limit_onward=body.limit_onward,
    )
    if not await incidents.add(session, told):
        return Applied(Fate.APPLIED)
    event = Event(
        "contact_point.incident",
        "contact_point",
        received.peer,
        None,
        {"incident_id": str(told.id), "exchanges": len(shared), "limit_onward": int(told.limit_onward)},
    )
    await announce(session, event, now=now)
    await mark_incident(session, node, shared, party=received.peer, now=now)
    return Applied(Fate.APPLIED)
