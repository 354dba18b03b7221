"""How alembic reaches the database: by the address it is handed, or by `-x url=…` on the command line."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from alembic import context

import app.db.tables  # noqa: F401 - fills the metadata
from app.db.metadata import metadata
from app.migrate import owner_engine

if TYPE_CHECKING:
    from sqlalchemy import Connection


def run(connection: Connection) -> None:
    """Each revision in a transaction of its own: what was reached is kept when a later one fails."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_run(url: str) -> None:
    """Open one connection as the owner for all of it."""
    engine = owner_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


asyncio.run(connect_and_run(context.config.attributes.get("url") or context.get_x_argument(as_dictionary=True)["url"]))
