"""The template database: made once per session, by the same migrations that an operator runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.migrate import migrate, roles_of
from tests.support.postgres import APPLICATION, SEQUENCER, TEMPLATE, copy_of

if TYPE_CHECKING:
    from tests.support.postgres import PostgresServer


async def make_template(server: PostgresServer) -> None:
    """Create the template, bring it to the newest schema, and make the roles that production has."""
    await server.execute(f"CREATE DATABASE {TEMPLATE}")
    await migrate(server.url(TEMPLATE), app_role=APPLICATION, app_password=None, sequencer_role=SEQUENCER)


async def make_node_database(server: PostgresServer, code: str, name: str) -> tuple[str, str]:
    """A new database of a contact point with its own roles; addresses for the superuser and for the application.

    Migrated once per server and code, and copied from then on.
    """
    roles, template = roles_of(code), f"{TEMPLATE}_{code.lower()}"
    if template not in server.templates:
        await server.execute(f"CREATE DATABASE {template}")
        url = server.url(template)
        await migrate(url, app_role=roles.application, app_password=None, sequencer_role=roles.sequencer)
        server.templates.add(template)
    await server.execute(copy_of(template, name))
    return server.url(name), server.url(name, roles.application)
