"""Who else of our own agencies asked for the same data (TRI-12). For the desk alone: no agency learns of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db import fingerprints, requests
from app.domain.codes import IntakeState

if TYPE_CHECKING:
    from uuid import UUID

    from app.db.engine import ReadSession
    from app.db.requests import RequestRecord

MOST_SHOWN = 50
MOST_LOOKED_AT = 500
"""Marks. Where more requests than this are for the same data, somebody has long known of it."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another request here that looks for the same: `overlap` pairs our target with theirs, both counted from 0."""

    id: UUID
    reference: str
    agency: str
    requested: str
    state: IntakeState
    exchange_id: UUID | None
    overlap: tuple[tuple[int, int], ...]


async def find_duplicates(session: ReadSession, record: RequestRecord) -> list[Duplicate]:
    """Oldest first; what its agency took back is none. A hint: two marks that are equal prove nothing by themselves."""
    marks = await fingerprints.marks_of(session, "request", record.id)
    found = await fingerprints.who_else(session, "request", marks, but=record.id, at_most=MOST_LOOKED_AT)
    others = await requests.load_many(session, list(found)) if found else []
    return [
        Duplicate(
            id=other.id,
            reference=other.reference,
            agency=other.agency_id,
            requested=other.requested,
            state=other.state,
            exchange_id=other.exchange_id,
            overlap=tuple(sorted(found[other.id])),
        )
        for other in others
        if other.state is not IntakeState.WITHDRAWN_DOMESTIC
    ][:MOST_SHOWN]
