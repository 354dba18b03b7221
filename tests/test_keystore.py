"""Keys and directory as files: closed to others, written whole, refused with a sentence when unusable."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.directory import Directory, KeyStatus, KeyUse, publish_directory
from app.envelope.claims import Claims
from app.envelope.open import open_envelope
from app.envelope.seal import encrypt, sign
from app.errors import SettingsUnusable
from app.keystore import (
    EXAMPLE_CODES,
    check_published,
    create_keys,
    example_profile,
    load_keys,
    read_directory,
    write_directory,
)

if TYPE_CHECKING:
    from pathlib import Path

    from app.domain.directory import KeyRecord
    from app.keystore import NodeKeys

NOW = datetime(2026, 11, 22, 9, 30, 5, 250_000, tzinfo=UTC)
YEAR = timedelta(days=365)


def create(folder: Path, code: str = "XA") -> tuple[KeyRecord, ...]:
    """A first set of keys."""
    return create_keys(folder, code, now=NOW, validity=YEAR)


def complain(folder: Path, *, refuse_open: bool = True) -> str:
    """The sentence with which the folder is refused."""
    with pytest.raises(SettingsUnusable) as caught:
        load_keys(folder, refuse_open=refuse_open)
    return caught.value.detail


def make_network(folder: Path) -> tuple[Directory, dict[str, NodeKeys]]:
    """The three invented contact points with keys of their own."""
    records = {code: create(folder / code, code) for code in EXAMPLE_CODES}
    directory = publish_directory([example_profile(code) for code in EXAMPLE_CODES], records, version=1, issued_at=NOW)
    return directory, {code: load_keys(folder / code) for code in EXAMPLE_CODES}


def test_each_purpose_has_a_key_of_its_own(tmp_path: Path) -> None:
    """Signing, its standby, opening, log and witness: five different keys, each published for one use."""
    records = create(tmp_path)

    assert [(record.kid, record.use, record.status) for record in records] == [
        ("XA-sig-2026a", KeyUse.SIG, KeyStatus.ACTIVE),
        ("XA-sig-2026b", KeyUse.SIG, KeyStatus.STANDBY),
        ("XA-enc-2026a", KeyUse.ENC, KeyStatus.ACTIVE),
        ("XA-log-2026a", KeyUse.LOG, KeyStatus.ACTIVE),
        ("XA-wit-2026a", KeyUse.WIT, KeyStatus.ACTIVE),
    ]
    assert len({record.jwk.x for record in records}) == 5


def test_a_new_key_is_valid_from_the_second_it_was_made_in(tmp_path: Path) -> None:
    """`iat` has whole seconds, so a text signed at once lies in the window."""
    record = create(tmp_path)[0]

    assert record.is_valid_at(NOW.replace(microsecond=0))
    assert record.exp - record.nbf == YEAR


def test_private_keys_are_closed_to_others(tmp_path: Path) -> None:
    """The folder has mode 0700 and every file 0600, whatever the umask and the folder were before."""
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        create(folder)
    finally:
        os.umask(before)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 5


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    """A folder that holds keys is refused and stays as it was."""
    create(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    with pytest.raises(SettingsUnusable, match="already holds keys"):
        create(tmp_path)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A path that leads through a file ends in a sentence."""
    (tmp_path / "file").write_text("x")

    with pytest.raises(SettingsUnusable, match="keys cannot be written"):
        create(tmp_path / "file" / "keys")


def test_keys_are_made_for_contact_points_only(tmp_path: Path) -> None:
    """A code that is none is refused and leaves no key behind."""
    with pytest.raises(SettingsUnusable, match="not the code of a contact point"):
        create(tmp_path / "keys", "Aurelia")

    assert list((tmp_path / "keys").iterdir()) == []


def test_loaded_keys_exchange_an_envelope(tmp_path: Path) -> None:
    """What one node signs and closes with its files, another opens with its own and the directory."""
    directory, keys = make_network(tmp_path)
    recipient = directory.encryption_key("XT", NOW)
    assert recipient is not None
    claims = Claims(
        iss="XA",
        aud="XT",
        jti="019a9f5e-7c00-7000-8000-000000000001",
        iat=int(NOW.timestamp()),
        type="heartbeat/1",
        body={},
        dir_version=directory.version,
    )
    raw = encrypt(sign(claims, keys["XA"].keyring.signing), iss="XA", aud="XT", copy=1, recipient=recipient)

    opened = open_envelope(raw, me="XT", keyring=keys["XT"].keyring, directory=directory, now=NOW)

    assert opened.claims == claims


