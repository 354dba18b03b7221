"""What the databases of a world really hold, read behind the application's back."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy.engine import make_url

from app.db.tables import metadata
from tests.support.world import seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from tests.support.world import World

Counts = dict[str, int]

FILED = ("request", "timeline", "event", "outbox", "idempotency", "exchange", "act", "facts")
"""What a filing or an act could leave at home; `facts` are those of the audit log, waiting or placed."""

CASES = ("request", "exchange", "act")
"""The part of it that no clock adds to: warnings and reminders come in their own time once a test has moved it on."""

UNDER_WAY = """
    SELECT (SELECT count(*) FROM outbox WHERE left_at IS NULL) + (SELECT count(*) FROM inbox WHERE applied_at IS NULL)
"""
UNPLACED = "SELECT count(*) FROM audit_pending"
OF_THE_CLOCKS = {"watched", "deadline", "deadline_outcome", "escalation", "counted_month", "tally"}

FACTS = "(SELECT count(*) FROM audit_pending) + (SELECT count(*) FROM audit_leaf)"


@dataclass(frozen=True, slots=True)
class Ledger:
    """One connection to each database of the world."""

    databases: Mapping[str, asyncpg.Connection[asyncpg.Record]]

    async def rows(self, code: str, query: str, *values: object) -> list[dict[str, Any]]:
        """The rows of a query at one contact point."""
        return [dict(row) for row in await self.databases[code].fetch(query, *values)]

    async def value(self, code: str, query: str, *values: object) -> Any:  # noqa: ANN401 - any column
        """The one value of a query at one contact point."""
        return await self.databases[code].fetchval(query, *values)

    async def run(self, code: str, script: str) -> None:
        """Run statements at one contact point, in one transaction."""
        await self.databases[code].execute(script)

    async def counts(self, code: str, names: Iterable[str] = FILED) -> Counts:
        """How many rows each of these tables has there."""
        listed = ", ".join(f"{_count(name)} AS {name}" for name in names)
        (row,) = await self.rows(code, f"SELECT {listed}")
        return row

    async def everything(self, code: str) -> Counts:
        """How many rows every table has there, but for the lists that the clocks work out in their own time."""
        return await self.counts(code, sorted(metadata.tables.keys() - OF_THE_CLOCKS))

    async def calm(self, *, placed: Iterable[str] = ()) -> None:
        """Wait until nobody has a letter without receipt, and the contact points `placed` no fact without its place."""

        async def left() -> list[int]:
            under_way = [await self.value(code, UNDER_WAY) for code in self.databases]
            return under_way + [await self.value(code, UNPLACED) for code in placed]

        await seen(left, lambda waiting: not any(waiting))


def _count(name: str) -> str:
    return FACTS if name == "facts" else f'(SELECT count(*) FROM "{name}")'


@asynccontextmanager
async def open_ledger(world: World) -> AsyncIterator[Ledger]:
    """Connect to every database as its owner."""
    databases = {}
    try:
        for code, node in world.nodes.items():
            url = make_url(node.owner_url)
            databases[code] = await asyncpg.connect(host=url.query["host"], user=url.username, database=url.database)
        yield Ledger(databases)
    finally:
        for connection in databases.values():
            await connection.close()
