"""Preservations between the same two contact points, found by a reference that a later request names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from app.db import exchanges
from app.db.tables_domestic import request
from app.db.tables_exchange import exchange, hold

if TYPE_CHECKING:
    from collections.abc import Collection

    from app.db.engine import ReadSession
    from app.db.exchanges import ExchangeRecord

MOST = 20


async def named_before(
    session: ReadSession, references: Collection[str], *, requesting: str, requested: str
) -> list[ExchangeRecord]:
    """Exchanges with a hold that one of these references names: the agency's, either contact point's. Oldest first."""
    if not references:
        return []
    told_there = exchange.c.body["snapshot"]["b_reference"].astext
    filed_here = select(request.c.exchange_id).where(request.c.own_reference.in_(references))
    query = (
        select(exchange.c.id)
        .where(exchange.c.requesting == requesting, exchange.c.requested == requested)
        .where(
            exchange.c.request_reference.in_(references)
            | told_there.in_(references)
            | exchange.c.id.in_(filed_here.where(request.c.exchange_id.is_not(None)))
        )
        .where(exchange.c.id.in_(select(hold.c.exchange_id)))
        .order_by(exchange.c.created_at)
        .limit(MOST)
    )
    ids = list((await session.execute(query)).scalars())
    found = await exchanges.load_many(session, ids)
    return [found[one] for one in ids if one in found]
