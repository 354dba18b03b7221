"""An `exchange.open/1` arrives: the exchange begins at the requested node."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import exchanges
from app.db.exchanges import ExchangeRecord
from app.db.threads import ThreadKey
from app.domain.codes import Direction, Fate
from app.domain.exchange.judging import awaiting_withdrawal
from app.domain.exchange.opening import attach, open_exchange
from app.domain.exchange.timers import next_timer
from app.domain.message_reading import check_parties, read_body
from app.domain.messages import OpenBody, write_body
from app.domain.request_types import REQUEST_KINDS, Opening
from app.errors import Conflict, StorageInconsistent
from app.services.bind_files import bind_files
from app.services.inbound import Applied
from app.services.look_ahead import Ahead, look_ahead
from app.services.mark_exchange import mark_exchange
from app.services.node import SYSTEM
from app.services.tell import Happening, tell
from app.services.warn_of_withdrawal import withdrawal_waits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.db.engine import Session
    from app.domain.exchange.values import Exchange
    from app.domain.message_reading import Understood
    from app.services.inbound import Received
    from app.services.node import Node

NOT_YOURS = Applied(Fate.REFUSED, "not_yours")


async def apply_open(session: Session, node: Node, received: Received, now: datetime) -> Applied:
    """Begin the exchange as DELIVERED, or give its document to one that was noted by voice (ruling 15).

    What its sender has withdrawn meanwhile, in a message that follows without a gap, is born WITHDRAWN instead: the
    desk reads that it came and is gone, and never has it as work.
    """
    understood = read_body(OpenBody, received.body)
    body = understood.body
    try:
        check_parties(body, iss=received.peer, aud=node.code)
    except Conflict as conflict:
        return Applied(Fate.REFUSED, conflict.code)
    if REQUEST_KINDS[body.type].opening not in {Opening.REQUEST, Opening.HOLD_ACT}:
        return Applied(Fate.REFUSED, "not_a_request")
    exchange_id = thread_id(received)
    ahead = await look_ahead(session, ThreadKey(str(exchange_id), received.peer), seq=received.seq or 0)
    noted = await exchanges.load(session, exchange_id, for_update=True)
    if noted is None:
        value = _begin(exchange_id, body, ahead, confirm_within=formal_term(node), now=now)
        begun = incoming(value, write_body(body), now=now, not_understood=understood.not_understood)
        await exchanges.add(session, begun, now=now)
    else:
        try:
            value = attach(noted.value, body, now=now, confirm_within=formal_term(node))
        except Conflict:
            return NOT_YOURS
        if ahead.waits or ahead.withdraw is not None:
            value = awaiting_withdrawal(value)
        await _save_attached(session, noted, value, understood, now=now)
    await mark_exchange(session, node, exchange_id, document=body.document, now=now)
    await _tell_arrival(session, node, value, received, now=now)
    await bind_files(session, node, received, body.attachments, now=now)
    return Applied(Fate.APPLIED)


def formal_term(node: Node) -> timedelta | None:
    """Within what time we want a formal confirmation (art. 25(3)); None where our directory entry asks for none."""
    point = node.directory.point(node.code)
    days = None if point is None else point.requires_formal_confirmation.days
    return None if days is None else timedelta(days=days)


def _begin(
    exchange_id: UUID, body: OpenBody, ahead: Ahead, *, confirm_within: timedelta | None, now: datetime
) -> Exchange:
    value = open_exchange(exchange_id, body, now=now, withdraw=ahead.withdraw, confirm_within=confirm_within)
    if ahead.withdraw is not None:
        # Its own turn comes in this same transaction, or, if an effect raised and each stands alone, in one of its own.
        return replace(value, private=replace(value.private, withdrawn_at_birth=ahead.act_id))
    return awaiting_withdrawal(value) if ahead.waits else value


async def _save_attached(
    session: Session, noted: ExchangeRecord, value: Exchange, understood: Understood[OpenBody], *, now: datetime
) -> None:
    opened = replace(
        noted,
        value=value,
        opening=write_body(understood.body),
        not_understood=list(understood.not_understood),
        due_at=next_timer(value),
    )
    await exchanges.save(session, opened, read_generation=noted.value.generation, now=now)


async def _tell_arrival(session: Session, node: Node, value: Exchange, received: Received, *, now: datetime) -> None:
    born_withdrawn = value.private.withdrawn_at_birth is not None
    delivered = Happening(
        kind="exchange",
        subject=value.id,
        event="arrived_withdrawn" if born_withdrawn else "delivered",
        state=value.state,
        generation=value.generation,
        detail={"type": value.type, "tier": value.tier, "requesting": value.requesting},
        party=received.peer,
        for_agency=False,
        ids={"reference": value.request_reference},
    )
    await tell(session, node, delivered, actor=SYSTEM, now=now)
    if value.private.withdrawal_waiting:
        await tell(session, node, withdrawal_waits(value), actor=SYSTEM, now=now)


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
