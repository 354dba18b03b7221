"""The clocks of one request or exchange: what is due is listed, what is late is told, once per level (domain.md 6.7).

Nothing here changes the state of anything. Each node escalates only what it can see: the requested side what is in its
database, the requesting side what the last snapshot showed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.db import escalations, exchanges, recoveries, requests, watched
from app.domain.deadlines import (
    DeskWork,
    Level,
    Subject,
    audience_of,
    levels_of,
    next_level_at,
    open_deadlines,
    open_deadlines_of_request,
    reached_level,
)
from app.domain.moments import to_milliseconds
from app.services.identifiers import new_id
from app.services.standpoint import standpoint_of
from app.services.tell_escalation import Escalated, tell_escalation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session
    from app.db.exchanges import ExchangeRecord
    from app.db.requests import RequestRecord
    from app.domain.deadlines import Deadline
    from app.services.node import Node

BATCH = 100

LOOK_AGAIN_WHEN_CLOSED = timedelta(minutes=1)
"""How soon an exchange is looked at again whose other side is still asked, after a restore, how it stands."""


async def find_watched(session: ReadSession, *, now: datetime) -> list[UUID]:
    """Requests and exchanges that changed, or of which a clock has come to a level; longest due first."""
    return await watched.due_subjects(session, now=now, limit=BATCH)


async def escalate(session: Session, node: Node, subject: UUID, *, now: datetime) -> None:
    """List what is due of `subject`, tell whoever has to know of the levels it reached, and note when to look next.

    Commit point: the lists, the marks of what was told, the events that tell it and the time of the next look are one
    transaction. After a crash before it, the next look does the same again; after it, nothing is left to do.
    """
    kind = await watched.claim(session, subject, now=now)
    if kind is None:
        return
    seen = await _see(session, node, kind, subject=subject, now=now)
    if seen is None:
        await watched.look_again(session, subject, at=now + LOOK_AGAIN_WHEN_CLOSED)
        return
    before = await escalations.replace_all(session, subject, seen.deadlines, ids=[new_id() for _ in seen.deadlines])
    waited_for = {one.step for one in seen.deadlines}
    ended = [one for one in before if one.step not in waited_for and levels_of(one)]
    await escalations.count_ended(session, ended, at=min(now, seen.changed_at))
    for one in seen.deadlines:
        await _escalate_one(session, node, seen, one=one, now=now)
    await watched.look_again(session, subject, at=next_level_at(seen.deadlines, now))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A request or an exchange with what is due of it; `changed_at` is when it came to be as it is."""

    record: RequestRecord | ExchangeRecord | None
    deadlines: Sequence[Deadline]
    changed_at: datetime


async def _see(session: ReadSession, node: Node, kind: Subject, *, subject: UUID, now: datetime) -> _Seen | None:
    """None while a restored node does not know yet how it stands."""
    if kind is Subject.REQUEST:
        request = await requests.load(session, subject)
        if request is None:
            return _Seen(None, (), now)
        return _Seen(request, open_deadlines_of_request(_work(request), clocks=node.clocks), request.updated_at)
    exchange = await exchanges.load(session, subject)
    if exchange is None:
        return _Seen(None, (), now)
    if exchange.peer in await recoveries.closed_peers(session):
        return None
    due = open_deadlines(exchange.value, standpoint_of(node, exchange), now=to_milliseconds(now))
    return _Seen(exchange, due, exchange.value.changed_at)


def _work(request: RequestRecord) -> DeskWork:
    return DeskWork(
        id=request.id,
        tier=request.tier,
        state=request.state,
        filed_at=request.created_at,
        triage_due_at=request.triage_due_at,
        review_due_at=None if request.reviewed_by is not None else request.review_due_at,
    )


async def _escalate_one(session: Session, node: Node, seen: _Seen, *, one: Deadline, now: datetime) -> None:
    level = reached_level(one, now)
    if level is None or seen.record is None:
        return
    told = await escalations.told_level(session, one)
    if told is not None and told >= level:
        return
    if await escalations.remember(session, one, level, now=now):
        audience = audience_of(one, level, told=told)
        await tell_escalation(session, node, seen.record, escalated=Escalated(one, Level(level), audience), now=now)
