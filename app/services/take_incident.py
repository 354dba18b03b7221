"""`incident/1` arrives: a contact point says that data of our cases were exposed, altered or lost there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import incidents
from app.db.incidents import IncidentRecord
from app.domain.codes import Direction, Fate
from app.domain.exchange_codes import Flag
from app.domain.message_reading import read_body
from app.domain.service_messages import IncidentBody
from app.services.announce import Event, announce
from app.services.inbound import Applied
from app.services.mark_incident import load_shared, mark_incident, unmark_incident

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.services.inbound import Received
    from app.services.node import Node


async def take_incident(session: Session, node: Node, received: Received, now: datetime) -> Applied:
    """Keep it, tell the desk, mark the exchanges; those that are not shared with the writer are passed over.

    The same report again changes nothing, but for one: that it is over. That may come first, nothing is in order here.
    """
    body = read_body(IncidentBody, received.body).body
    shared = await load_shared(session, received.peer, body.exchanges)
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
        over_at=body.over_at,
        over_note=body.over_note,
    )
    if await incidents.add(session, told):
        await _announce(session, "contact_point.incident", told, now=now)
        if told.over_at is None:
            await mark_incident(session, node, shared, party=received.peer, now=now)
        else:
            # The report itself may have been here, and be lost with a restore: what it marked bears the mark still.
            marked = [one for one in shared if Flag.UNDER_INCIDENT in one.value.flags]
            await unmark_incident(session, node, marked, party=received.peer, now=now)
        return Applied(Fate.APPLIED)
    known = await incidents.load(session, told.id, peer=received.peer)
    if told.over_at is None or known is None or known.over_at is not None:
        return Applied(Fate.APPLIED)
    await incidents.end(session, told)
    await _announce(session, "contact_point.incident_over", known, now=now)
    marked = await load_shared(session, received.peer, known.exchanges)
    await unmark_incident(session, node, marked, party=received.peer, now=now)
    return Applied(Fate.APPLIED)


async def _announce(session: Session, event: str, told: IncidentRecord, *, now: datetime) -> None:
    ids: dict[str, str | int | None] = {
        "incident_id": str(told.id),
        "exchanges": len(told.exchanges),
        "limit_onward": int(told.limit_onward),
    }
    await announce(session, Event(event, "contact_point", told.peer, None, ids), now=now)
