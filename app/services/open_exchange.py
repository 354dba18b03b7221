"""An `exchange.open/1` arrives: the exchange begins at the requested node."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import exchanges
from app.db.exchanges import ExchangeRecord
from app.domain.codes import Direction, Fate
from app.domain.exchange.opening import attach, open_exchange
from app.domain.exchange.timers import next_timer
from app.domain.message_reading import check_parties, read_body
from app.domain.messages import OpenBody, write_body
from app.domain.request_types import REQUEST_KINDS, Opening
from app.errors import Conflict, StorageInconsistent
from app.services.inbound import Applied
from app.services.node import SYSTEM
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.db.engine import Session
    from app.domain.exchange.values import Exchange
    from app.services.inbound import Received
    from app.services.node import Node

NOT_YOURS = Applied(Fate.REFUSED, "not_yours")


async def apply_open(session: Session, node: Node, received: Received, now: datetime) -> Applied:
    """Begin the exchange as DELIVERED, or give its document to one that was noted by voice (ruling 15)."""
    understood = read_body(OpenBody, received.body)
    body = understood.body
    try:
        check_parties(body, iss=received.peer, aud=node.code)
    except Conflict as conflict:
        return Applied(Fate.REFUSED, conflict.code)
    if REQUEST_KINDS[body.type].opening not in {Opening.REQUEST, Opening.HOLD_ACT}:
        return Applied(Fate.REFUSED, "not_a_request")
    exchange_id = thread_id(received)
    noted = await exchanges.load(session, exchange_id, for_update=True)
    if noted is None:
        value = open_exchange(exchange_id, body, now=now)
        begun = incoming(value, write_body(body), now=now, not_understood=understood.not_understood)
        await exchanges.add(session, begun, now=now)
    else:
        try:
            value = attach(noted.value, body, now=now)
        except Conflict:
            return NOT_YOURS
        opened = replace(
            noted,
            value=value,
            opening=write_body(body),
            not_understood=list(understood.not_understood),
            due_at=next_timer(value),
        )
        await exchanges.save(session, opened, read_generation=noted.value.generation, now=now)
    delivered = Happening(
        kind="exchange",
        subject=exchange_id,
        event="delivered",
        state=value.state,
        generation=value.generation,
        detail={"type": value.type, "tier": value.tier, "requesting": value.requesting},
        party=received.peer,
        for_agency=False,
        ids={"reference": value.request_reference},
    )
    await tell(session, node, delivered, actor=SYSTEM, now=now)
    return Applied(Fate.APPLIED)


def incoming(
    value: Exchange, opening: dict[str, Any], *, now: datetime, not_understood: Sequence[str] = ()
) -> ExchangeRecord:
    """The record of an exchange opened towards us."""
    return ExchangeRecord(
        value=value,
        direction=Direction.INCOMING,
        request_id=None,
        opening=opening,
        not_understood=list(not_understood),
        undeliverable=False,
        delivery_due_at=None,
        due_at=next_timer(value),
        created_at=now,
    )


def thread_id(received: Received) -> UUID:
    """The exchange that a message of its thread is about."""
    if received.thread is None:
        raise StorageInconsistent("thread_missing", "A message of an exchange has no thread.")
    return UUID(received.thread)
