"""What is kept aside is counted, bounded and read page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.db import quarantine
from app.db.engine import begin, reading
from app.db.quarantine import Suspect
from app.db.tables_delivery import QuarantineState
from app.domain.codes import Lane

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncEngine


def suspect(name: str, reason: str = "bad_signature", *, authenticated: bool = False) -> Suspect:
    """Something kept under this name."""
    return Suspect(f"raw:{name}", name.encode(), reason, authenticated=authenticated, lane=Lane.URGENT, iss="XA")


async def test_the_same_again_is_counted(engine: AsyncEngine, now: datetime) -> None:
    """The first time something is new; after that its row tells how often it came and when last."""
    later = now + timedelta(hours=1)
    async with begin(engine) as session:
        assert await quarantine.add(session, suspect("a"), now=now)
        assert not await quarantine.add(session, suspect("a"), now=later)
    async with reading(engine) as session:
        (kept,) = await quarantine.pages(session, limit=10)
    assert (kept.suspect, kept.first_seen, kept.last_seen, kept.times) == (suspect("a"), now, later, 2)


async def test_pages(engine: AsyncEngine, now: datetime) -> None:
    """Open rows come in the order of arrival, page by page; closed ones stay in the table and are left out."""
    async with begin(engine) as session:
        for name in "abcd":
            await quarantine.add(session, suspect(name), now=now)
        await quarantine.close(session, ["raw:b"], QuarantineState.DISCARDED)
    async with reading(engine) as session:
        first = await quarantine.pages(session, limit=2)
        rest = await quarantine.pages(session, limit=2, after=first[-1].id)
    assert [kept.suspect.raw for kept in (*first, *rest)] == [b"a", b"c", b"d"]


async def test_counts_per_reason(engine: AsyncEngine, now: datetime) -> None:
    """The monitor is told how many open rows there are for each reason."""
    async with begin(engine) as session:
        for name, reason in (("a", "crashed"), ("b", "bad_signature"), ("c", "crashed")):
            await quarantine.add(session, suspect(name, reason, authenticated=reason == "crashed"), now=now)
    async with reading(engine) as session:
        assert await quarantine.count_open(session) == {"crashed": 2, "bad_signature": 1}
