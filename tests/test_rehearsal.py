"""What `rehearsal new` writes: enough to start every node, each secret in one place, nothing where it fails."""

from __future__ import annotations

import json
import os
import stat
import tomllib
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from app.bus.definitions import VHOST
from app.errors import SettingsUnusable
from app.keystore import check_published, load_keys, read_directory
from app.migrate import roles_of
from app.rehearsal import MEMORY_BUS, Surroundings, make_network
from app.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from app.rehearsal import TrialNode

CODES = ("XA", "XT")
AROUND = Surroundings("postgresql://owner:of%40all@db.example:5433/?sslmode=require", "amqp://bus.example:5673", 9000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "deep" / "net"


def made(
    folder: Path, now: datetime, codes: Sequence[str] = CODES, *, around: Surroundings = AROUND
) -> tuple[TrialNode, ...]:
    """The network."""
    return make_network(folder, codes, around, now=now, random=os.urandom)


def settings_of(node: TrialNode) -> dict[str, Any]:
    """The settings file of a node, as it was written."""
    return tomllib.loads(node.config.read_text())


def test_every_node_can_be_started(folder: Path, now: datetime) -> None:
    """The settings are read without a fault, and the directory publishes exactly the keys that each node has."""
    for node in made(folder, now):
        settings = load_settings(node.config)
        keys = load_keys(settings.keys_dir)
        check_published(keys, read_directory(settings.directory), code=node.code)
        assert settings.code == node.code
        assert settings.http_port == node.http_port
        assert settings.anchor.parent.is_dir()


def test_nodes_are_apart(folder: Path, now: datetime) -> None:
    """Two nodes share the directory and nothing else: other ports, databases, roles, accounts, suffixes, keys."""
    ours, theirs = (settings_of(node) for node in made(folder, now))
    alike = {name for name in ours if ours[name] == theirs[name]}
    assert alike == {"profile", "directory"}
    assert (ours["http_port"], theirs["http_port"]) == (9000, 9001)


def test_each_role_gets_its_own_address(folder: Path, now: datetime) -> None:
    """The node connects as the application's role, migrations as the owner that was named; server and options stay."""
    node = made(folder, now)[0]
    settings = settings_of(node)
    application, owner = urlsplit(settings["database_url"]), urlsplit(settings["owner_database_url"])
    assert application.username == roles_of("XA").application
    assert (owner.username, unquote(owner.password or "")) == ("owner", "of@all")
    for address in (application, owner):
        assert (address.hostname, address.port, address.query) == ("db.example", 5433, "sslmode=require")
        assert address.path == f"/{node.database}"
    bus = urlsplit(settings["amqp_url"])
    assert (bus.username, bus.hostname, bus.port, bus.path) == ("XA", "bus.example", 5673, f"/{VHOST}")


def test_the_bus_may_live_in_the_process(folder: Path, now: datetime) -> None:
    """With `memory:` no account is in the settings."""
    around = Surroundings("postgresql://postgres@/", MEMORY_BUS)
    settings = settings_of(made(folder, now, around=around)[0])
    assert settings["amqp_url"] == MEMORY_BUS
    assert "queue_suffix" not in settings


def test_nobody_else_can_read_secrets(folder: Path, now: datetime) -> None:
    """Folders have mode 0700, and files 0600; only the directory, which is public, may be read by a group."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    made(folder, now)
    for path in [folder, *folder.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = 0o640 if path.name == "directory.json" else 0o700 if path.is_dir() else 0o600
        assert mode == wanted, path


def test_secrets_are_where_they_belong(folder: Path, now: datetime) -> None:
    """No private key is outside its folder; no password is in what goes to the broker or to everybody."""
    nodes = made(folder, now)
    public = [(folder / name).read_text() for name in ("directory.json", "definitions.json")]
    for node in nodes:
        settings = settings_of(node)
        secrets = [json.loads(path.read_text())["d"] for path in (folder / node.code / "keys").glob("*.json")]
        assert len(secrets) == 5
        secrets += [str(urlsplit(settings[name]).password) for name in ("database_url", "amqp_url")]
        for secret in secrets:
            assert not any(secret in text for text in public)
            assert not any(secret in other.config.read_text() for other in nodes if other is not node)
        assert settings["queue_suffix"] not in public[0]
        assert settings["queue_suffix"] in public[1]  # the broker's administrator makes the queues of that name


def test_the_broker_knows_the_accounts(folder: Path, now: datetime) -> None:
    """The definitions open exactly these accounts, none of them an administrator."""
    made(folder, now)
    users = json.loads((folder / "definitions.json").read_text())["users"]
    assert {user["name"]: user["tags"] for user in users} == {"XA": "", "XT": ""}


def test_a_former_network_is_left_alone(folder: Path, now: datetime) -> None:
    """A folder with anything in it is refused, and nothing in it changes."""
    made(folder, now)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(SettingsUnusable, match="is not empty; name a new folder"):
        made(folder, now)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_folder_that_cannot_be_is_named(tmp_path: Path, now: datetime) -> None:
    """Where a file stands in the way, one sentence says so."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsUnusable, match="cannot be written"):
        made(tmp_path / "file" / "net", now)


SENSELESS: dict[str, tuple[Sequence[str], Surroundings, str]] = {
    "a state that is not invented": (("XA", "FR"), AROUND, "no_example"),
    "a code in small letters": (("xa",), AROUND, "no_example"),
    "a code twice": (("XA", "XA"), AROUND, "codes_repeated"),
    "a database without scheme": (CODES, Surroundings("db.example:5432", AROUND.amqp), "address_unusable"),
    "another database": (CODES, Surroundings("mysql://db.example/", AROUND.amqp), "address_unusable"),
    "a broker without scheme": (CODES, Surroundings(AROUND.postgres, "bus.example:5672"), "address_unusable"),
}


@pytest.mark.parametrize("case", SENSELESS)
def test_what_cannot_come_to_anything_writes_nothing(folder: Path, now: datetime, case: str) -> None:
    """A senseless request is refused before there is a folder, so that the next try is not told it is not empty."""
    codes, around, code = SENSELESS[case]
    with pytest.raises(SettingsUnusable) as refused:
        made(folder, now, codes, around=around)
    assert refused.value.code == code
    assert refused.value.detail.endswith(".")
    assert not folder.exists()
