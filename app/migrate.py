"""The schema brought to its newest revision, and the roles that may use it.

Three roles for each node: the *owner* runs this and nothing else; the *application* role reads and writes but owns
nothing, cannot change the schema and can only append to the audit log; the *sequencer* role, taken for the time of one
transaction, is the only one that extends the audit tree.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.tables import metadata
from app.db.tables_audit import APPLICATION_RIGHTS, SEQUENCER_RIGHTS
from app.db.tables_conversation import DISCLOSURE_RIGHTS
from app.db.tables_roster import ROSTER_RIGHTS
from app.db.tables_statistics import STATISTICS_RIGHTS
from app.errors import SettingsUnusable, StorageInconsistent

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from app.db.engine import ReadSession

LOCK_TIMEOUT = "5s"
"""A migration that waits for a lock stops everybody behind it; it gives up early and is run again."""

STATEMENT_TIMEOUT = "10min"

ONE_MIGRATOR_AT_A_TIME = 0x636F756E74657270
"""Key of the advisory lock: the word `counterp` in ASCII."""

_ONE_CONTEXT = threading.Lock()
"""Alembic keeps its present context in variables of its modules: one database at a time in one process."""

_MAY_MANAGE_ROLES = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"

ORDINARY_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
RESTRICTED = APPLICATION_RIGHTS | DISCLOSURE_RIGHTS | ROSTER_RIGHTS | STATISTICS_RIGHTS
SCRAM_ITERATIONS = 4096


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of the two roles of a node; roles belong to a whole server, so the names carry the node's code."""

    application: str
    sequencer: str


def roles_of(code: str) -> Roles:
    """Role names of the contact point `code`: `XA-GOV` gives `counterpart_xa_gov_app` and `…_sequencer`."""
    stem = f"counterpart_{code.lower().replace('-', '_')}"
    return Roles(application=f"{stem}_app", sequencer=f"{stem}_sequencer")


def owner_engine(url: str) -> AsyncEngine:
    """Connections for migrations: no pool, impatient about locks."""
    limits = {"lock_timeout": LOCK_TIMEOUT, "statement_timeout": STATEMENT_TIMEOUT, "timezone": "UTC"}
    return create_async_engine(
        url,
        poolclass=pool.NullPool,
        connect_args={"server_settings": {"application_name": "counterpart migrate", **limits}},
    )


async def migrate(owner_url: str, *, app_role: str, app_password: str | None, sequencer_role: str) -> str:
    """Bring the schema to the newest revision and the roles to exactly their rights; return that revision.

    May be run again at any time and by several at once: they take turns. The password is left as it is without
    `app_password`, and where the owner may not manage roles (somebody else made them then). Refused when the
    application role is a superuser or owns anything here.
    """
    roles = Roles(application=app_role, sequencer=sequencer_role)
    engine = owner_engine(owner_url)
    try:
        async with engine.connect() as turn:
            await turn.execution_options(isolation_level="AUTOCOMMIT")
            # Waiting for one's turn is not waiting for a lock on data: no limit.
            await turn.execute(text("SET lock_timeout = 0"))
            await turn.execute(text("SET statement_timeout = 0"))
            await turn.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_MIGRATOR_AT_A_TIME})
            await asyncio.to_thread(_upgrade, owner_url)
            async with engine.begin() as connection:
                await _make_roles(connection, roles, app_password)
                await _set_rights(connection, roles)
                await _check_roles(connection, roles)
    finally:
        await engine.dispose()
    return head_revision()


def alembic_config() -> Config:
    """Alembic's configuration for the scripts of this installation: in the wheel, or beside `app` in a checkout."""
    config = Config()
    here = Path(__file__).parent
    for folder in (here / "migrations", here.parent / "migrations"):
        if (folder / "env.py").is_file():
            config.set_main_option("script_location", str(folder).replace("%", "%%"))
            return config
    raise StorageInconsistent("migrations_missing", "This installation lacks its migration scripts.")


