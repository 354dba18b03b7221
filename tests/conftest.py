"""Fixtures shared by all rooms: one PostgreSQL and one RabbitMQ per session, a fresh database and vhost per test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import structlog

from app.db.engine import make_engine
from tests.e2e.ground import ControlledRabbit, Ground, GuardedPostgres
from tests.support.postgres import PostgresServer
from tests.support.rabbit import RabbitServer
from tests.support.schema import make_template
from tests.support.servers import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from sqlalchemy.ext.asyncio import AsyncEngine

    from tests.support.postgres import Database
    from tests.support.rabbit import Vhost

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
POOL_SIZE = 5


@pytest.fixture(scope="session", autouse=True)
def plain_log() -> None:
    """A loop's error is written as Python writes it: the pretty way, with every variable, takes seconds of the loop."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        cache_logger_on_first_use=False,
    )


@pytest.fixture
def now() -> datetime:
    """The moment at which every test takes place."""
    return NOW


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's own PostgreSQL, empty."""
    with running(PostgresServer) as server:
        yield server


@pytest.fixture(scope="session")
async def migrated(postgres: PostgresServer) -> AsyncIterator[PostgresServer]:
    """The same server once it holds a template with the project's schema."""
    await make_template(postgres)
    yield postgres
    await postgres.leave()


@pytest.fixture
async def make_database(migrated: PostgresServer) -> AsyncIterator[Callable[[], Awaitable[Database]]]:
    """Make as many fresh migrated databases as a test has nodes; all are dropped after it."""
    made: list[Database] = []

    async def make() -> Database:
        made.append(await migrated.clone())
        return made[-1]

    yield make
    for database in made:
        await migrated.drop(database)


@pytest.fixture
async def database(make_database: Callable[[], Awaitable[Database]]) -> Database:
    """One fresh migrated database."""
    return await make_database()


@pytest.fixture
def database_url(database: Database) -> str:
    """Where the application connects, as the role that it has in production."""
    return database.url


@pytest.fixture
def owner_url(database: Database) -> str:
    """The same database as superuser: to look behind the application's back, and to break things."""
    return database.owner_url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine of the application on the test's database; fails the test that leaves a connection checked out."""
    opened = make_engine(database_url, pool_size=POOL_SIZE, name="test")
    try:
        yield opened
        assert opened.pool.checkedout() == 0, "the test left a connection checked out"  # type: ignore[attr-defined]
    finally:
        await opened.dispose()


@pytest.fixture(scope="session")
def rabbit() -> Iterator[RabbitServer]:
    """The session's own RabbitMQ."""
    with running(RabbitServer) as server:
        yield server


@pytest.fixture(scope="session")
async def ground() -> AsyncIterator[Ground]:
    """Two servers more, for tests with nodes in processes of their own, which kill and purge as they like."""
    with running(GuardedPostgres) as postgres, running(ControlledRabbit) as rabbit:
        await postgres.admit()
        yield Ground(postgres, rabbit)


@pytest.fixture
async def make_vhost(rabbit: RabbitServer) -> AsyncIterator[Callable[..., Awaitable[Vhost]]]:
    """Make vhosts with the queues of the named contact points; gone after the test, and the broker well again."""
    made: list[Vhost] = []

    async def make(*codes: str) -> Vhost:
        made.append(await rabbit.make_vhost(*codes))
        return made[-1]

    yield make
    rabbit.ensure_running()
    for vhost in made:
        await rabbit.drop_vhost(vhost)


@pytest.fixture
async def vhost(make_vhost: Callable[..., Awaitable[Vhost]]) -> Vhost:
    """A fresh vhost of XA, XT and XS."""
    return await make_vhost("XA", "XT", "XS")
