"""The first and the last instant that this node takes come back from the database as they were stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import DateTime, bindparam, select

from app.db.engine import reading
from app.domain.deadlines.clocks import later
from app.domain.moments import Instant

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
NO_TIME = "0001-01-01T00:00:00Z"


async def stored(engine: AsyncEngine, moment: datetime) -> datetime:
    """What a column of instants gives back."""
    async with reading(engine) as session:
        found: datetime = (await session.execute(select(bindparam("at", moment, DateTime(timezone=True))))).scalar_one()
    return found


async def test_the_ends_of_the_calendar_come_back(engine: AsyncEngine) -> None:
    """The first millisecond that is taken, the last one, and what a term beyond the end becomes."""
    first = INSTANT.validate_python("0001-01-01T00:00:00.001Z")
    last = INSTANT.validate_python("9999-12-31T23:59:59.999Z")
    for moment in (first, last, later(last, timedelta(days=1))):
        assert await stored(engine, moment) == moment


@pytest.mark.parametrize("text", [NO_TIME, "0001-01-01T00:00:00.0009Z", "0001-01-01T01:00:00+01:00"])
def test_the_beginning_of_the_calendar_is_no_instant(text: str) -> None:
    """Some programs write it for no time at all; whoever sends it is told so, or their message waits."""
    with pytest.raises(ValidationError, match="stands for no time"):
        INSTANT.validate_python(text)


async def test_control_the_driver_keeps_both_ends_as_infinity(engine: AsyncEngine) -> None:
    """Negative control: what is refused above comes back without its offset, and can be compared with nothing."""
    for moment in (datetime.fromisoformat(NO_TIME), datetime.max.replace(tzinfo=UTC)):
        assert (await stored(engine, moment)).tzinfo is None
