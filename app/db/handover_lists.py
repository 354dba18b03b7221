"""What one shift hands over to the next: what is urgent and open, and holds that end soon (domain.md 3.7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from app.db.tables_domestic import request
from app.db.tables_exchange import exchange, hold
from app.domain.codes import Direction, HoldState, RequestType, Tier
from app.domain.exchange.values import TERMINAL
from app.domain.intake import TERMINAL as DECIDED

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession

PRESSING = (Tier.EMERGENCY, Tier.URGENT)
HOLDS_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Pressing:
    """One case that the next officer has to know; `ends_at` of a hold."""

    kind: str
    id: UUID
    exchange_id: UUID | None
    reference: str
    type: RequestType
    direction: Direction | None
    peer: str
    tier: Tier
    state: str
    ends_at: datetime | None = None


async def pressing(session: ReadSession, *, now: datetime) -> list[Pressing]:
    """Open requests of agencies and exchanges of both urgent tiers, then holds that end within seven days.

    In a fixed order; the deadlines of each are in the desk's own list.
    """
    return [*await _requests(session), *await _exchanges(session), *await _holds(session, now)]


async def _exchanges(session: ReadSession) -> list[Pressing]:
    query = (
        select(*_ABOUT)
        .where(exchange.c.tier.in_(PRESSING), exchange.c.state.not_in(TERMINAL))
        .order_by(exchange.c.tier, exchange.c.created_at, exchange.c.id)
    )
    return [_of_exchange(row) for row in await session.execute(query)]


_ABOUT = (
    exchange.c.id,
    exchange.c.request_reference,
    exchange.c.type,
    exchange.c.direction,
    exchange.c.requesting,
    exchange.c.requested,
    exchange.c.tier,
    exchange.c.state,
)


async def _requests(session: ReadSession) -> list[Pressing]:
    query = (
        select(request.c.id, request.c.reference, request.c.type, request.c.requested, request.c.tier, request.c.state)
        .where(request.c.tier.in_(PRESSING), request.c.state.not_in(DECIDED))
        .order_by(request.c.tier, request.c.created_at, request.c.id)
    )
    return [
        Pressing(
            kind="request",
            id=row.id,
            exchange_id=None,
            reference=row.reference,
            type=RequestType(row.type),
            direction=None,
            peer=row.requested,
            tier=Tier(row.tier),
            state=row.state,
        )
        for row in await session.execute(query)
    ]


async def _holds(session: ReadSession, now: datetime) -> list[Pressing]:
    """Also those whose end came in the last seven days and was not confirmed by the other side."""
    query = (
        select(hold.c.id.label("hold_id"), hold.c.state.label("hold_state"), hold.c.expires_at, *_ABOUT)
        .join(exchange, exchange.c.id == hold.c.exchange_id)
        .where(hold.c.state == HoldState.TIMED)
        .where(hold.c.expires_at.between(now - HOLDS_WITHIN, now + HOLDS_WITHIN))
        .order_by(hold.c.expires_at, hold.c.id)
    )
    return [
        replace(_of_exchange(row), kind="hold", id=row.hold_id, state=row.hold_state, ends_at=row.expires_at)
        for row in await session.execute(query)
    ]


def _of_exchange(row: Any) -> Pressing:  # noqa: ANN401 - a row of the queries above
    return Pressing(
        kind="exchange",
        id=row.id,
        exchange_id=row.id,
        reference=row.request_reference,
        type=RequestType(row.type),
        direction=Direction(row.direction),
        peer=row.requesting if row.direction == Direction.INCOMING else row.requested,
        tier=Tier(row.tier),
        state=row.state,
    )
