"""What an operator may have got wrong is one sentence that names it, at every command that needs it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.cli.shell import refusal, replace_by_folder, typed
from tests.support.ports import LOOPBACK, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Office
    from tests.support.postgres import Database, PostgresServer

SOMEBODY = "0193523a-7a00-7000-8000-000000000001"

AT_THE_NODE: dict[str, tuple[str, ...]] = {
    "agencies add": ("agencies", "add", "police", "Police"),
    "people add": ("people", "add", "Somebody", "--role", "auditor"),
    "people list": ("people", "list"),
    "tokens create": ("tokens", "create", SOMEBODY),
    "tokens revoke": ("tokens", "revoke", "0011223344556677"),
    "tokens list": ("tokens", "list", "--json"),
    "audit prove": ("audit", "prove", SOMEBODY),
}
"""Commands that open the node's database. `audit export` and `audit verify` have tests of their own."""

SETTINGS: dict[str, tuple[Callable[[Office], object], str]] = {
    "no settings file": (lambda office: office.config.unlink(), "cannot be read: FileNotFoundError"),
    "a folder instead of one": (
        lambda office: replace_by_folder(office.config),
        "cannot be read: IsADirectoryError",
    ),
    "a file that is no TOML": (lambda office: office.config.write_text("code = XA"), "cannot be read: TOMLDecodeError"),
    "a file that is no text": (lambda office: office.config.write_bytes(b"\xff"), "cannot be read: UnicodeDecodeError"),
    "a setting nobody knows": (
        lambda office: office.set(colour="red"),
        "'colour' in the settings file is not a setting",
    ),
    "a code in small letters": (lambda office: office.set(code="xa"), "COUNTERPART_CODE cannot be used"),
    "another database": (lambda office: office.set(database_url="mysql://db.example/x"), "COUNTERPART_DATABASE_URL"),
    "a directory that is not there": (
        lambda office: office.set(directory="/nonexistent/d"),
        "/nonexistent/d cannot be read",
    ),
    "a directory that is none": (
        lambda office: (office.folder.joinpath("d").write_text("{}"), office.set(directory=str(office.folder / "d"))),
        "at /version",
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
async def test_senseless_settings_are_named(office: Office, case: str) -> None:
    """The first fault of the settings is named, and nothing is done."""
    spoil, words = SETTINGS[case]
    spoil(office)
    sentence = await refusal("people", "list", "--config", office.config)
    assert words in sentence


async def execute(url: str, statement: str) -> None:
    """One statement of a superuser."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("command", AT_THE_NODE)
async def test_a_database_that_is_away_is_named_by_its_setting(empty_office: Office, command: str) -> None:
    """Nobody listening is one sentence, without address and password."""
    empty_office.set(database_url=f"postgresql://app:s3cr3t@{LOOPBACK}:{free_ports(1)[0]}/none")
    sentence = await refusal(*AT_THE_NODE[command], "--config", empty_office.config)
    assert sentence.startswith("The database of COUNTERPART_DATABASE_URL cannot be used: ")
    assert "s3cr3t" not in sentence


@pytest.mark.parametrize("command", AT_THE_NODE)
async def test_an_unmigrated_database_is_told_what_to_run(office: Office, database: Database, command: str) -> None:
    """A database without our schema is refused with the command that makes it."""
    await execute(database.owner_url, "DROP TABLE alembic_version")
    sentence = await refusal(*AT_THE_NODE[command], "--config", office.config)
    assert sentence.endswith("is empty: run counterpart migrate.")


async def test_a_database_of_another_release_is_told_what_to_run(office: Office, database: Database) -> None:
    """A schema older than the program is refused too."""
    await execute(database.owner_url, "UPDATE alembic_version SET version_num = 'older'")
    assert "is at revision older, not " in await refusal("people", "list", "--config", office.config)


async def test_a_missing_database_is_told_how_to_make(office: Office, database: Database) -> None:
    """The server is there, the database is not."""
    office.set(database_url=database.url.replace(database.name, "nobody_made_this"))
    assert "does not exist" in await refusal("people", "list", "--config", office.config)


async def test_a_role_without_rights_is_refused(office: Office, database: Database, postgres: PostgresServer) -> None:
    """Somebody who may connect and read nothing is told what the server's objection is."""
    await postgres.execute("CREATE ROLE stranger LOGIN")
    try:
        office.set(database_url=postgres.url(database.name, "stranger"))
        await execute(database.owner_url, f"GRANT CONNECT ON DATABASE {database.name} TO stranger")
        sentence = await refusal("people", "list", "--config", office.config)
        assert "COUNTERPART_DATABASE_URL" in sentence
        await execute(database.owner_url, "GRANT USAGE ON SCHEMA public TO stranger")
        await execute(database.owner_url, "GRANT SELECT ON alembic_version TO stranger")
        assert "InsufficientPrivilege" in await refusal("people", "list", "--config", office.config)
    finally:
        await execute(database.owner_url, "DROP OWNED BY stranger")
        await execute(database.owner_url, f"REVOKE ALL ON DATABASE {database.name} FROM stranger")
        await postgres.execute("DROP ROLE stranger")


async def test_a_well_set_up_node_is_not_refused(office: Office) -> None:
    """The control: the same commands on the same database, nothing spoiled."""
    done = await typed("people", "list", "--config", office.config, "--json")
    assert done.rows == []


KEYS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no keys": (lambda keys: keys.rename(keys.with_name("elsewhere")), "holds no key for"),
    "a key that is no key": (lambda keys: next(keys.glob("*.json")).write_text("{}"), "does not say which purpose"),
    "a key that is no JSON": (lambda keys: next(keys.glob("*.json")).write_text("x"), "is not a key file"),
    "a key that is a folder": (
        lambda keys: replace_by_folder(next(keys.glob("*.json"))),
        "cannot be read",
    ),
}


@pytest.mark.parametrize("case", KEYS)
async def test_unusable_keys_are_named(office: Office, published: Path, tmp_path: Path, case: str) -> None:
    """A command that needs the keys names the folder or file, never what is in it."""
    spoil, words = KEYS[case]
    keys = tmp_path / "spoiled"
    keys.mkdir()
    for path in (published / "XA" / "keys").iterdir():
        (keys / path.name).write_bytes(path.read_bytes())
    spoil(keys)
    office.set(keys_dir=str(keys))
    sentence = await refusal("audit", "export", tmp_path / "out", "--config", office.config)
    assert str(keys) in sentence
    assert words in sentence
    assert not (tmp_path / "out").exists()


async def test_a_node_of_the_demo_cannot_be_served_alone(office: Office) -> None:
    """A bus in the process is for nodes that share one: `serve` says so instead of waiting for nobody."""
    for command in ("serve", "gateway", "work"):
        assert "COUNTERPART_AMQP_URL is memory:" in await refusal(command, "--config", office.config)


async def test_a_port_in_use_stops_a_node(office: Office) -> None:
    """The port of the settings is named; the database has not been asked."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    office.set(http_port=port, database_url="postgresql://nobody@127.0.0.1:1/none")
    try:
        assert f"Port {port} on {LOOPBACK} is in use" in await refusal("serve", "--config", office.config)
    finally:
        server.close()
        await server.wait_closed()
