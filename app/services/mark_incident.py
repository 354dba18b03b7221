"""An exchange is marked UNDER_INCIDENT: by the side that is asked, which alone changes it; the other learns from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import exchanges, threads
from app.db.threads import ThreadKey
from app.domain.codes import Direction
from app.domain.exchange.moves import written
from app.domain.exchange.requested_effects import with_flag
from app.domain.exchange_codes import Flag
from app.domain.moments import to_milliseconds
from app.services.node import SYSTEM
from app.services.send_state import send_state
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.db.engine import Session
    from app.db.exchanges import ExchangeRecord
    from app.services.node import Node


async def mark_incident(
    session: Session, node: Node, touched: Sequence[ExchangeRecord], *, party: str | None, now: datetime
) -> None:
    """Write it into the timelines of both; at the requested side also into the states, once, which are sent.

    `party`: the contact point where it happened, None for this one. All threads are locked before the first exchange.
    """
    await threads.lock(session, [ThreadKey(str(one.value.id), one.peer) for one in touched])
    for one in sorted(touched, key=lambda one: one.value.id):
        await _mark(session, node, one, party=party, now=now)


async def _mark(session: Session, node: Node, found: ExchangeRecord, *, party: str | None, now: datetime) -> None:
    record = await exchanges.load(session, found.value.id, for_update=True)
    if record is None:
        return
    value = record.value
    if record.direction is Direction.INCOMING and Flag.UNDER_INCIDENT not in value.flags:
        value = written(with_flag(value, Flag.UNDER_INCIDENT), over=value, now=to_milliseconds(now))
        marked = replace(record, value=value)
        await exchanges.save(session, marked, read_generation=record.value.generation, now=now)
        await send_state(session, node, marked, now=now)
    told = Happening(
        kind="exchange",
        subject=value.id,
        event="under_incident",
        state=value.state,
        generation=value.generation,
        party=party,
        for_agency=False,
        ids={"reference": value.request_reference},
    )
    await tell(session, node, told, actor=SYSTEM, now=now)
