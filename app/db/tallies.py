"""Months that are over, in numbers: written once, read whole."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_statistics import counted_month
from app.db.tables_statistics import tally as table
from app.domain.codes import Direction
from app.domain.statistics import Measure, Month, Tally

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.db.engine import ReadSession, Session

AT_ONCE = 1_000
"""Rows of one statement: seven parameters each, and a statement has at most 32,767."""


async def last_counted(session: ReadSession) -> Month | None:
    """Up to and with which month everything is counted; None before the first time."""
    last: date | None = await session.scalar(select(func.max(counted_month.c.month)))
    return None if last is None else Month(last.year, last.month)


async def claim(session: Session, month: Month, *, now: datetime) -> bool:
    """Take the counting up to `month` in hand; False if another process has done it, or is doing it now."""
    mine = insert(counted_month).values(month=_day(month), counted_at=now).on_conflict_do_nothing()
    return (await session.execute(mine.returning(counted_month.c.month))).one_or_none() is not None


async def add(session: Session, tallies: Sequence[Tally]) -> None:
    """Store tallies; one of the same measure, direction, contact point and month twice is refused by the key."""
    rows = [
        {
            "month": _day(one.month),
            "measure": one.measure,
            "direction": one.direction,
            "peer": one.peer,
            "count": one.count,
            "seconds": list(one.seconds),
            "labels": {name: dict(counts) for name, counts in one.labels.items()},
        }
        for one in tallies
    ]
    for start in range(0, len(rows), AT_ONCE):
        await session.execute(insert(table).values(rows[start : start + AT_ONCE]))


async def of_years(session: ReadSession, first: int, last: int) -> list[Tally]:
    """Every tally of these calendar years, both included."""
    query = select(table).where(table.c.month >= date(first, 1, 1), table.c.month <= date(last, 12, 1))
    rows = await session.execute(query)
    return [
        Tally(
            Measure(row.measure),
            Direction(row.direction),
            row.peer,
            Month(row.month.year, row.month.month),
            count=row._mapping["count"],  # noqa: SLF001 - a row has a method of that name
            seconds=tuple(row.seconds),
            labels=row.labels,
        )
        for row in rows
    ]


def _day(month: Month) -> date:
    return date(month.year, month.month, 1)
