"""`counterpart keys rotate`: the next keys in a new folder, and what is to be published so that nothing is lost."""

from __future__ import annotations

import json
import stat
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from app.cli.keys import read_records
from app.domain.directory import KeyRecord, KeyStatus, KeyUse, publish_directory
from app.errors import SettingsUnusable
from app.keystore import AHEAD, OVERLAP, Change, check_published, create_keys, example_profile, load_keys, rotate_keys
from app.services.seal import choose_signing_key
from tests.cli.shell import refusal, typed
from tests.envelope.parties import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from app.domain.directory import Directory

YEAR = timedelta(days=365)


@pytest.fixture
def generated(tmp_path: Path) -> list[KeyRecord]:
    """The records of a first set of keys of XA in `<tmp_path>/keys`, made a month ago."""
    return list(create_keys(tmp_path / "keys", "XA", now=NOW - timedelta(days=30), validity=YEAR))


def planned(**changes: object) -> Change:
    """The next signing key in the course of things."""
    return Change(**{"use": KeyUse.SIG, "now": NOW, "validity": YEAR, **changes})  # type: ignore[arg-type] # as the test says


def published(records: list[KeyRecord]) -> Directory:
    """A directory of XA alone."""
    return publish_directory([example_profile("XA")], {"XA": records}, version=2, issued_at=NOW)


def in_use(folder: Path, records: list[KeyRecord], now: datetime) -> str | None:
    """The key with which a node with this folder signs."""
    key = choose_signing_key(load_keys(folder).keyring, published(records), code="XA", now=now)
    return None if key is None else key.kid


def test_in_the_course_of_things(tmp_path: Path, generated: list[KeyRecord]) -> None:
    """At no moment is there no key to sign with: not with the old folder, nor with the new one, nor between them."""
    old, new = tmp_path / "keys", tmp_path / "next"
    records = rotate_keys(old, new, published=generated, change=planned())
    shown = {record.kid: record for record in records}
    assert (shown["XA-sig-2026a"].status, shown["XA-sig-2026a"].retired_at) == (KeyStatus.RETIRED, NOW + OVERLAP)
    assert shown["XA-sig-2026b"].status is KeyStatus.ACTIVE
    assert (shown["XA-sig-2026c"].status, shown["XA-sig-2026c"].nbf) == (KeyStatus.STANDBY, NOW + AHEAD)
    for folder in (old, new):
        check_published(load_keys(folder), published(records), code="XA")
    assert [in_use(old, records, NOW + after) for after in (timedelta(), OVERLAP)] == ["XA-sig-2026a", "XA-sig-2026b"]
    assert [in_use(new, records, NOW + after) for after in (timedelta(), OVERLAP)] == ["XA-sig-2026b", "XA-sig-2026b"]


def test_after_a_revocation(tmp_path: Path, generated: list[KeyRecord]) -> None:
    """The standby key signs at once, in the old folder too, and its successor is valid at once."""
    since = NOW - timedelta(hours=3)
    records = rotate_keys(
        tmp_path / "keys", tmp_path / "next", published=generated, change=planned(revoked_since=since)
    )
    shown = {record.kid: record for record in records}
    assert (shown["XA-sig-2026a"].status, shown["XA-sig-2026a"].revoked_at) == (KeyStatus.REVOKED, since)
    assert shown["XA-sig-2026c"].nbf == NOW
    assert {in_use(tmp_path / name, records, NOW) for name in ("keys", "next")} == {"XA-sig-2026b"}


def test_without_a_standby_key_a_revocation_silences(tmp_path: Path, generated: list[KeyRecord]) -> None:
    """(Control) Were there no published standby key, the node could sign nothing until everybody has a directory."""
    records = rotate_keys(tmp_path / "keys", tmp_path / "next", published=generated, change=planned(revoked_since=NOW))
    alone = [record for record in records if record.kid != "XA-sig-2026b"]
    assert in_use(tmp_path / "keys", alone, NOW) is None


