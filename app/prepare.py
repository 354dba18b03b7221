"""A database made ready for one node: created if asked, brought to the newest schema, its roles given their rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from app.errors import SettingsUnusable
from app.migrate import migrate, owner_engine, roles_of

if TYPE_CHECKING:
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
    try:
        if create:
            await _create(owner)
        return await migrate(
            owner,
            app_role=roles.application,
            app_password=application.password,
            sequencer_role=roles.sequencer,
        )
    except (OSError, DBAPIError) as fault:
        raise SettingsUnusable(
            "database_unreachable",
            f"The database of COUNTERPART_OWNER_DATABASE_URL cannot be used: {type(fault).__name__}.",
        ) from fault


async def _create(owner_url: str) -> None:
    wanted = make_url(owner_url)
    engine = owner_engine(
        wanted.set(database=MAINTENANCE_DATABASE).render_as_string(hide_password=False)
    )
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
