"""What a node opens, what it refuses to open, and what it closes again."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.bus.broker import NotTaken, TryLater, Unroutable
from app.bus.measured import MeasuredBroker
from app.bus.memory import MemoryBus
from app.bus.supervise import Pauses
from app.db.engine import begin, reading
from app.domain.codes import Lane
from app.errors import SettingsUnusable
from app.metrics import Metrics
from app.runtime import open_runtime
from app.settings import Profile
from tests.routers.clients import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from app.bus.broker import Broker, Delivery
    from app.runtime import Runtime
    from app.settings import Settings
    from tests.support.postgres import Database


@pytest.fixture
def broker(now: datetime) -> Broker:
    """A place on a bus in this process."""
    return MemoryBus(clock=lambda: now, pauses=Pauses(lambda: 0.5)).connect("XA")


async def refused(settings: Settings, broker: Broker | None, now: datetime) -> str:
    """The code with which these settings are refused."""
    with pytest.raises(SettingsUnusable) as stopped:
        async with open_runtime(settings, clock=lambda: now, broker=broker):
            pass
    assert stopped.value.detail.endswith(".")
    return stopped.value.code


async def test_everything_is_open(runtime: Runtime) -> None:
    """A node that is open reaches its database by four pools, and its own signing key is published."""
    for engine in (runtime.engine, runtime.chores, *runtime.lanes.values()):
        async with reading(engine) as session:
            assert await session.scalar(text("SELECT 1")) == 1
    assert set(runtime.lanes) == set(Lane)
    kid = runtime.keys.keyring.signing.kid
    assert runtime.node.directory.signing_key("XA", kid) is not None


async def test_everything_is_closed(settings: Settings, broker: Broker, now: datetime, owner_url: str) -> None:
    """After the block no connection to the database is left."""
    async with AsyncExitStack() as opened:
        runtime = await opened.enter_async_context(open_runtime(settings, clock=lambda: now, broker=broker))
        async with begin(runtime.engine), begin(runtime.chores):
            assert not runtime.stopping.is_set()
    assert runtime.stopping.is_set()
    owner = create_async_engine(owner_url)
    async with owner.connect() as connection:
        query = text("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'counterpart XA%'")
        assert await connection.scalar(query) == 0
    await owner.dispose()


async def test_processes_share_the_secret_of_the_feed(settings: Settings, broker: Broker, now: datetime) -> None:
    """Two processes of one node read each other's cursors; another node's database has another secret."""
    keys = []
    for _ in range(2):
        async with open_runtime(settings, clock=lambda: now, broker=broker) as runtime:
            keys.append(runtime.feed_key)
            assert "feed_key" not in repr(runtime)
    assert keys[0] == keys[1]


async def test_owner_is_refused_in_production(
    settings: Settings, owner_url: str, broker: Broker, now: datetime
) -> None:
    """A production node does not run as a superuser or owner of its database; the application's role may."""
    strict = {"profile": Profile.PRODUCTION}
    strong = settings.model_copy(update=strict | {"database_url": SecretStr(owner_url)})
    assert await refused(strong, broker, now) == "role_too_strong"
    async with open_runtime(settings.model_copy(update=strict), clock=lambda: now, broker=broker) as runtime:
        assert runtime.node.code == "XA"


async def test_empty_database_is_refused(
    settings: Settings, database: Database, broker: Broker, now: datetime, owner_url: str
) -> None:
    """A database that was never migrated is refused with the advice to do so."""
    owner = create_async_engine(owner_url)
    async with owner.begin() as connection:
        await connection.execute(text("DROP TABLE alembic_version"))
    await owner.dispose()
    assert await refused(settings, broker, now) == "database_not_migrated"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+asyncpg://app@/none?host=/nonexistent",
        "postgresql+asyncpg://app:s3cr3t@127.0.0.1:1/none",
    ],
)
async def test_absent_database_is_named(settings: Settings, broker: Broker, now: datetime, address: str) -> None:
    """A database that cannot be reached stops the start, and its address is not shown."""
    away = settings.model_copy(update={"database_url": SecretStr(address)})
    with pytest.raises(SettingsUnusable, match="COUNTERPART_DATABASE_URL") as stopped:
        async with open_runtime(away, clock=lambda: now, broker=broker):
            pass
    assert "s3cr3t" not in str(stopped.value)


async def test_unknown_database_is_named(settings: Settings, database_url: str, broker: Broker, now: datetime) -> None:
    """A server that does not know the database stops the start."""
    base, _, query = database_url.partition("?")
    address = f"{base.rpartition('/')[0]}/nobody_made_this?{query}"
    unknown = settings.model_copy(update={"database_url": SecretStr(address)})
    assert await refused(unknown, broker, now) == "database_unreachable"


async def test_bus_in_process_must_be_given(settings: Settings, now: datetime) -> None:
    """A node whose bus lives in its process cannot be started alone."""
    assert await refused(settings, None, now) == "bus_not_given"


async def test_foreign_keys_are_refused(settings: Settings, node_files: Path, broker: Broker, now: datetime) -> None:
    """A node does not start with keys that its directory does not publish for it."""
    assert (
        await refused(settings.model_copy(update={"keys_dir": node_files / "XT"}), broker, now) == "key_not_published"
    )


async def test_bell_rings_for_all_who_wait(runtime: Runtime) -> None:
    """One ring wakes everybody who took the bell before it, and nobody who takes it after."""
    before = [runtime.wake.bell(), runtime.wake.bell()]
    runtime.wake.ring()
    assert all(bell.is_set() for bell in before)
    assert not runtime.wake.bell().is_set()


async def test_bus_is_counted(now: datetime) -> None:
    """Each publication and each batch is counted by how it ended, at its own node."""
    bus = MemoryBus(clock=lambda: now, pauses=Pauses(lambda: 0.5, first=0.001, longest=0.002))
    sender = MeasuredBroker(bus.connect("XA"), Metrics("XA"))
    receiver = MeasuredBroker(bus.connect("XT"), Metrics("XT"))
    with pytest.raises(Unroutable):
        await sender.publish(Lane.URGENT, "XQ", b"1")
    with pytest.raises(NotTaken):
        await sender.publish(Lane.URGENT, "XT", b"2")
    outcomes = [TryLater("the database is away"), None]

    async def handle(_deliveries: Sequence[Delivery]) -> None:
        if (fault := outcomes.pop(0)) is not None:
            raise fault

    stopping = asyncio.Event()
    consuming = asyncio.create_task(receiver.consume(Lane.URGENT, handle, stopping))
    await until(lambda: receiver.status().consuming[Lane.URGENT])
    await sender.publish(Lane.URGENT, "XT", b"3")
    stopping.set()
    await consuming
    for peer, outcome in (("XQ", "unroutable"), ("XT", "not_taken"), ("XT", "confirmed")):
        labels = {"peer": peer, "lane": "urgent", "outcome": outcome}
        assert sender.metrics.registry.get_sample_value("counterpart_bus_published_total", labels) == 1, labels
    for outcome in ("later", "taken"):
        labels = {"lane": "urgent", "outcome": outcome}
        assert receiver.metrics.registry.get_sample_value("counterpart_bus_consumed_total", labels) == 1, labels
    timed = "counterpart_bus_confirm_duration_seconds_count"
    assert sender.metrics.registry.get_sample_value(timed, {"lane": "urgent"}) == 1
