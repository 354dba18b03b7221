"""A database as the audit log finds it in production, and what sequencer, application and intruder do with it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.audit.note import verifier_key
from app.db.engine import Session, begin, make_engine
from app.domain.directory import Directory
from app.domain.instruments import packaged_law
from app.services.node import Actor, Node
from app.services.record import record_all
from app.services.sequence import BATCH, LogWriter, Sequenced, mark_published, open_log, sequence_once
from tests.audit.samples import KEY, ORIGIN, repeatable
from tests.support.postgres import SEQUENCER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.audit.checkpoint import Checkpoint
    from app.audit.facts import Fact
    from tests.support.postgres import Database

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
OFFICER = Actor(person_id=None, pseudonym="u:9f3c", role=None)
WRITER = LogWriter(ORIGIN, KEY, SEQUENCER)
LOG = verifier_key(ORIGIN, KEY)


@dataclass(frozen=True)
class LogDatabase:
    """`engine` is the application's; `owner` is a superuser's, for looking behind its back and for breaking things."""

    engine: AsyncEngine
    owner: AsyncEngine
    node: Node

    async def record(self, *facts: Fact) -> None:
        """Put facts on record in one transaction."""
        async with begin(self.engine) as session:
            await record_all(session, self.node, facts, actor=OFFICER, now=NOW)

    async def open(self) -> Checkpoint:
        """Open the log and publish its first head."""
        async with begin(self.engine) as session:
            opened = await open_log(session, WRITER, random=self.node.random, anchored=None, now=NOW)
        assert opened is not None
        return await self.publish(opened)

    async def sequence(self, anchored: Checkpoint | None, *, limit: int = BATCH) -> Sequenced | None:
        """One step of the sequencer, committed."""
        async with begin(self.engine) as session:
            return await sequence_once(session, WRITER, anchored=anchored, now=NOW, limit=limit)

    async def publish(self, sequenced: Sequenced) -> Checkpoint:
        """Allow a head to leave; stands for anchor and publication together."""
        async with begin(self.engine) as session:
            await mark_published(session, WRITER, sequenced.checkpoint)
        return sequenced.checkpoint

    async def extend(self, anchored: Checkpoint, *facts: Fact, limit: int = BATCH) -> Checkpoint:
        """Record, sequence and publish; returns the new head."""
        await self.record(*facts)
        sequenced = await self.sequence(anchored, limit=limit)
        assert sequenced is not None
        return await self.publish(sequenced)

    async def break_in(self, *statements: str, **values: Any) -> None:  # noqa: ANN401 - parameters of any SQL
        """What a superuser does who switched the triggers off."""
        async with self.owner.begin() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                await connection.execute(text(statement), values)

    async def count(self, table: str) -> int:
        """Rows of one table, seen by the superuser."""
        async with self.owner.connect() as connection:
            found: int = (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
            return found


@asynccontextmanager
async def open_log_database(database: Database) -> AsyncIterator[LogDatabase]:
    """Both engines on a migrated database, its log not opened."""
    owner = create_async_engine(database.owner_url)
    engine = make_engine(database.url, pool_size=5, name="audit test")
    directory = Directory.model_construct(version=1, issued_at=NOW, contact_points=())
    try:
        yield LogDatabase(engine, owner, Node("XA", directory, ORIGIN, repeatable("database"), packaged_law()))
    finally:
        await engine.dispose()
        await owner.dispose()


async def as_role(session: Session, role: str) -> None:
    """Act as a role until the transaction ends."""
    await session.execute(text(f"SET LOCAL ROLE {role}"))
