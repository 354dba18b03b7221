"""A signed request leaves the state: the exchange begins here, and its first message is queued."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.db import exchanges
from app.db.exchanges import ExchangeRecord
from app.domain.codes import Direction, Instrument, MessageType
from app.domain.documents import NORMALISED
from app.domain.exchange.clocks import delivery_due
from app.domain.exchange.opening import dispatched
from app.domain.instruments import require_basis, usable
from app.domain.messages import MarkingBody, OpenBody, write_body
from app.domain.moments import to_milliseconds
from app.domain.tiers import lane_of
from app.services.identifiers import new_id
from app.services.node import SYSTEM
from app.services.send import Outgoing, put
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.requests import RequestRecord
    from app.services.node import Acting, Node

OPENING_VALID = timedelta(days=30)
"""How long after signing an opening may still arrive and be acted on (ruling 16): half the shortest hold."""


async def dispatch(acting: Acting, record: RequestRecord) -> UUID:
    """Open the exchange as DISPATCHED, generation 0, and queue its `exchange.open/1`; returns its id.

    Raises Refused `N-NOBASIS` when no instrument in force between the two states covers the request.
    """
    session, node, now = acting.session, acting.node, acting.now
    exchange_id = new_id()
    opening = _opening(node, record, now=now)
    value = dispatched(exchange_id, opening, now=now)
    body = write_body(opening)
    opened = ExchangeRecord(
        value=value,
        direction=Direction.OUTGOING,
        request_id=record.id,
        opening=body,
        not_understood=[],
        undeliverable=False,
        delivery_due_at=delivery_due(value),
        due_at=None,
        created_at=now,
    )
    await exchanges.add(session, opened, now=now)
    letter = Outgoing(
        peer=record.requested,
        type=MessageType.EXCHANGE_OPEN,
        body=body,
        thread=str(exchange_id),
        exp=now + OPENING_VALID,
        lane=lane_of(record.tier),
    )
    await put(session, node, letter, now=now)
    begun = Happening(
        kind="exchange",
        subject=exchange_id,
        event="dispatched",
        state=value.state,
        generation=value.generation,
        agency_id=record.agency_id,
        detail={"requested": record.requested, "type": record.type, "tier": record.tier},
        ids={"request_id": str(record.id), "reference": record.reference},
    )
    await tell(session, node, begun, actor=SYSTEM, now=now)
    return exchange_id


def _opening(node: Node, record: RequestRecord, *, now: datetime) -> OpenBody:
    """The request as the other state will read it: the document as filed, without our own readings of it."""
    approval = record.approval or {}
    chosen = approval.get("instrument")
    bases = usable(node.code, record.requested, on=now.date(), type=record.type)
    require_basis(bases, None if chosen is None else Instrument(chosen))
    return OpenBody(
        type=record.type,
        tier=record.tier,
        requesting=node.code,
        requested=record.requested,
        request_reference=record.reference,
        opened_at=to_milliseconds(now),
        document={name: value for name, value in record.document.items() if name != NORMALISED},
        marking=MarkingBody.model_validate(approval["marking"], strict=False) if "marking" in approval else None,
    )