def head_revision() -> str:
    """The newest revision this software knows. Reads files: ask once and keep it."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise StorageInconsistent("migrations_missing", "This installation has no migration.")
    return head


async def current_revision(session: ReadSession) -> str | None:
    """The revision of the database; None before the first migration."""
    exists = await session.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    if not exists:
        return None
    found: str | None = await session.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _upgrade(owner_url: str) -> None:
    config = alembic_config()
    config.attributes["url"] = owner_url
    with _ONE_CONTEXT:
        command.upgrade(config, "head")


async def _make_roles(connection: AsyncConnection, roles: Roles, password: str | None) -> None:
    app, sequencer = _name(roles.application), _name(roles.sequencer)
    await _make_role(connection, roles.application, "LOGIN")
    await _make_role(connection, roles.sequencer, "NOLOGIN")
    member = "SELECT pg_has_role(CAST(:role AS name), CAST(:of AS name), 'MEMBER')"
    if not await connection.scalar(text(member), {"role": roles.application, "of": roles.sequencer}):
        await _administer(connection, f"GRANT {sequencer} TO {app}")
    if password is not None and await connection.scalar(text(_MAY_MANAGE_ROLES)):
        verifier = scram_verifier(password, salt=secrets.token_bytes(16))
        await connection.exec_driver_sql(f"ALTER ROLE {app} PASSWORD '{verifier}'")


async def _make_role(connection: AsyncConnection, role: str, login: str) -> None:
    if not await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
        attributes = f"{login} NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
        await _administer(connection, f"CREATE ROLE {_name(role)} {attributes}")


async def _administer(connection: AsyncConnection, statement: str) -> None:
    """Do what may be the right of the server's administrator alone; if so, say what that person has to run."""
    try:
        await connection.exec_driver_sql(statement)
    except DBAPIError as error:
        if isinstance(error.driver_exception, asyncpg.InsufficientPrivilegeError):
            raise SettingsUnusable(
                "role_missing", f"The owner may not manage roles; let the server's administrator run: {statement};"
            ) from error
        raise


async def _set_rights(connection: AsyncConnection, roles: Roles) -> None:
    """Take everything away, then give what is listed: a right dropped from the lists is gone after the next run."""
    app, sequencer = _name(roles.application), _name(roles.sequencer)
    database = _name(str(await connection.scalar(text("SELECT current_database()"))))
    statements = [
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {database} TO {app}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {app}, {sequencer}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {app}, {sequencer}",
        f"GRANT SELECT ON alembic_version TO {app}",
    ]
    for table in metadata.sorted_tables:
        rights = RESTRICTED.get(table.name, ORDINARY_RIGHTS)
        statements.append(f"GRANT {rights} ON {_name(table.name)} TO {app}")
    statements += [f"GRANT {rights} ON {_name(table)} TO {sequencer}" for table, rights in SEQUENCER_RIGHTS.items()]
    for statement in statements:
        await connection.exec_driver_sql(statement)


async def _check_roles(connection: AsyncConnection, roles: Roles) -> None:
    """A role made by hand may be too strong; then the append-only log would be a word only."""
    for role in (roles.application, roles.sequencer):
        strong = await connection.scalar(
            text(
                "SELECT r.rolsuper OR r.rolcreaterole OR r.rolbypassrls OR r.rolreplication"
                " OR EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                "            WHERE n.nspname = 'public' AND c.relowner = r.oid)"
                " FROM pg_roles r WHERE r.rolname = :role"
            ),
            {"role": role},
        )
        if strong:
            raise SettingsUnusable(
                "role_too_strong", f"The role {role} is a superuser, may create roles, or owns tables: use another one."
            )


def scram_verifier(password: str, *, salt: bytes) -> str:
    """What PostgreSQL stores for `password` (RFC 5802): sent instead of it, so that no statement log holds it."""
    if not password.isascii():
        raise SettingsUnusable("role_password", "The application role's password must be ASCII.")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    encode = base64.b64encode
    head = f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{encode(salt).decode()}"
    return f"{head}${encode(stored_key).decode()}:{encode(server_key).decode()}"


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
