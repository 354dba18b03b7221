"""When a month is over and settled, what happened in it is counted, once and for good (domain.md 7.3)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app.db import recoveries, statistics, tallies
from app.domain.documents.languages import read_there
from app.domain.statistics import first_shown, last_final, tally

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.services.node import Node


async def must_count(session: ReadSession, *, now: datetime) -> bool:
    """Whether a month is final that was not counted yet. After a restore it waits until every peer has answered."""
    counted = await tallies.last_counted(session)
    if counted is not None and counted >= last_final(now):
        return False
    return not await recoveries.closed_peers(session)


async def count_months(session: Session, node: Node, *, now: datetime) -> bool:
    """Count every final month that was not; False if another process of this node is at it.

    Commit point: the tallies and the mark that their months are counted are one transaction. A crash before it leaves
    nothing, and the next look counts; after it, nothing is counted again, whatever becomes of the cases.
    """
    counted, final = await tallies.last_counted(session), last_final(now)
    if not await tallies.claim(session, final, now=now):
        return False
    begin = first_shown(now) if counted is None else max(counted.after, first_shown(now))
    since, until = begin.begins_at, final.after.begins_at
    languages = {point.code: read_there(point) for point in node.directory.contact_points}
    samples = await statistics.courses(session, since=since, read_there=languages)
    samples += await statistics.holds(session, since=since)
    samples += await statistics.traffic_paths(session, since=since)
    samples += await statistics.triage(session, since=since)
    samples += await statistics.test_calls(session, since=since, now=now)
    # In a thread: what is urgent goes on meanwhile.
    made = await asyncio.to_thread(tally, [one for one in samples if since <= one.at < until])
    await tallies.add(session, made)
    return True
