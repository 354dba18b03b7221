"""The application's role can do its work and nothing that would let it rewrite what was recorded."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg
import pytest

from app.db.tables_audit import APPLICATION_RIGHTS, SEQUENCER_RIGHTS
from app.errors import SettingsUnusable
from app.migrate import Roles, migrate, roles_of, scram_verifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.embedded import EmbeddedServer

PASSWORD = "a password of the test only"
RECORDED = ("audit_leaf", "audit_node", "audit_checkpoint", "audit_cosig")

# What the role may not do, as a statement that its owner may.
FORBIDDEN = {
    "make a table": "CREATE TABLE mine (id integer)",
    "make a temporary table": "CREATE TEMPORARY TABLE mine (id integer)",
    "make a function": "CREATE FUNCTION one() RETURNS integer LANGUAGE sql RETURN 1",
    "drop a table": "DROP TABLE timeline",
    "change a table": "ALTER TABLE timeline ADD COLUMN mine integer",
    "switch triggers off": "ALTER TABLE audit_leaf DISABLE TRIGGER ALL",
    "empty a table": "TRUNCATE timeline",
    "change the revision": "UPDATE alembic_version SET version_num = 'x'",
    "pass its rights on": "CREATE ROLE another",
}
REWRITING = {
    f"{verb} {table}": (verb, table) for table in RECORDED for verb in ("UPDATE", "DELETE", "TRUNCATE", "INSERT")
}


@dataclass(frozen=True)
class Node:
    """A database and the roles that may use it."""

    server: EmbeddedServer
    database: str
    roles: Roles

    async def migrate(self) -> None:
        """Migrate as `counterpart migrate` does."""
        url, roles = self.server.superuser_url(self.database), self.roles
        await migrate(url, app_role=roles.application, app_password=PASSWORD, sequencer_role=roles.sequencer)

    async def as_application(self) -> asyncpg.Connection:
        """A connection as the node itself has it."""
        return await self._connect(self.roles.application, PASSWORD)

    async def as_owner(self) -> asyncpg.Connection:
        """A connection as the migrations have it."""
        return await self._connect("postgres", self.server.password)

    async def _connect(self, user: str, password: str) -> asyncpg.Connection:
        folder = str(self.server.socket_dir)
        return await asyncpg.connect(host=folder, user=user, password=password, database=self.database)


async def make_node(server: EmbeddedServer, name: str) -> Node:
    """A new database, migrated; its name is in that of its roles."""
    await server.create_database(name)
    node = Node(server, name, roles_of(f"XZ-{name.upper().replace('_', '')}"))
    await node.migrate()
    return node


@pytest.fixture(scope="module")
async def shared(server: EmbeddedServer, numbers: Callable[[], int]) -> Node:
    """A migrated database for all tests that leave it as it was."""
    return await make_node(server, f"shared_{numbers()}")


@pytest.fixture
async def node(server: EmbeddedServer, numbers: Callable[[], int]) -> Node:
    """A migrated database of the test's own."""
    return await make_node(server, f"own_{numbers()}")


def rewriting(verb: str, table: str) -> str:
    """A statement that would change what was recorded, by whichever verb."""
    return {
        "UPDATE": f"UPDATE {table} SET epoch = epoch",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
        "INSERT": f"INSERT INTO {table} SELECT * FROM {table}",
    }[verb]


async def test_role_is_neither_owner_nor_superuser(shared: Node) -> None:
    """The role the node connects as owns no object and has no attribute beyond logging in."""
    connection = await shared.as_application()
    role = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
    assert role is not None
    strong = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls", "rolinherit")
    assert [name for name in strong if role[name]] == []
    owned = "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user"
    assert await connection.fetchval(owned) == 0
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert await connection.fetchval(owner) == "postgres"
    await connection.close()


@pytest.mark.parametrize("what", FORBIDDEN)
async def test_role_cannot(shared: Node, what: str) -> None:
    """What only the owner may do is refused to the application, and allowed to the owner."""
    connection = await shared.as_application()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(FORBIDDEN[what])
    await connection.close()
    owner = await shared.as_owner()
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(FORBIDDEN[what])
    await transaction.rollback()
    await owner.close()


@pytest.mark.parametrize("what", REWRITING)
async def test_record_cannot_be_rewritten(shared: Node, what: str) -> None:
    """The application can neither change nor remove nor add what the sequencer recorded."""
    connection = await shared.as_application()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(rewriting(*REWRITING[what]))
    await connection.close()


async def test_sequencer_can_only_add(shared: Node) -> None:
    """The role that extends the tree may insert there, and neither change nor remove what is there."""
    connection = await shared.as_application()
    for verb, table in REWRITING.values():
        if table not in SEQUENCER_RIGHTS:
            continue
        async with connection.transaction():
            await connection.execute(f'SET LOCAL ROLE "{shared.roles.sequencer}"')
            if verb == "INSERT":
                await connection.execute(rewriting(verb, table))
                continue
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute(rewriting(verb, table))
    await connection.close()


