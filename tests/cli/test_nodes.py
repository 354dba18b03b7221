"""From nothing to a node that answers, by the commands of the operator's guide; and what a production node refuses."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
import pytest

from app.bus.memory import MemoryBus
from app.migrate import head_revision, roles_of
from app.runtime import open_runtime
from app.serving import wall_clock
from app.settings import load_settings
from app.workers import start_log
from tests.cli.conftest import Office
from tests.cli.shell import refusal, typed
from tests.support.bus import short_pauses
from tests.support.ports import LOOPBACK, free_ports
from tests.support.processes import REPOSITORY, NodeProcess, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.postgres import PostgresServer

NAME = "production"
ROLE = roles_of("XA").application
PROFILE = REPOSITORY / "app" / "data" / "contact_points" / "XA.json"


@pytest.fixture
async def nothing(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Office]:
    """A production node's settings: no keys, no directory and no database yet."""
    office = Office(tmp_path)
    office.set(
        profile="production",
        database_url=postgres.url(NAME, ROLE),
        owner_database_url=postgres.url(NAME),
        amqp_url=f"amqp://XA:secret@{LOOPBACK}:{free_ports(1)[0]}/counterpart",
        queue_suffix="abcdefgh",
        http_port=free_ports(1)[0],
    )
    yield office
    for name in (NAME, f"{NAME}_old"):
        await postgres.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def set_up(office: Office) -> str:
    """Steps 1, 2 and 4 of the guide, and somebody with a token; returns it."""
    folder, config = office.folder, ("--config", office.config)
    (folder / "XA.json").write_bytes(PROFILE.read_bytes())
    steps: list[tuple[str | Path, ...]] = [
        ("keys", "generate", "--code", "XA", "--keys-dir", folder / "XA" / "keys", "--public", folder / "XA.keys.json"),
        ("directory", "publish", folder / "XA.json", "--out", folder / "directory.json"),
        ("migrate", "--create-database", *config),
    ]
    for step in steps:
        done = await typed(*step)
        assert (done.code, done.err) == (0, ""), done
    person = (await typed("people", "add", "Supervisor", "--role", "supervisor", *config, "--json")).row["id"]
    return str((await typed("tokens", "create", person, *config, "--json")).row["token"])


def anchored(office: Office) -> int:
    """The size of the log that the anchor holds."""
    return int((office.folder / "anchor").read_text().splitlines()[1])


async def look_at_log(office: Office) -> None:
    """What every start begins with: open the log, or see that it still is the one that was signed, and publish it."""
    settings = load_settings(office.config)
    bus = MemoryBus(clock=wall_clock, pauses=short_pauses())
    async with open_runtime(settings, clock=wall_clock, broker=bus.connect("XA")) as runtime:
        await start_log(runtime)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[NodeProcess]:
    """A process that is surely ended."""
    made = NodeProcess(tmp_path / "log", born=True)
    yield made
    made.discard()


@asynccontextmanager
async def serving(office: Office, process: NodeProcess) -> AsyncIterator[httpx.AsyncClient]:
    """`counterpart serve`, once its gateway takes requests; it is ended in order, with exit code 0, after the block."""
    process.start("serve", "--config", office.config)
    url = f"http://{LOOPBACK}:{load_settings(office.config).http_port}"
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:

        async def answers() -> bool:
            assert process.runs, f"it ended: {process.tail()}"
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await until(answers, what="it never became ready", seconds=90)
        yield client
    assert await process.stop() == 0, process.tail()


async def test_a_database_is_migrated_as_often_as_one_likes(nothing: Office) -> None:
    """Without the database one sentence, with `--create-database` it is made, and then every run says the same."""
    config = ("--config", nothing.config)
    assert "--create-database" in await refusal("migrate", *config)
    for options in (("--create-database",), (), ("--create-database",)):
        row = (await typed("migrate", *options, *config, "--json")).row
        assert row == {"code": "XA", "revision": head_revision()}
    assert (await typed("migrate", *config)).out == f"XA: the database is at revision {head_revision()}.\n"


async def test_a_production_node_from_nothing(nothing: Office, process: NodeProcess) -> None:
    """Keys, directory, database, person, token: the node serves without its broker, knows the token, and stops."""
    token = await set_up(nothing)
    async with serving(nothing, process) as client:
        assert (await client.get("/readyz")).json()["status"] == "degraded"
        me = await client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert (me.status_code, me.json()["role"]) == (200, "supervisor")
    assert process.leaves_nothing()
    assert "Traceback" not in process.tail()
    assert (await typed("audit", "verify", "--config", nothing.config)).code == 0


