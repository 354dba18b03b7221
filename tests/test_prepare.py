"""A database is made ready as often as one likes; what stands in the way is one sentence without an address."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from app.errors import SettingsUnusable
from app.migrate import head_revision, roles_of
from app.prepare import prepare_database
from app.settings import Settings
from tests.support.ports import LOOPBACK, free_ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.postgres import PostgresServer

NAME = "prepared"
ROLES = roles_of("XS")


@pytest.fixture
async def settings(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings of XS, whose database is not there; afterwards it is gone again."""
    yield Settings(
        code="XS",
        profile="demo",
        database_url=postgres.url(NAME, ROLES.application),
        owner_database_url=postgres.url(NAME),
        amqp_url="memory:",
        keys_dir=tmp_path,
        directory=tmp_path / "directory.json",
        anchor=tmp_path / "anchor",
    )
    await postgres.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def changed(settings: Settings, **addresses: str) -> Settings:
    """The same node with other addresses."""
    return settings.model_copy(update={name: SecretStr(address) for name, address in addresses.items()})


@asynccontextmanager
async def connected(settings: Settings, *, as_owner: bool) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A plain connection by one of the two addresses."""
    address = settings.owner_database_url if as_owner else settings.database_url
    assert address is not None
    connection = await asyncpg.connect(address.get_secret_value().replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()


async def refused(settings: Settings, *, create: bool = False) -> SettingsUnusable:
    """How these settings are refused."""
    with pytest.raises(SettingsUnusable) as stopped:
        await prepare_database(settings, create=create)
    assert stopped.value.detail.endswith((".", "?"))
    assert "\n" not in stopped.value.detail
    return stopped.value


async def test_a_database_is_made_once(settings: Settings) -> None:
    """With `create` it is made, and a second run leaves what is in it as it is."""
    assert await prepare_database(settings, create=True) == head_revision()
    async with connected(settings, as_owner=False) as application:
        await application.execute("INSERT INTO agency (id, name, created_at) VALUES ('police', 'Police', now())")
    assert await prepare_database(settings, create=True) == head_revision()
    assert await prepare_database(settings, create=False) == head_revision()
    async with connected(settings, as_owner=False) as application:
        assert await application.fetchval("SELECT count(*) FROM agency") == 1


async def test_two_at_once_take_turns(settings: Settings) -> None:
    """Two operators who migrate at the same time both succeed."""
    await prepare_database(settings, create=True)
    async with connected(settings, as_owner=True) as owner:
        await owner.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    reached = await asyncio.gather(*(prepare_database(settings, create=False) for _ in range(2)))
    assert set(reached) == {head_revision()}


async def test_the_application_cannot_change_the_schema(settings: Settings) -> None:
    """The role that the node connects with reads and writes rows and may not make, alter or drop a table."""
    await prepare_database(settings, create=True)
    async with connected(settings, as_owner=False) as application:
        for statement in ("CREATE TABLE mine (n int)", "ALTER TABLE agency ADD n int", "DROP TABLE agency"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await application.execute(statement)
        assert await application.fetchval("SELECT count(*) FROM agency") == 0


async def test_without_an_owner_nothing_is_migrated(settings: Settings) -> None:
    """The setting that is missing is named."""
    fault = await refused(settings.model_copy(update={"owner_database_url": None}))
    assert "COUNTERPART_OWNER_DATABASE_URL is not set" in fault.detail


async def test_another_role_is_refused(settings: Settings, postgres: PostgresServer) -> None:
    """The application's address must name the role that will be made, or the node could never connect."""
    fault = await refused(changed(settings, database_url=postgres.url(NAME, "somebody")), create=True)
    assert ROLES.application in fault.detail


async def test_a_missing_database_is_told_how_to_make(settings: Settings) -> None:
    """Without `create` a database that is not there is refused with the option that makes it."""
    fault = await refused(settings)
    assert fault.code == "database_missing"
    assert "--create-database" in fault.detail


async def test_a_server_that_is_away_is_named_by_its_setting(settings: Settings) -> None:
    """Nobody listening is one sentence, which shows neither address nor password."""
    away = f"postgresql+asyncpg://owner:s3cr3t@{LOOPBACK}:{free_ports(1)[0]}/none"
    for create in (False, True):
        fault = await refused(changed(settings, owner_database_url=away), create=create)
        assert "COUNTERPART_OWNER_DATABASE_URL" in fault.detail
        assert "s3cr3t" not in str(fault) + fault.detail


async def test_an_owner_who_owns_nothing_is_refused(settings: Settings) -> None:
    """The application's own role cannot migrate, and the sentence says what the server's objection is."""
    await prepare_database(settings, create=True)
    async with connected(settings, as_owner=True) as owner:
        await owner.execute("DELETE FROM alembic_version")
    address = settings.database_url.get_secret_value()
    fault = await refused(changed(settings, owner_database_url=address))
    assert "InsufficientPrivilege" in fault.detail
    assert str(make_url(address).database) not in fault.detail.replace("database", "")


async def test_a_database_of_a_newer_release_is_left_alone(settings: Settings) -> None:
    """A revision that this software does not know is refused, and stays."""
    await prepare_database(settings, create=True)
    async with connected(settings, as_owner=True) as owner:
        await owner.execute("UPDATE alembic_version SET version_num = 'from_next_year'")
    assert (await refused(settings)).code == "database_newer"
    async with connected(settings, as_owner=True) as owner:
        assert await owner.fetchval("SELECT version_num FROM alembic_version") == "from_next_year"
