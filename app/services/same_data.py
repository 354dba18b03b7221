"""Who else wants the same data kept or given: for the requested side's desk alone (domain.md 6.11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db import exchanges, fingerprints
from app.domain.codes import Direction
from app.domain.holds import is_open

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession
    from app.domain.codes import State
    from app.domain.holds import Hold

MOST = 50
"""At most so many are looked at: an address that everybody asks for tells no more with the fifty-first."""


@dataclass(frozen=True, slots=True)
class Other:
    """Another exchange opened towards us that is open, or holds data still; `holds` are its open ones.

    `pairs` say which of our targets and which of theirs are the same, each counted from 0.
    """

    exchange_id: UUID
    requesting: str
    state: State
    holds: tuple[Hold, ...]
    pairs: frozenset[tuple[int, int]]


async def others_on_same_data(session: ReadSession, exchange_id: UUID, *, now: datetime) -> list[Other]:
    """Those beside this exchange, newest first, of any requesting state.

    Not for the requesting side, nor for any agency: each state's interest in the data is its own secret.
    """
    marks = await fingerprints.marks_of(session, "exchange", exchange_id)
    found = await fingerprints.who_else(session, "exchange", marks, but=exchange_id)
    newest = sorted(found, reverse=True)[:MOST]
    records = await exchanges.load_many(session, newest)
    others = []
    for one in newest:
        record = records.get(one)
        if record is None or record.direction is not Direction.INCOMING:
            continue
        holds = tuple(hold for hold in record.value.holds if is_open(hold, now))
        if holds or not record.value.is_terminal:
            others.append(Other(one, record.value.requesting, record.value.state, holds, frozenset(found[one])))
    return others