def test_the_standby_key_signs_the_day_the_other_is_revoked(tmp_path: Path) -> None:
    """A standby key is published from the beginning, so peers believe it at once."""
    directory, keys = make_network(tmp_path)
    standby, recipient = keys["XA"].keyring.standby, directory.encryption_key("XT", NOW)
    assert standby is not None
    assert recipient is not None
    claims = Claims(
        iss="XA",
        aud="XT",
        jti="019a9f5e-7c00-7000-8000-000000000002",
        iat=int(NOW.timestamp()),
        type="heartbeat/1",
        body={},
        dir_version=1,
    )
    raw = encrypt(sign(claims, standby), iss="XA", aud="XT", copy=1, recipient=recipient)

    opened = open_envelope(raw, me="XT", keyring=keys["XT"].keyring, directory=directory, now=NOW)

    assert opened.kid == "XA-sig-2026b"


def test_loaded_keys_are_those_the_directory_publishes(tmp_path: Path) -> None:
    """A node starts only with keys that its peers can check."""
    directory, keys = make_network(tmp_path)

    for code in EXAMPLE_CODES:
        check_published(keys[code], directory, code=code)


def test_keys_the_directory_does_not_publish_stop_the_start(tmp_path: Path) -> None:
    """Keys of another node, a log key nobody knows, or a code that is not in the directory are refused by name."""
    directory, keys = make_network(tmp_path)
    strange_log = replace(keys["XA"], log_key=keys["XT"].log_key)
    strange_opening = replace(
        keys["XA"], keyring=replace(keys["XA"].keyring, decryption=keys["XT"].keyring.decryption, standby=None)
    )

    with pytest.raises(SettingsUnusable, match="our key XT-sig-2026a for XA"):
        check_published(keys["XT"], directory, code="XA")
    with pytest.raises(SettingsUnusable, match="our log key for XA"):
        check_published(strange_log, directory, code="XA")
    with pytest.raises(SettingsUnusable, match="our key XT-enc-2026a for XA"):
        check_published(strange_opening, directory, code="XA")
    with pytest.raises(SettingsUnusable, match="no contact point XQ"):
        check_published(keys["XA"], directory, code="XQ")


def test_keys_in_grace_are_loaded_with_the_current_one(tmp_path: Path) -> None:
    """Several encryption keys may lie in the folder: envelopes under way still open after a change."""
    create(tmp_path)
    create_keys(tmp_path / "next", "XA", now=NOW + YEAR, validity=YEAR)
    (tmp_path / "next" / "XA-enc-2027a.json").rename(tmp_path / "XA-enc-2027a.json")

    assert set(load_keys(tmp_path).keyring.decryption) == {"XA-enc-2026a", "XA-enc-2027a"}


def test_a_node_without_standby_key_still_starts(tmp_path: Path) -> None:
    """The reserve is used up after a revocation, until a new one is published."""
    create(tmp_path)
    (tmp_path / "XA-sig-2026b.json").unlink()

    assert load_keys(tmp_path).keyring.standby is None


@pytest.mark.parametrize("name", ["XA-sig-2026a", "XA-enc-2026a", "XA-log-2026a", "XA-wit-2026a"])
def test_a_missing_key_is_named(tmp_path: Path, name: str) -> None:
    """Without a key to sign, open, keep the log or witness with, the start stops and says which."""
    create(tmp_path)
    (tmp_path / f"{name}.json").unlink()

    assert f"holds no key for {name.split('-')[1]}" in complain(tmp_path)


def test_two_signing_keys_are_ambiguous(tmp_path: Path) -> None:
    """Which of two keys signs is not guessed."""
    create(tmp_path)
    key = json.loads((tmp_path / "XA-sig-2026b.json").read_text())
    (tmp_path / "XA-sig-2026b.json").write_text(json.dumps({**key, "purpose": "sig"}))

    assert "holds 2 keys for sig" in complain(tmp_path)


