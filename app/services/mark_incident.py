"""An exchange is marked UNDER_INCIDENT, until that is over: by the side that is asked, which alone changes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import exchanges, incidents, threads
from app.db.threads import ThreadKey
from app.domain.codes import Direction
from app.domain.exchange.moves import written
from app.domain.exchange.requested_effects import with_flag, without_flag
from app.domain.exchange_codes import Flag
from app.domain.moments import to_milliseconds
from app.services.node import SYSTEM
from app.services.send_state import send_state
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import Session
    from app.db.exchanges import ExchangeRecord
    from app.domain.exchange.values import Exchange
    from app.services.node import Node


async def mark_incident(
    session: Session, node: Node, touched: Sequence[ExchangeRecord], *, party: str | None, now: datetime
) -> None:
    """Write it into the timelines of both; at the requested side also into the states, once, which are sent.

    `party`: the contact point where it happened, None for this one. All threads are locked before the first exchange.
    """
    await _lock(session, touched)
    for one in sorted(touched, key=lambda one: one.value.id):
        record = await exchanges.load(session, one.value.id, for_update=True)
        if record is not None:
            record = await _put_mark(session, node, record, under=True, now=now)
            await _tell(session, node, record.value, said=("under_incident", party), now=now)


async def unmark_incident(
    session: Session, node: Node, touched: Sequence[ExchangeRecord], *, party: str | None, now: datetime
) -> None:
    """The same once an incident is over, which is on record; the mark stays where another one touches the exchange.

    `party`: the contact point that says so, None for this one.
    """
    await _lock(session, touched)
    still = await incidents.touched_still(session, [one.value.id for one in touched])
    for one in sorted(touched, key=lambda one: one.value.id):
        record = await exchanges.load(session, one.value.id, for_update=True)
        if record is not None:
            record = await _put_mark(session, node, record, under=record.value.id in still, now=now)
            await _tell(session, node, record.value, said=("incident_over", party), now=now)


async def load_shared(session: Session, peer: str, ids: Sequence[UUID]) -> list[ExchangeRecord]:
    """Those of these exchanges that are there and shared with that contact point, by id."""
    found = await exchanges.load_many(session, sorted(set(ids)))
    return [one for _, one in sorted(found.items()) if one.peer == peer]


async def _lock(session: Session, touched: Sequence[ExchangeRecord]) -> None:
    await threads.lock(session, [ThreadKey(str(one.value.id), one.peer) for one in touched])


async def _put_mark(
    session: Session, node: Node, record: ExchangeRecord, *, under: bool, now: datetime
) -> ExchangeRecord:
    """The record with the mark as it is to be; where that is new, and this side decides, kept and sent."""
    value = record.value
    if record.direction is not Direction.INCOMING or (Flag.UNDER_INCIDENT in value.flags) is under:
        return record
    changed = (with_flag if under else without_flag)(value, Flag.UNDER_INCIDENT)
    marked = replace(record, value=written(changed, over=value, now=to_milliseconds(now)))
    await exchanges.save(session, marked, read_generation=value.generation, now=now)
    await send_state(session, node, marked, now=now)
    return marked


async def _tell(session: Session, node: Node, value: Exchange, *, said: tuple[str, str | None], now: datetime) -> None:
    """`said`: the event, and the contact point that it comes from."""
    event, party = said
    told = Happening(
        kind="exchange",
        subject=value.id,
        event=event,
        state=value.state,
        generation=value.generation,
        party=party,
        for_agency=False,
        ids={"reference": value.request_reference},
    )
    await tell(session, node, told, actor=SYSTEM, now=now)
