"""An `exchange.state/1` arrives at the requesting node: the replica becomes what it says, and acts learn their fate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import acts, exchanges, requests
from app.domain.codes import Direction, Fate, Tier
from app.domain.exchange.reminding import was_reminded
from app.domain.message_reading import read_body
from app.domain.messages import StateBody
from app.domain.snapshot import adopt
from app.domain.tiers import is_higher, lane_of
from app.errors import Conflict
from app.services.bind_files import bind_files
from app.services.expire import REMINDED
from app.services.follow_traffic_path import follow_traffic_paths
from app.services.inbound import Applied
from app.services.node import SYSTEM
from app.services.open_exchange import NOT_YOURS, thread_id
from app.services.send import move_lane
from app.services.tell import Happening, tell
from app.services.tell_joined import tell_joined

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

    from app.db.engine import Session
    from app.db.exchanges import ExchangeRecord
    from app.domain.exchange.values import Exchange
    from app.services.inbound import Received
    from app.services.node import Node

RAISE = "raise_tier"


async def apply_state(session: Session, node: Node, received: Received, now: datetime) -> Applied:
    """Adopt the snapshot. Within a thread states come in order, so only a restored peer sends an older one: stale."""
    understood = read_body(StateBody, received.body)
    body = understood.body
    record = await exchanges.load(session, thread_id(received), for_update=True)
    if record is None or record.direction is not Direction.OUTGOING or record.value.requested != received.peer:
        return NOT_YOURS
    try:
        value = adopt(record.value, body.snapshot)
    except Conflict:
        return NOT_YOURS
    stale = body.snapshot.generation < record.value.generation
    after = replace(
        record,
        value=value,
        undeliverable=False,
        delivery_due_at=None,
        not_understood=understood.not_understood if not stale else record.not_understood,
    )
    await exchanges.save(session, after, read_generation=record.value.generation, now=now)
    ended = await _end_acts(session, node, after, body, now=now)
    if value.tier is not record.value.tier or RAISE in ended:
        await move_lane(session, value.id, lane_of(await _present_tier(session, value)), now=now)
    request = await requests.load_for_exchange(session, value.id)
    for happening in _happenings(record.value, value, agency_id=None if request is None else request.agency_id):
        await tell(session, node, happening, actor=SYSTEM, now=now)
    await tell_joined(session, request, value, now=now)
    if stale:
        return Applied(Fate.STALE)
    await follow_traffic_paths(session, node, (record.value, value), now=now)
    await bind_files(session, node, received, body.attachments, now=now)
    return Applied(Fate.APPLIED)


def _happenings(before: Exchange, after: Exchange, *, agency_id: str | None) -> Iterator[Happening]:
    """How it stands now; and that the other side has asked once more for an answer, if that is new."""
    told = Happening(
        kind="exchange",
        subject=after.id,
        event="state",
        state=after.state,
        generation=after.generation,
        agency_id=agency_id,
        detail=_news(before, after),
        party=after.requested,
        ids={"reference": after.request_reference},
    )
    yield told
    if was_reminded(before, after):
        yield replace(told, event=REMINDED, agency_id=None, detail={}, for_agency=False)


async def _present_tier(session: Session, value: Exchange) -> Tier:
    """The tier that the other side says, unless a raise of our own that is still under way asks for a higher one."""
    present = value.tier
    for act in await acts.under_way(session, [value.id]):
        wished = Tier(act.body["tier"]) if act.action == RAISE else present
        present = wished if is_higher(wished, than=present) else present
    return present


async def _end_acts(
    session: Session, node: Node, record: ExchangeRecord, body: StateBody, *, now: datetime
) -> set[str]:
    """Give each of our acts named in the answer its fate, once, and return which actions ended.

    The openings among them are nobody's act.
    """
    actions: set[str] = set()
    under_way = {act.id for act in await acts.under_way(session, [record.value.id])}
    for answer in body.answers:
        if answer.jti not in under_way:
            continue
        ended = await acts.end(session, answer.jti, fate=answer.fate, code=answer.code, now=now)
        if ended is None:
            continue
        actions.add(ended.action)
        fate = Happening(
            kind="exchange",
            subject=record.value.id,
            event=f"{ended.action}_{answer.fate}",
            state=record.value.state,
            generation=record.value.generation,
            detail={"action": ended.action, "fate": answer.fate, "code": answer.code},
            party=record.value.requested,
            for_agency=False,
            ids={"act_id": str(ended.id), "fate": str(answer.fate)},
        )
        await tell(session, node, fate, actor=SYSTEM, now=now)
    return actions


def _news(before: Exchange, after: Exchange) -> dict[str, Any]:
    """What a person wants to read in the timeline: the state it left, the state it came to, and why."""
    news: dict[str, Any] = {"from": before.state, "to": after.state}
    if after.reason is not None and after.reason != before.reason:
        news |= {"reason": after.reason, "reason_text": after.reason_text}
    return news
