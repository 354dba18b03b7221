"""A message that waits for an hour for one which has not come is shown to the desk: people may have to telephone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import recoveries, waiting
from app.domain.moments import write_instant
from app.services.advise_on_waiting import GAP_ALARM
from app.services.announce import Event, announce

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.waiting import Gap

EVENT = "gap_alarmed"


async def alarm_gaps(session: Session, *, now: datetime) -> int:
    """Announce each gap older than `GAP_ALARM`, once per gap; returns how many were new.

    A gap is a thread and the first number that is missing: when that one has come and a later one is missing, it is
    another. Not while we wait for the peer's resync, when everything of theirs waits.
    """
    closed = await recoveries.closed_peers(session)
    old = [
        gap
        for gap in await waiting.gaps(session, passing_over=closed)
        if now - gap.since >= GAP_ALARM and gap.alarmed != gap.missing[0]
    ]
    new = [gap for gap in sorted(old, key=lambda gap: gap.key) if await waiting.mark_alarmed(session, gap)]
    for gap in new:
        await announce(session, _event(gap), now=now)
    return len(new)


def _event(gap: Gap) -> Event:
    """About the exchange where the thread is one; a file's thread, or one of no form, is its peer's."""
    is_exchange = gap.exchange_id is not None
    return Event(
        kind=f"exchange.{EVENT}" if is_exchange else f"contact_point.{EVENT}",
        subject_kind="exchange" if is_exchange else "contact_point",
        subject_id=str(gap.exchange_id) if is_exchange else gap.key.peer,
        agency_id=None,
        data={
            "peer": gap.key.peer,
            "first_missing": gap.missing[0],
            "missing": gap.missing_count,
            "waiting": gap.waiting,
            "since": write_instant(gap.since),
        },
    )
