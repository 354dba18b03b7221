"""Keys and the directory: what one operator generates, another publishes, and every node can check."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from app.keystore import check_published, load_keys, read_directory
from tests.cli.shell import refusal, replace_by_folder, typed
from tests.support.processes import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Office

PROFILES = REPOSITORY / "app" / "data" / "contact_points"


async def generate(folder: Path, code: str = "XA") -> Path:
    """Generate keys of a contact point; returns its profile, beside which its public records are."""
    profile = folder / f"{code}.json"
    profile.write_bytes((PROFILES / f"{code}.json").read_bytes())
    public = folder / f"{code}.keys.json"
    done = await typed("keys", "generate", "--code", code, "--keys-dir", folder / code, "--public", public)
    assert done.code == 0, done
    return profile


async def publish(folder: Path, *profiles: Path) -> Path:
    """Put them together into a directory."""
    out = folder / "directory.json"
    done = await typed("directory", "publish", *profiles, "--out", out)
    assert done.code == 0, done
    return out


async def test_generated_keys_are_published(tmp_path: Path) -> None:
    """The directory made from public records knows every key that the private folder has; the folder is closed."""
    directory = await publish(tmp_path, await generate(tmp_path), await generate(tmp_path, "XT"))
    for code in ("XA", "XT"):
        check_published(load_keys(tmp_path / code, refuse_open=True), read_directory(directory), code=code)
        assert stat.S_IMODE((tmp_path / code).stat().st_mode) == 0o700


async def test_no_private_key_leaves_its_folder(tmp_path: Path) -> None:
    """Neither the public records nor the directory contain a private half."""
    directory = await publish(tmp_path, await generate(tmp_path))
    for path in (tmp_path / "XA").iterdir():
        secret = json.loads(path.read_text())["d"]
        assert secret not in directory.read_text()
        assert secret not in (tmp_path / "XA.keys.json").read_text()


async def test_generate_says_which_keys(tmp_path: Path) -> None:
    """As JSON it names five keys by the ids under which they are published."""
    words = ("--code", "XA-GOV", "--keys-dir", tmp_path / "k", "--public", tmp_path / "p", "--days", "30", "--json")
    row = (await typed("keys", "generate", *words)).row
    assert row["code"] == "XA-GOV"
    assert row["kids"] == [record["kid"] for record in json.loads((tmp_path / "p").read_text())]
    assert len(set(row["kids"])) == 5


def everything_in(folder: Path) -> list[Path]:
    """Its files and folders, however deep."""
    return sorted(folder.rglob("*"))


UNGENERATED: dict[str, tuple[Callable[[Path], object], str]] = {
    "keys are there": (
        lambda folder: replace_by_folder(folder / "k" / "a.json"),
        "already holds keys",
    ),
    "public records are there": (lambda folder: (folder / "p").write_text("[]"), "p cannot be written: File exists"),
    "public records cannot be": (lambda folder: (folder / "p").mkdir(), "p cannot be written"),
    "the folder cannot be": (lambda folder: (folder / "k").touch(), "k: keys cannot be written"),
}


@pytest.mark.parametrize("case", UNGENERATED)
async def test_what_stands_in_the_way_leaves_no_half(tmp_path: Path, case: str) -> None:
    """Either both halves of the keys are written or neither: no key is made whose public record has no place."""
    spoil, words = UNGENERATED[case]
    spoil(tmp_path)
    before = everything_in(tmp_path)
    sentence = await refusal(
        "keys", "generate", "--code", "XA", "--keys-dir", tmp_path / "k", "--public", tmp_path / "p"
    )
    assert words in sentence
    assert everything_in(tmp_path) == before


async def test_a_code_that_is_none_gets_no_keys(tmp_path: Path) -> None:
    """The code is checked, and no public file is left."""
    words = ("--code", "france", "--keys-dir", tmp_path / "k", "--public", tmp_path / "p")
    assert "france is not the code of a contact point" in await refusal("keys", "generate", *words)
    assert not (tmp_path / "p").exists()


async def test_each_publication_is_the_next_version(tmp_path: Path) -> None:
    """The first is version 1; publishing again with one more contact point is version 2."""
    first = await generate(tmp_path)
    directory = await publish(tmp_path, first)
    assert read_directory(directory).version == 1
    words = (first, await generate(tmp_path, "XT"), "--out", directory, "--json")
    row = (await typed("directory", "publish", *words)).row
    assert (row["version"], row["contact_points"]) == (2, ["XA", "XT"])
    assert read_directory(directory).version == 2


UNPUBLISHED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no profile": (lambda profile: profile.unlink(), "XA.json cannot be read"),
    "a profile that is no text": (lambda profile: profile.write_bytes(b"\xff\xfe"), "XA.json cannot be read"),
    "a profile that is no JSON": (lambda profile: profile.write_text("{"), "XA.json"),
    "a profile with a misspelling": (
        lambda profile: profile.write_text(profile.read_text().replace('"time_zone"', '"timezone"')),
        "time_zone",
    ),
    "no public records": (lambda profile: profile.with_suffix(".keys.json").unlink(), "XA.keys.json cannot be read"),
    "public records of nothing": (
        lambda profile: profile.with_suffix(".keys.json").write_text("{}"),
        "does not hold public key records",
    ),
}


@pytest.mark.parametrize("case", UNPUBLISHED)
async def test_what_cannot_be_published_is_named(tmp_path: Path, case: str) -> None:
    """The file is named, and the directory that was there stays as it was."""
    profile = await generate(tmp_path)
    directory = await publish(tmp_path, profile)
    before = directory.read_bytes()
    spoil, words = UNPUBLISHED[case]
    spoil(profile)
    assert words in await refusal("directory", "publish", profile, "--out", directory)
    assert directory.read_bytes() == before


async def test_one_contact_point_is_published_once(tmp_path: Path) -> None:
    """The same profile twice is no directory."""
    profile = await generate(tmp_path)
    await refusal("directory", "publish", profile, profile, "--out", tmp_path / "directory.json")
    assert not (tmp_path / "directory.json").exists()


async def test_the_directory_is_shown(empty_office: Office) -> None:
    """Every contact point that the node trusts, with the number of its keys; it needs no database."""
    empty_office.set(database_url="postgresql://nobody@127.0.0.1:1/none")
    rows = (await typed("directory", "show", "--config", empty_office.config, "--json")).rows
    assert [(row["code"], row["keys"]) for row in rows] == [("XA", 5), ("XT", 5)]
    assert "XT" in (await typed("directory", "show", "--config", empty_office.config)).out
