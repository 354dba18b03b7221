"""After a new release or a new directory: what was not understood may be understood now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import inbox, threads
from app.db.tables_delivery import InboxState
from app.envelope.format import MAX_SKEW_SECONDS
from app.envelope.reasons import Reason
from app.services.inbound import objection_to, read_kept
from app.services.quarantine import CRASHED, release_texts

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.services.inbound import Due, Effects

LIMIT = 1_000
"""Messages looked at in one call, those waiting longest first."""


async def retry_quarantined(session: Session, *, effects: Effects, crashed: bool, now: datetime) -> int:
    """Give what would no longer be quarantined its turn again; returns how many.

    They are not applied here: the sweep that follows does that, each in a transaction of its own. `crashed` includes
    those whose effect raised, to be said after a new release only.
    """
    rows = [
        row
        for row in await inbox.oldest_in(session, InboxState.QUARANTINED, limit=LIMIT)
        if _is_ready(read_kept(row), effects, crashed=crashed, now=now)
    ]
    await threads.lock(session, {row.thread_key for row in rows if row.thread_key is not None})
    await release_texts(session, rows)
    return len(rows)


def _is_ready(due: Due, effects: Effects, *, crashed: bool, now: datetime) -> bool:
    match due.row.code:
        case Reason.FROM_THE_FUTURE.value:
            return due.claims.iat <= now.timestamp() + MAX_SKEW_SECONDS
        case Reason.UNKNOWN_VERSION.value:
            return False
        case code if code == CRASHED:
            return crashed
        case _:
            return objection_to(due.claims, effects) is None
