"""The template database: made once per session, by the same migrations that an operator runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.migrate import migrate
from tests.support.postgres import APPLICATION, SEQUENCER, TEMPLATE

if TYPE_CHECKING:
    from tests.support.postgres import PostgresServer


async def make_template(server: PostgresServer) -> None:
    """Create the template, bring it to the newest schema, and make the roles that production has."""
    await server.execute(f"CREATE DATABASE {TEMPLATE}")
    await migrate(server.url(TEMPLATE), app_role=APPLICATION, app_password=None, sequencer_role=SEQUENCER)
