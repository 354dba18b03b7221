"""Lists whose ids other contact points choose are paged without a gap, whatever they chose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import incidents
from app.db.engine import begin
from app.db.incidents import IncidentRecord
from app.db.placing import Place
from app.domain.codes import Direction

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LOW, HIGH = UUID(int=1), UUID(int=2**128 - 1)


def told(key: UUID, peer: str, direction: Direction, *, minutes: int) -> IncidentRecord:
    """An incident told so many minutes before now."""
    at = NOW - timedelta(minutes=minutes)
    return IncidentRecord(key, peer, direction, at, at, "Lost.", "Found.", "Nobody", [LOW], limit_onward=False)


RECORDS = [
    told(HIGH, "XT", Direction.INCOMING, minutes=3),
    told(LOW, "XT", Direction.INCOMING, minutes=2),
    told(LOW, "XS", Direction.INCOMING, minutes=2),
    told(LOW, "XS", Direction.OUTGOING, minutes=2),
    told(HIGH, "XS", Direction.INCOMING, minutes=1),
]


async def test_each_entry_is_on_one_page(engine: AsyncEngine) -> None:
    """Three entries have one id and one time, and ids do not follow the times: page by page each is shown once."""
    async with begin(engine) as session:
        for record in RECORDS:
            assert await incidents.add(session, record)
        whole = await incidents.page(session, limit=10)
        paged: list[IncidentRecord] = []
        while page := await incidents.page(session, limit=1, before=_place(paged[-1]) if paged else None):
            paged += page
        assert paged == whole
        assert sorted(whole, key=repr) == sorted(RECORDS, key=repr)
        # Control: ids alone, as other lists have them, would lose those that chose theirs badly.
        by_id = [one for one in whole if one.id < whole[0].id]
        assert len(by_id) < len(whole) - 1


async def test_what_is_over_touches_nothing(engine: AsyncEngine) -> None:
    """An exchange is touched as long as one of its incidents is not over."""
    async with begin(engine) as session:
        for record in RECORDS[:2]:
            await incidents.add(session, record)
        for left, record in ((True, RECORDS[0]), (False, RECORDS[1])):
            found = await incidents.load(session, record.id, peer="XT")
            assert found == record
            over = replace(record, over_at=NOW, over_note="Found.")
            await incidents.end(session, over)
            assert await incidents.touched_still(session, [LOW, HIGH]) == ({LOW} if left else set())


def _place(record: IncidentRecord) -> Place:
    return Place(record.told_at, record.id, record.peer, record.direction)
