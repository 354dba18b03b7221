"""An incident is over: the mark is taken from its exchanges, and where it happened here the other side is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import incidents
from app.domain.codes import Direction
from app.domain.moments import to_milliseconds
from app.errors import Conflict, Unknown
from app.services.mark_incident import load_shared, unmark_incident
from app.services.record import record
from app.services.recovery.closed import refuse_closed
from app.services.report_incident import send_report

if TYPE_CHECKING:
    from uuid import UUID

    from app.db.incidents import IncidentRecord
    from app.services.node import Acting


async def find_incident(acting: Acting, incident_id: UUID) -> IncidentRecord:
    """An incident, locked. Raises Unknown."""
    found = await incidents.load(acting.session, incident_id)
    if found is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    return found


async def refuse_over(acting: Acting, found: IncidentRecord) -> None:
    """Raises Unavailable `recovering` while its other side is closed; Conflict `action_not_allowed` once over."""
    await refuse_closed(acting.session, acting.node, found.peer)
    if found.over_at is not None:
        raise Conflict("action_not_allowed", "This incident is over.")


async def end_incident(acting: Acting, found: IncidentRecord, *, note: str) -> IncidentRecord:
    """Say why a locked incident is over; one that happened elsewhere is over for this contact point alone."""
    over = replace(found, over_at=to_milliseconds(acting.now), over_note=note)
    await incidents.end(acting.session, over)
    touched = await load_shared(acting.session, over.peer, over.exchanges)
    # Before the message: a command locks its threads first. Both leave with this transaction, or neither does.
    await unmark_incident(acting.session, acting.node, touched, party=None, now=acting.now)
    if over.direction is Direction.OUTGOING:
        await send_report(acting, over)
    said = {"id": str(over.id), "act": "over", "exchanges": [str(one) for one in over.exchanges], "note": note}
    fact = Fact(FactType.OPERATOR_ACTION, peer=over.peer, contents={"incident": said})
    await record(acting.session, acting.node, fact, actor=acting.actor, now=acting.now)
    return over