async def test_triggers_stop_even_the_owner(node: Node) -> None:
    """With all rights a recorded row can still not be changed; with the trigger switched off it can."""
    owner = await node.as_owner()
    await owner.execute("INSERT INTO audit_node VALUES (1, 0, 0, decode(repeat('00', 32), 'hex'))")
    for statement in ("UPDATE audit_node SET idx = 1", "DELETE FROM audit_node", "TRUNCATE audit_node"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await owner.execute(statement)
    await owner.execute("ALTER TABLE audit_node DISABLE TRIGGER ALL")
    assert await owner.execute("UPDATE audit_node SET idx = 1") == "UPDATE 1"
    await owner.close()


async def test_ordinary_work_is_allowed(node: Node) -> None:
    """The application may insert, read, change and remove where nothing else is said, and read its revision."""
    connection = await node.as_application()
    await connection.execute("INSERT INTO agency (id, name, created_at) VALUES ('police', 'Police', now())")
    assert await connection.execute("UPDATE agency SET name = 'Police of XZ'") == "UPDATE 1"
    assert await connection.execute("DELETE FROM agency") == "DELETE 1"
    assert await connection.fetchval("SELECT version_num FROM alembic_version")
    await connection.close()


async def test_rights_are_exactly_those_listed(node: Node) -> None:
    """A right that was given or taken by hand is as listed again after the next migration."""
    owner = await node.as_owner()
    await owner.execute(f'GRANT UPDATE ON audit_leaf TO "{node.roles.application}"')
    await owner.execute(f'REVOKE INSERT ON audit_pending FROM "{node.roles.application}"')
    assert await rights(owner, node.roles, "audit_leaf") == {"SELECT", "UPDATE"}
    await node.migrate()
    for table, expected in APPLICATION_RIGHTS.items():
        assert await rights(owner, node.roles, table) == set(expected.split(", "))
    await owner.close()


async def rights(owner: asyncpg.Connection, roles: Roles, table: str) -> set[str]:
    """What the application's role may do to a table."""
    rows = await owner.fetch(
        "SELECT privilege_type FROM information_schema.role_table_grants WHERE grantee = $1 AND table_name = $2",
        roles.application,
        table,
    )
    return {row["privilege_type"] for row in rows}


async def test_other_nodes_are_out_of_reach(shared: Node, node: Node) -> None:
    """On a server that several nodes share, one node's role cannot enter another's database."""
    trespasser = Node(node.server, node.database, shared.roles)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await trespasser.as_application()
    await (await node.as_application()).close()


async def test_superuser_is_refused_as_application(server: EmbeddedServer, database: str) -> None:
    """A node that would connect as a superuser, against whom nothing is append-only, is not set up."""
    node = Node(server, database, Roles("postgres", roles_of("XZ-STRONG").sequencer))
    with pytest.raises(SettingsUnusable, match="role_too_strong"):
        await node.migrate()


async def test_owner_without_right_to_make_roles(server: EmbeddedServer, database: str) -> None:
    """An owner that may not create roles is told in one sentence what the administrator has to run."""
    node = Node(server, database, roles_of(f"XZ-{database.upper().replace('_', '')}"))
    app, sequencer, plain = node.roles.application, node.roles.sequencer, f"plain_{database}"
    admin = await node.as_owner()
    await admin.execute(f"CREATE ROLE {plain} LOGIN PASSWORD '{PASSWORD}'")
    await admin.execute(f"ALTER DATABASE {database} OWNER TO {plain}")
    await admin.execute(f"ALTER SCHEMA public OWNER TO {plain}")
    url = server.role_url(database, role=plain, password=PASSWORD)
    with pytest.raises(SettingsUnusable, match=f'CREATE ROLE "{app}" LOGIN'):
        await migrate(url, app_role=app, app_password=PASSWORD, sequencer_role=sequencer)
    await admin.execute(f"CREATE ROLE \"{app}\" LOGIN NOINHERIT PASSWORD '{PASSWORD}'")
    await admin.execute(f'CREATE ROLE "{sequencer}" NOLOGIN')
    await admin.execute(f'GRANT "{sequencer}" TO "{app}"')
    await migrate(url, app_role=app, app_password=PASSWORD, sequencer_role=sequencer)
    await (await node.as_application()).close()
    await admin.close()


async def test_password_stays_out_of_the_log(node: Node) -> None:
    """A server that logs every statement never sees the password, only a verifier the role can log in with."""
    owner = await node.as_owner()
    await owner.execute("ALTER SYSTEM SET log_statement = 'all'")
    await owner.execute("SELECT pg_reload_conf()")
    await node.migrate()
    await (await node.as_application()).close()
    await owner.execute("ALTER SYSTEM RESET log_statement")
    await owner.execute("SELECT pg_reload_conf()")
    await owner.close()
    log = (node.server.socket_dir.parent / "log").read_text(errors="replace")
    assert "PASSWORD 'SCRAM-SHA-256$" in log
    assert PASSWORD not in log


def test_verifier_is_that_of_the_standard() -> None:
    """The verifier is the one that RFC 7677's example (user, salt, iterations) leads to."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    keys = "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    assert scram_verifier("pencil", salt=salt) == f"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==${keys}"


def test_password_must_be_ascii() -> None:
    """A password that would have to be normalised first is refused, not silently changed."""
    with pytest.raises(SettingsUnusable, match="ASCII"):
        scram_verifier("pässwort", salt=b"salt")


def test_roles_carry_the_code() -> None:
    """Role names belong to a whole server, so those of two contact points differ."""
    assert roles_of("XA-GOV") == Roles("counterpart_xa_gov_app", "counterpart_xa_gov_sequencer")