def test_twice(tmp_path: Path, generated: list[KeyRecord]) -> None:
    """A second rotation goes on with the keys and records of the first; before the standby key is valid it waits."""
    first, second = tmp_path / "first", tmp_path / "second"
    records = rotate_keys(tmp_path / "keys", first, published=generated, change=planned())
    with pytest.raises(SettingsUnusable) as refused:
        rotate_keys(first, second, published=records, change=planned(now=NOW + AHEAD / 2))
    assert refused.value.code == "standby_not_valid"
    records = rotate_keys(first, second, published=records, change=planned(now=NOW + AHEAD))
    assert in_use(second, records, NOW + AHEAD) == "XA-sig-2026c"
    assert [record.kid for record in records if record.status is KeyStatus.STANDBY] == ["XA-sig-2026d"]


def test_the_encryption_key(tmp_path: Path, generated: list[KeyRecord]) -> None:
    """Letters are closed with the new key from tomorrow on; the node opens both kinds; signing stays as it was."""
    new = tmp_path / "next"
    records = rotate_keys(tmp_path / "keys", new, published=generated, change=planned(use=KeyUse.ENC))
    directory = published(records)
    closing = [directory.encryption_key("XA", NOW + after) for after in (timedelta(), AHEAD)]
    assert [key and key.kid for key in closing] == ["XA-enc-2026a", "XA-enc-2026b"]
    assert set(load_keys(new).keyring.decryption) == {"XA-enc-2026a", "XA-enc-2026b"}
    assert in_use(new, records, NOW) == "XA-sig-2026a"


def test_what_there_is_stays(tmp_path: Path, generated: list[KeyRecord]) -> None:
    """The present folder is not touched, the new one is closed, and no private half is in the records."""
    old, new = tmp_path / "keys", tmp_path / "next"
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    records = rotate_keys(old, new, published=generated, change=planned())
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before
    assert stat.S_IMODE(new.stat().st_mode) == 0o700
    public = "".join(record.model_dump_json() for record in records)
    for path in new.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert json.loads(path.read_text())["d"] not in public


def test_records_of_other_keys_are_refused(tmp_path: Path, generated: list[KeyRecord]) -> None:
    """Records that do not show the present keys would, published, take them away."""
    others = list(create_keys(tmp_path / "others", "XA", now=NOW, validity=YEAR))
    with pytest.raises(SettingsUnusable) as refused:
        rotate_keys(tmp_path / "keys", tmp_path / "next", published=others, change=planned())
    assert refused.value.code == "records_differ"
    (tmp_path / "keys" / "XA-sig-2026b.json").unlink()
    with pytest.raises(SettingsUnusable) as refused:
        rotate_keys(tmp_path / "keys", tmp_path / "next", published=generated, change=planned())
    assert refused.value.code == "no_standby"
    assert not (tmp_path / "next").exists()


async def test_as_it_is_typed(tmp_path: Path) -> None:
    """The command reads and writes the files that `keys generate` and `directory publish` use."""
    keys, old, out = tmp_path / "keys", tmp_path / "XA.keys.json", tmp_path / "next"
    await typed("keys", "generate", "--code", "XA", "--keys-dir", keys, "--public", old)
    words = ("--keys-dir", keys, "--records", old, "--out", out)
    since = "2026-11-22T08:00:00+01:00"
    row = (await typed("keys", "rotate", *words, "--revoked-since", since, "--json")).row
    assert row["kids"] == [record.kid for record in read_records(tmp_path / "next.keys.json")]
    assert load_keys(out).keyring.signing.kid.endswith("b")
    assert "next.keys.json cannot be written: File exists" in await refusal("keys", "rotate", *words)
    more = ("--keys-dir", out, "--records", tmp_path / "next.keys.json", "--out", tmp_path / "more")
    assert (await typed("keys", "rotate-encryption", *more)).code == 0
    assert len(load_keys(tmp_path / "more").keyring.decryption) == 2
    more = ("--keys-dir", keys, "--records", old, "--out", tmp_path / "never")
    assert "Add the offset from UTC" in await refusal("keys", "rotate", *more, "--revoked-since", "2026-11-22T08:00:00")
    assert "already holds keys" in await refusal("keys", "rotate", *more[:4], "--out", keys)
    assert not (tmp_path / "keys.keys.json").exists()
