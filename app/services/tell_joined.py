"""Agencies whose requests joined another one's exchange hear of its changes as its own agency does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import requests
from app.services.announce import Event, announce

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.requests import RequestRecord
    from app.domain.exchange.values import Exchange


async def tell_joined(session: Session, opener: RequestRecord | None, value: Exchange, *, now: datetime) -> None:
    """One event for each request that joined: of that request, so that it names no other agency's."""
    for joined in [] if opener is None else await requests.merged_into(session, opener.id):
        event = Event(
            kind="request.exchange_changed",
            subject_kind="request",
            subject_id=str(joined.id),
            agency_id=joined.agency_id,
            data={
                "state": joined.state,
                "generation": joined.generation,
                "reference": joined.reference,
                "exchange_id": str(value.id),
                "exchange_state": value.state,
                "exchange_generation": value.generation,
            },
        )
        await announce(session, event, now=now)
