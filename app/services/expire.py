"""What time alone does: at the requested node it ends holds and exchanges; at the requesting one it raises an alarm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import exchanges, requests, threads
from app.db.threads import ThreadKey
from app.domain.exchange.reminding import was_reminded
from app.domain.exchange.timers import expire, is_undelivered, next_timer
from app.domain.exchange_codes import Side
from app.services.node import SYSTEM
from app.services.send_state import send_state
from app.services.state_undeliverable import state_undeliverable
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session
    from app.envelope.keys import SigningKey
    from app.services.node import Node

BATCH = 100

REMINDED = "reminded"
"""The event at both sides: the requesting side was asked once more for what it has not answered."""


async def find_due(session: ReadSession, *, now: datetime) -> list[UUID]:
    """Exchanges opened towards us of which a timer has run out, longest due first."""
    return await exchanges.due(session, now, limit=BATCH)


async def find_undelivered(session: ReadSession, *, now: datetime) -> list[UUID]:
    """Exchanges of ours from which nothing has come back within the delivery clock, and not yet marked."""
    return await exchanges.delivery_overdue(session, now, limit=BATCH)


async def expire_one(session: Session, node: Node, exchange_id: UUID, *, now: datetime) -> None:
    """Let every timer of the exchange that has run out have its effect, once, and tell the other side."""
    seen = await exchanges.load(session, exchange_id)
    if seen is None:
        return
    await threads.lock(session, [ThreadKey(str(exchange_id), seen.value.requesting)])
    record = await exchanges.load(session, exchange_id, for_update=True)
    if record is None:
        return
    changed = expire(record.value, now)
    after = replace(record, value=changed, due_at=next_timer(changed))
    if changed is record.value and after.due_at == record.due_at:
        return
    await exchanges.save(session, after, read_generation=record.value.generation, now=now)
    if changed is record.value:
        return
    await send_state(session, node, after, now=now)
    ended = Happening(
        kind="exchange",
        subject=exchange_id,
        event=REMINDED if was_reminded(record.value, changed) else "time_ran_out",
        state=changed.state,
        generation=changed.generation,
        for_agency=False,
        ids={"reference": changed.request_reference},
    )
    await tell(session, node, ended, actor=SYSTEM, now=now)


async def mark_undelivered(
    session: Session, node: Node, exchange_id: UUID, *, key: SigningKey | None, now: datetime
) -> None:
    """Show UNDELIVERABLE (ruling 15): not an end, an alarm, and a statement of what was tried. Resending goes on.

    A node that has no usable `key` at the moment alarms its desk all the same, and states nothing.
    """
    record = await exchanges.load(session, exchange_id, for_update=True)
    if record is None or record.undeliverable or not is_undelivered(record.value, side=Side.REQUESTING, now=now):
        return
    marked = replace(record, undeliverable=True)
    await exchanges.save(session, marked, read_generation=record.value.generation, now=now)
    stated = None if key is None else await state_undeliverable(session, node, marked, key=key, now=now)
    request = await requests.load_for_exchange(session, exchange_id)
    alarm = Happening(
        kind="exchange",
        subject=exchange_id,
        event="undeliverable",
        state=record.value.state,
        generation=record.value.generation,
        agency_id=None if request is None else request.agency_id,
        detail={} if stated is None else {"statement": stated},
        ids={"reference": record.value.request_reference},
    )
    await tell(session, node, alarm, actor=SYSTEM, now=now)
