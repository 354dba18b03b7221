"""What a broker's administrator gets, what each node gets, and whether a node's own place at the broker is right."""

from __future__ import annotations

import json
import re
import stat
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from app.bus.definitions import SALT_BYTES, VHOST, hash_password
from app.settings import load_settings
from tests.cli.shell import refusal, typed
from tests.support.ports import LOOPBACK, free_ports

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Office


async def test_definitions_open_accounts(tmp_path: Path) -> None:
    """Users, permissions and queues of exactly these contact points; the passwords are in the nodes' files only."""
    out = tmp_path / "new" / "accounts"
    row = (await typed("broker", "definitions", "XA", "XT-GOV", "--out", out, "--json")).row
    assert (row["contact_points"], row["vhost"]) == (["XA", "XT-GOV"], VHOST)
    text = (out / "definitions.json").read_text()
    document = json.loads(text)
    users = {user["name"]: user["password_hash"] for user in document["users"]}
    assert users.keys() == {"XA", "XT-GOV"}
    for code, hashed in users.items():
        own = (out / f"{code}.toml").read_text()
        password = re.search(r"^# password: (\S+)$", own, re.MULTILINE)
        suffix = re.search(r'^queue_suffix = "(\S+)"$', own, re.MULTILINE)
        assert password is not None
        assert suffix is not None
        assert password[1] not in text
        salt = b64decode(hashed)[:SALT_BYTES]
        assert hash_password(password[1], salt) == hashed
        assert sum(f"cp.in.{code}.urgent.{suffix[1]}" == queue["name"] for queue in document["queues"]) == 1


async def test_definitions_are_for_the_administrator_alone(tmp_path: Path) -> None:
    """The folder has mode 0700 and its files 0600: they hold passwords, or what passwords can be tried against."""
    out = tmp_path / "accounts"
    await typed("broker", "definitions", "XA", "--out", out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}


async def test_definitions_are_never_made_over(tmp_path: Path) -> None:
    """A folder that is there is refused: the passwords in it may be in use."""
    out = tmp_path / "accounts"
    await typed("broker", "definitions", "XA", "--out", out)
    before = {path: path.read_bytes() for path in out.iterdir()}
    assert "cannot be written: File exists" in await refusal("broker", "definitions", "XA", "--out", out)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("codes", [("xa",), ("XA", "XA"), ("XA", "X.*")], ids=["small letters", "twice", "a pattern"])
async def test_codes_are_checked(tmp_path: Path, codes: tuple[str, ...]) -> None:
    """What is no code, or is named twice, gets no account and leaves no file."""
    await refusal("broker", "definitions", *codes, "--out", tmp_path / "accounts")
    assert not (tmp_path / "accounts").exists()


async def test_the_suffix_of_an_account_is_a_setting(tmp_path: Path, office: Office) -> None:
    """What stands in a node's file is taken by the node's settings as it is."""
    await typed("broker", "definitions", "XA", "--out", tmp_path / "accounts")
    line = (tmp_path / "accounts" / "XA.toml").read_text().splitlines()[1]
    name, value = line.split(" = ")
    office.set(**{name: json.loads(value)}, amqp_url=f"amqps://XA:secret@broker.example/{VHOST}")
    suffix = load_settings(office.config).queue_suffix
    assert suffix is not None
    assert suffix.get_secret_value() == json.loads(value)


async def test_a_broker_that_is_away_is_exit_code_1(office: Office) -> None:
    """`check` says that it is not connected and what the last fault was; no password is shown."""
    address = f"amqp://XA:s3cr3t@{LOOPBACK}:{free_ports(1)[0]}/{VHOST}"
    office.set(amqp_url=address, queue_suffix="abcdefgh")
    done = await typed("broker", "check", "--config", office.config, "--seconds", "1", "--json")
    assert (done.code, done.err) == (1, "")
    (row,) = json.loads(done.out)
    assert row["connected"] is False
    assert row["last_error"]
    assert "s3cr3t" not in done.out


async def test_without_a_broker_there_is_nothing_to_check(office: Office) -> None:
    """The demo's bus lives in its process: one sentence, exit code 2."""
    assert "names no broker to check" in await refusal("broker", "check", "--config", office.config)
