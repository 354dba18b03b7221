"""Tell the feed that something of this node changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import events
from app.db.events import Event

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session

__all__ = ["Event", "announce"]


async def announce(session: Session, event: Event, *, now: datetime) -> None:
    """Add `event` to the feed, in the caller's transaction: it appears when, and only if, the change does.

    It carries identifiers and states, never content: who wants the content fetches it, and that reading is recorded.
    """
    await events.append_event(session, event, now=now)
