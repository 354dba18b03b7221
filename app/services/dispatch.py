"""A signed request leaves the state: the exchange begins here, and its first message is queued."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.db import exchanges
from app.db.exchanges import ExchangeRecord
from app.domain.codes import Direction, Instrument, MessageType
from app.domain.documents import NORMALISED
from app.domain.exchange.clocks import delivery_due
from app.domain.exchange.file_markings import marking_with_files
from app.domain.exchange.offering import leaving, offered_condition
from app.domain.exchange.opening import dispatched
from app.domain.instruments import other_roads, require_basis, usable
from app.domain.marking_bodies import filed_marking, write_marking
from app.domain.messages import BasisBody, OpenBody, write_body
from app.domain.moments import to_milliseconds
from app.domain.tiers import lane_of
from app.domain.transitions import OFFER
from app.services.attach_uploads import check_kept_files, files_of_request
from app.services.check_onward import check_onward_transfer
from app.services.identifiers import new_id
from app.services.node import SYSTEM
from app.services.send import Outgoing, put
from app.services.send_file import Addressed
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from uuid import UUID

    from app.db.requests import RequestRecord
    from app.services.node import Acting

OPENING_VALID = timedelta(days=30)
"""How long after signing an opening may still arrive and be acted on (ruling 16): half the shortest hold."""


async def dispatch(acting: Acting, record: RequestRecord) -> UUID:
    """Open the exchange as DISPATCHED, generation 0, and queue its `exchange.open/1`; returns its id.

    Raises Refused `N-NOBASIS` when no instrument in force between the two states covers the request, and what
    `check_onward_transfer` raises for one that passes on what another state gave. The content of an offer stays here.
    """
    session, node, now = acting.session, acting.node, acting.now
    await check_onward_transfer(acting, record)
    exchange_id = new_id()
    opening = await _opening(acting, record, exchange_id)
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


async def _opening(acting: Acting, record: RequestRecord, exchange_id: UUID) -> OpenBody:
    """The request as the other state will read it, with its files: as filed, without our own readings of it.

    The files of an offer are its content, and stay here with it.
    """
    node, now = acting.node, acting.now
    approval = record.approval or {}
    marking = filed_marking(approval["marking"]) if "marking" in approval else None
    addressed = Addressed(record.requested, exchange_id, marking)
    if record.type in OFFER:
        await check_kept_files(acting, record.id)
    files = [] if record.type in OFFER else await files_of_request(acting, record.id, addressed)
    bears = marking_with_files(marking, files)
    chosen = approval.get("instrument")
    bases = usable(node.code, record.requested, on=now.date(), type=record.type, law=node.law)
    instead = other_roads(node.law, node.code)
    basis = require_basis(bases, None if chosen is None else Instrument(chosen), instead=instead)
    return OpenBody(
        type=record.type,
        tier=record.tier,
        requesting=node.code,
        requested=record.requested,
        request_reference=record.reference,
        opened_at=to_milliseconds(now),
        document={name: value for name, value in leaving(record.document).items() if name != NORMALISED},
        basis=BasisBody(instrument=basis.instrument, articles=basis.articles),
        marking=None if bears is None else write_marking(bears),
        condition=offered_condition(record.document, record.type, condition_id=new_id()),
        attachments=tuple(files) or None,
    )
