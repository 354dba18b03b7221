"""A database made ready for one node: created if asked, brought to the newest schema, its roles given their rights."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from alembic.util import CommandError
from asyncpg import InvalidCatalogNameError
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from app.errors import SettingsUnusable
from app.migrate import migrate, owner_engine, roles_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings

MAINTENANCE_DATABASE = "postgres"


async def prepare_database(settings: Settings, *, create: bool) -> str:
    """Migrate as the owner in `OWNER_DATABASE_URL`; returns the revision reached.

    With `create`, a database that is not there is made first. Raises SettingsUnusable with one sentence.
    """
    if settings.owner_database_url is None:
        raise SettingsUnusable(
            "setting_unusable", "COUNTERPART_OWNER_DATABASE_URL is not set: migrations need the database's owner."
        )
    owner = settings.owner_database_url.get_secret_value()
    application = make_url(settings.database_url.get_secret_value())
    roles = roles_of(settings.code)
    if application.username != roles.application:
        raise SettingsUnusable(
            "setting_unusable", f"COUNTERPART_DATABASE_URL must name the role {roles.application}, which migrate makes."
        )
    with faults_of("COUNTERPART_OWNER_DATABASE_URL"):
        if create:
            await _create(owner)
        return await migrate(
            owner,
            app_role=roles.application,
            app_password=application.password,
            sequencer_role=roles.sequencer,
        )


@contextmanager
def faults_of(setting: str) -> Iterator[None]:
    """Turn what the database in this setting raises into SettingsUnusable: one sentence, without its address.

    Also every OSError, so nothing but the database is to be used within.
    """
    try:
        yield
    except CommandError:
        detail = f"The database of {setting} is at a revision this software does not know: is it of a newer release?"
        raise SettingsUnusable("database_newer", detail) from None
    except (OSError, DBAPIError) as fault:
        driver = fault.driver_exception if isinstance(fault, DBAPIError) else fault
        if isinstance(driver, InvalidCatalogNameError):
            detail = f"The database of {setting} does not exist: counterpart migrate --create-database makes it."
            raise SettingsUnusable("database_missing", detail) from None
        detail = f"The database of {setting} cannot be used: {type(driver).__name__}."
        raise SettingsUnusable("database_unreachable", detail) from None


async def _create(owner_url: str) -> None:
    wanted = make_url(owner_url)
    engine = owner_engine(wanted.set(database=MAINTENANCE_DATABASE).render_as_string(hide_password=False))
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            there = await connection.scalar(
                text("SELECT true FROM pg_database WHERE datname = :name"), {"name": wanted.database}
            )
            if not there:
                quoted = str(wanted.database).replace('"', '""')
                await connection.execute(text(f'CREATE DATABASE "{quoted}"'))
    finally:
        await engine.dispose()
