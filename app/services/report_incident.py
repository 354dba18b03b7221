"""Data were exposed, altered or lost here: each contact point whose cases it touches is told, of these alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import exchanges, incidents
from app.db.incidents import IncidentRecord
from app.domain.codes import Direction, Lane, MessageType
from app.domain.messages import write_body
from app.domain.moments import to_milliseconds
from app.domain.service_messages import MAX_AFFECTED, IncidentBody
from app.errors import FieldError, Refused
from app.services.identifiers import new_id
from app.services.mark_incident import mark_incident
from app.services.record import record
from app.services.send import Outgoing, put

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime
    from uuid import UUID

    from app.db.exchanges import ExchangeRecord
    from app.services.node import Acting


@dataclass(frozen=True, slots=True)
class Reported:
    """What a supervisor reports. `peers` are told even if no exchange with them is known to be touched."""

    discovered_at: datetime
    what: str
    mitigations: str
    contact: str
    exchanges: Collection[UUID]
    peers: Collection[str]
    limit_onward: bool


async def report_incident(acting: Acting, reported: Reported) -> list[IncidentRecord]:
    """Tell every contact point concerned, urgently; returns what each is told (CETS 224 art. 14(7)).

    Raises Refused `exchange_unknown`, `contact_point_unknown`, `nobody_concerned`.
    """
    touched = await _touched(acting, reported.exchanges)
    known = {point.code for point in acting.node.directory.contact_points} - {acting.node.code}
    if not set(reported.peers) <= known:
        wrong = FieldError("/peers", "contact_point_unknown", "The directory does not know every one of these codes.")
        raise Refused("contact_point_unknown", "A contact point is not there.", errors=(wrong,))
    concerned = sorted({one.peer for one in touched} | set(reported.peers))
    if not concerned:
        wrong = FieldError("/exchanges", "nobody_concerned", "Name the exchanges that are touched, or whom to tell.")
        raise Refused("nobody_concerned", "Nobody would be told.", errors=(wrong,))
    # Before the messages: a command locks its threads first. Both leave with this transaction, or neither does.
    await mark_incident(acting.session, acting.node, touched, party=None, now=acting.now)
    told = [await _tell(acting, reported, peer, [one for one in touched if one.peer == peer]) for peer in concerned]
    said = {"peers": concerned, "exchanges": [str(one.value.id) for one in touched], "what": reported.what}
    fact = Fact(FactType.OPERATOR_ACTION, contents={"incident": said})
    await record(acting.session, acting.node, fact, actor=acting.actor, now=acting.now)
    return told


async def _touched(acting: Acting, ids: Iterable[UUID]) -> list[ExchangeRecord]:
    wanted = sorted(set(ids))
    found = await exchanges.load_many(acting.session, wanted)
    if len(found) < len(wanted):
        wrong = FieldError("/exchanges", "exchange_unknown", "Not every one of these is an exchange of this node.")
        raise Refused("exchange_unknown", "An exchange is not there.", errors=(wrong,))
    return [found[one] for one in wanted]


async def _tell(acting: Acting, reported: Reported, peer: str, touched: list[ExchangeRecord]) -> IncidentRecord:
    told = IncidentRecord(
        id=new_id(),
        peer=peer,
        direction=Direction.OUTGOING,
        discovered_at=to_milliseconds(reported.discovered_at),
        told_at=acting.now,
        what=reported.what,
        mitigations=reported.mitigations,
        contact=reported.contact,
        exchanges=[one.value.id for one in touched][:MAX_AFFECTED],
        limit_onward=reported.limit_onward,
    )
    await incidents.add(acting.session, told)
    await send_report(acting, told)
    return told


async def send_report(acting: Acting, told: IncidentRecord) -> None:
    """Send one incident, as it is on record, to the contact point that it concerns."""
    body = IncidentBody(
        incident_id=told.id,
        discovered_at=told.discovered_at,
        what=told.what,
        mitigations=told.mitigations,
        contact=told.contact,
        exchanges=tuple(told.exchanges),
        limit_onward=told.limit_onward,
        over_at=told.over_at,
        over_note=told.over_note,
    )
    letter = Outgoing(told.peer, MessageType.INCIDENT, write_body(body), lane=Lane.URGENT)
    await put(acting.session, acting.node, letter, now=acting.now)