BROKEN: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "is not a key file"),
    "a list": ([], "which purpose"),
    "no purpose": ({"kid": "x"}, "which purpose"),
    "a purpose that is a list": ({"purpose": []}, "which purpose"),
    "another purpose": ({"purpose": "tls"}, "which purpose"),
    "a key without halves": ({"purpose": "sig", "kty": "OKP", "crv": "Ed25519", "kid": "XA-sig-2026a"}, "private half"),
    "too long": ("x" * 5_000, "longer than 4096 bytes"),
    "not UTF-8": (b"\xff", "is not UTF-8"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_key_file_is_named(tmp_path: Path, case: str) -> None:
    """A key file that cannot be used ends in a sentence, and its content is not repeated."""
    content, expected = BROKEN[case]
    create(tmp_path)
    raw = (
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content)).encode()
    )
    (tmp_path / "XA-sig-2026a.json").write_bytes(raw)

    sentence = complain(tmp_path)

    assert expected in sentence
    assert str(tmp_path) in sentence


@pytest.mark.parametrize(
    ("name", "mode"), [("", 0o750), ("", 0o701), ("XA-sig-2026a.json", 0o640), ("XA-wit-2026a.json", 0o604)]
)
def test_keys_open_to_others_are_refused(tmp_path: Path, name: str, mode: int) -> None:
    """One bit for group or others, on the folder or on one file, stops a production node."""
    folder = tmp_path / "keys"
    create(folder)
    (folder / name).chmod(mode)

    assert f"mode {mode:04o}" in complain(folder)


def test_open_modes_are_let_pass_only_when_asked(tmp_path: Path) -> None:
    """Negative control: without the check, the same folder loads."""
    create(tmp_path)
    tmp_path.chmod(0o755)

    assert load_keys(tmp_path, refuse_open=False).keyring.signing.kid == "XA-sig-2026a"


@pytest.mark.parametrize("refuse_open", [True, False])
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, *, refuse_open: bool) -> None:
    """A missing folder ends in a sentence."""
    assert str(tmp_path / "nowhere") in complain(tmp_path / "nowhere", refuse_open=refuse_open)


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    """The keys of a node in a log line show key ids and no secret."""
    create(tmp_path)
    secrets = [json.loads(path.read_text())["d"] for path in tmp_path.iterdir()]

    shown = repr(load_keys(tmp_path))

    assert "XA-sig-2026a" in shown
    assert not any(secret in shown for secret in secrets)


def test_a_directory_written_is_the_directory_read(tmp_path: Path) -> None:
    """The file gives back the same document, is not open to everyone, and leaves no draft behind."""
    directory, _ = make_network(tmp_path)
    path = tmp_path / "directory.json"
    newer = directory.model_copy(update={"version": 2})

    write_directory(path, directory)
    write_directory(path, newer)

    assert read_directory(path).version == 2
    assert read_directory(path).contact_points == directory.contact_points
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["XA", "XS", "XT", "directory.json"]


def test_a_directory_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """When the file cannot be replaced there is a sentence, and no draft stays behind."""
    directory, _ = make_network(tmp_path)
    (tmp_path / "directory.json" / "inside").mkdir(parents=True)

    with pytest.raises(SettingsUnusable, match="cannot be written"):
        write_directory(tmp_path / "directory.json", directory)
    with pytest.raises(SettingsUnusable, match="cannot be written"):
        write_directory(tmp_path / "nowhere" / "directory.json", directory)

    assert not [entry.name for entry in tmp_path.iterdir() if entry.name.endswith(".draft")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "cannot be read"), (b"\xff", "is not UTF-8"), (b"{}", "/version"), (b"", "not the JSON")],
)
def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None, expected: str) -> None:
    """A missing, foreign or incomplete file ends in one sentence with its name."""
    path = tmp_path / "directory.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SettingsUnusable) as caught:
        read_directory(path)

    assert expected in caught.value.detail
    assert str(path) in caught.value.detail


def test_there_are_three_examples(tmp_path: Path) -> None:
    """The package carries Aurelia, Kitano and Sahran; asking for another is an error, not a path."""
    assert [example_profile(code).country_name.english for code in EXAMPLE_CODES] == ["Aurelia", "Kitano", "Sahran"]
    with pytest.raises(SettingsUnusable, match="no example"):
        example_profile("../XA")
