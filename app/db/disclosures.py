"""Disclosures of received information at home: added, and listed in the order in which they were made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from app.db.tables_conversation import disclosure as table
from app.domain.markings import Destination

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One disclosure: to whom, what for, by whom, and the marking that it took along.

    `transfer_id` names the grant on which it rests, where marking or condition alone would not have allowed it.
    """

    id: UUID
    exchange_id: UUID
    at: datetime
    person_id: UUID
    recipient: Destination
    authority: str
    purpose: str
    other_use: bool
    transfer_id: UUID | None
    marking: dict[str, Any]


async def add(session: Session, one: Disclosure) -> None:
    """Insert it. Nothing of this table is ever changed: the application role has no right to."""
    await session.execute(insert(table).values(**asdict(one)))


async def of_exchange(session: ReadSession, exchange_id: UUID) -> list[Disclosure]:
    """All of one exchange, oldest first."""
    rows = await session.execute(select(table).where(table.c.exchange_id == exchange_id).order_by(table.c.id))
    return [Disclosure(**dict(row) | {"recipient": Destination(row["recipient"])}) for row in rows.mappings()]
