"""An act of the requesting side arrives at the requested node and is judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import exchanges
from app.domain.codes import Direction, Fate
from app.domain.exchange.file_markings import with_files
from app.domain.exchange.judging import Judged, judge
from app.domain.exchange.timers import next_timer
from app.domain.message_reading import read_body
from app.domain.messages import ActionBody, HoldActionBody
from app.domain.tiers import lane_of
from app.services.bind_files import bind_files
from app.services.exchange_rules import rules_for
from app.services.inbound import Applied
from app.services.node import SYSTEM
from app.services.open_exchange import NOT_YOURS, thread_id
from app.services.send import move_lane
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.domain.message_reading import Understood
    from app.services.inbound import Received
    from app.services.node import Node


async def apply_wish(session: Session, node: Node, received: Received, now: datetime) -> Applied:
    """`exchange.action/1`: applied, stale or refused, as ruling 14 has it. The files of an applied act are bound."""
    understood = read_body(ActionBody, received.body)
    applied = await _apply(session, node, received, understood, now=now)
    if applied.fate is Fate.APPLIED:
        await bind_files(session, node, received, understood.body.attachments, now=now)
    return applied


async def apply_hold_wish(session: Session, node: Node, received: Received, now: datetime) -> Applied:
    """`hold.action/1`: the same."""
    return await _apply(session, node, received, read_body(HoldActionBody, received.body), now=now)


async def _apply(
    session: Session,
    node: Node,
    received: Received,
    understood: Understood[ActionBody] | Understood[HoldActionBody],
    *,
    now: datetime,
) -> Applied:
    wish = understood.body
    record = await exchanges.load(session, thread_id(received), for_update=True)
    if record is None:
        # The opening ended without an exchange; `answer_thread` says so at the end of this batch.
        return Applied(Fate.STALE)
    if record.direction is not Direction.INCOMING or record.value.requesting != received.peer:
        return NOT_YOURS
    before = record.value
    if received.jti == before.private.withdrawn_at_birth:
        # It was applied together with the opening, in the same generation (ruling 15).
        judged = Judged(Fate.APPLIED, None, before)
    else:
        zone = rules_for(node, before, now=now).zone
        judged = _with_files(judge(before, wish, now=now, first_received_at=received.received_at, zone=zone), wish)
    if judged.exchange is not before or understood.not_understood:
        after = replace(
            record,
            value=judged.exchange,
            not_understood=sorted({*record.not_understood, *understood.not_understood}),
            due_at=next_timer(judged.exchange),
        )
        await exchanges.save(session, after, read_generation=before.generation, now=now)
    if judged.exchange.tier is not before.tier:
        await move_lane(session, before.id, lane_of(judged.exchange.tier), now=now)
    arrived = Happening(
        kind="exchange",
        subject=before.id,
        event=wish.act.action if judged.fate is Fate.APPLIED else f"{wish.act.action}_{judged.fate}",
        state=judged.exchange.state,
        generation=judged.exchange.generation,
        detail=wish.act.model_dump(mode="json", exclude_none=True, exclude={"action", "generation"}),
        party=received.peer,
        for_agency=False,
        ids={"reference": before.request_reference},
    )
    await tell(session, node, arrived, actor=SYSTEM, now=now)
    return Applied(judged.fate, judged.code)


def _with_files(judged: Judged, wish: ActionBody | HoldActionBody) -> Judged:
    """What an applied act has brought, the exchange bears the marking of from now on."""
    if judged.fate is not Fate.APPLIED or not isinstance(wish, ActionBody):
        return judged
    return replace(judged, exchange=with_files(judged.exchange, wish.attachments))
