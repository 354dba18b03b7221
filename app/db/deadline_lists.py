"""What a list of deadlines shows beside each of them: which case it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from app.db.tables_domestic import request
from app.db.tables_exchange import exchange
from app.domain.codes import RequestType

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from app.db.engine import ReadSession


@dataclass(frozen=True, slots=True)
class About:
    """One request or exchange, in a line; `requesting` None for a request of our own that has not left."""

    reference: str
    type: RequestType
    state: str
    requesting: str | None
    requested: str


async def about(session: ReadSession, subjects: Collection[UUID]) -> dict[UUID, About]:
    """Those of these requests and exchanges that there are, by id."""
    if not subjects:
        return {}
    found = {}
    columns = (request.c.id, request.c.reference, request.c.type, request.c.state, request.c.requested)
    domestic = await session.execute(select(*columns).where(request.c.id.in_(subjects)))
    for row in domestic.mappings():
        found[row["id"]] = About(row["reference"], RequestType(row["type"]), row["state"], None, row["requested"])
    shared = (exchange.c.id, exchange.c.request_reference, exchange.c.type, exchange.c.state)
    sides = (exchange.c.requesting, exchange.c.requested)
    abroad = await session.execute(select(*shared, *sides).where(exchange.c.id.in_(subjects)))
    for row in abroad.mappings():
        kind = RequestType(row["type"])
        found[row["id"]] = About(row["request_reference"], kind, row["state"], row["requesting"], row["requested"])
    return found
