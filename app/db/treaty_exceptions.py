"""How often less was done than art. 29 owes, of all that this node keeps. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, literal, select, union_all

from app.db.tables_exchange import exchange, hold
from app.domain.exchange.shortfalls import Shortfall
from app.domain.wire import MIN_HOLD_DAYS

if TYPE_CHECKING:
    from app.db.engine import ReadSession

_EARLY = hold.c.treaty_exception
_SHORT = hold.c.days_granted < MIN_HOLD_DAYS
_REACHED = _EARLY | _SHORT
"""The condition of `ix_hold_treaty_exception`, word for word, so that the index serves."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many, by kind and by who opened the exchange."""

    kind: Shortfall
    direction: str
    count: int


async def counts(session: ReadSession) -> list[Counted]:
    """Every kind and direction of which there is any; read from small indexes, however much is kept."""
    found = union_all(
        select(literal(Shortfall.LIFTED_EARLY.value).label("kind"), hold.c.direction).where(_REACHED, _EARLY),
        select(literal(Shortfall.SHORT_HOLD.value), hold.c.direction).where(_REACHED, _SHORT),
        select(literal(Shortfall.NO_POWER.value), exchange.c.direction).where(exchange.c.no_power),
    ).subquery()
    rows = await session.execute(
        select(found.c.kind, found.c.direction, func.count().label("number")).group_by(found.c.kind, found.c.direction)
    )
    return [Counted(Shortfall(row.kind), row.direction, row.number) for row in rows]