async def test_a_production_node_refuses_a_strong_role(nothing: Office, postgres: PostgresServer) -> None:
    """As a superuser it could rewrite its own log: refused in one sentence, and so is the owner of the tables."""
    await set_up(nothing)
    await postgres.execute("CREATE ROLE owns LOGIN")
    try:
        nothing.set(database_url=postgres.url(NAME))
        assert "is a superuser or owns the database" in await refusal("serve", "--config", nothing.config)
        await postgres.execute(f"ALTER DATABASE {NAME} OWNER TO owns")
        nothing.set(database_url=postgres.url(NAME, "owns"))
        for command in ("serve", "gateway", "work"):
            await refusal(command, "--config", nothing.config)
    finally:
        await postgres.execute(f"ALTER DATABASE {NAME} OWNER TO postgres")
        await postgres.execute("DROP ROLE owns")


async def test_a_production_node_refuses_keys_that_others_can_read(nothing: Office) -> None:
    """The folder that is open is named with its mode."""
    await set_up(nothing)
    (nothing.folder / "XA" / "keys").chmod(0o755)
    assert "is open to others (mode 0755)" in await refusal("serve", "--config", nothing.config)


async def test_a_production_node_has_a_broker(nothing: Office) -> None:
    """The bus in the process is refused by the settings themselves."""
    nothing.set(amqp_url="memory:")
    assert "AMQP_URL memory: is for the demo" in await refusal("serve", "--config", nothing.config)


async def test_a_database_from_an_old_backup_is_noticed(
    nothing: Office, process: NodeProcess, postgres: PostgresServer
) -> None:
    """On a copy made before the last checkpoint a node can be read, takes no command, and says why."""
    token = await set_up(nothing)
    await look_at_log(nothing)
    await postgres.execute(f"CREATE DATABASE {NAME}_old TEMPLATE {NAME}")
    before = anchored(nothing)
    await typed("people", "add", "Auditor", "--role", "auditor", "--config", nothing.config)
    await look_at_log(nothing)
    assert anchored(nothing) == before + 1
    nothing.set(database_url=postgres.url(f"{NAME}_old", ROLE))
    asking = {"Authorization": f"Bearer {token}", "Idempotency-Key": "note-1"}
    call = {"exchange_id": str(UUID(int=7)), "requesting": "XT", "type": "PRESERVATION", "noted": "They called."}
    async with serving(nothing, process) as client:
        assert (await client.get("/v1/exchanges", headers=asking)).status_code == 200
        refused = await client.post("/v1/exchanges", headers=asking, json=call)
        assert (refused.status_code, refused.json()["code"]) == (503, "recovering")
    assert anchored(nothing) == before + 1
    shown = (await typed("recovery", "show", "--json", "--config", nothing.config)).out
    assert json.loads(shown)[0]["proof"] == "anchor"


async def test_a_rehearsal_is_set_up(postgres: PostgresServer, tmp_path: Path) -> None:
    """`rehearsal new` and `rehearsal start` make a node whose people have tokens, printed once as table or JSON."""
    server = postgres.url("").replace("+asyncpg", "")
    new = ("rehearsal", "new", tmp_path / "net", "XS", "--postgres", server, "--amqp", "amqp://127.0.0.1:1")
    done = await typed(*new, "--port", "9000")
    assert (done.code, done.out) == (0, f"XS: {tmp_path / 'net' / 'XS.toml'}, port 9000\n")
    assert "is not empty" in await refusal(*new)
    try:
        rows = (await typed("rehearsal", "start", "--config", tmp_path / "net" / "XS.toml", "--json")).rows
        assert len({row["token"] for row in rows}) == len(rows) == 12
        listed = (await typed("tokens", "list", "--config", tmp_path / "net" / "XS.toml", "--json")).rows
        assert {row["id"] for row in listed} == {row["token"].split("_")[1] for row in rows}
    finally:
        await postgres.execute("DROP DATABASE IF EXISTS counterpart_xs WITH (FORCE)")


async def test_a_rehearsal_is_no_production(nothing: Office) -> None:
    """A production node gets no invented people."""
    assert "A rehearsal has the profile demo" in await refusal("rehearsal", "start", "--config", nothing.config)
