"""The auditor's commands: the log is verified where it is, taken away, and verified again where no node is."""

from __future__ import annotations

import json
import shutil
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from app.audit.note import parse_verifier_key, verifier_key
from app.audit.proof import verify_proof
from app.bus.memory import MemoryBus
from app.db.engine import begin
from app.demo.seed import SEATS, seed
from app.keystore import load_keys
from app.runtime import open_runtime
from app.services.node import SYSTEM
from app.services.record import record_all
from app.serving import wall_clock
from app.settings import load_settings
from app.workers import sequence, start_log
from tests.cli.conftest import Office, located
from tests.cli.shell import Typed, refusal, replace_by_folder, typed
from tests.support.bus import short_pauses
from tests.support.postgres import SEQUENCER
from tests.workplace import CHANGED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.postgres import Database, PostgresServer

PUBLISHED = 3 + 2 * len(SEATS)
"""`log.opened`, the versions of the directory and of the law, then each person of the seed and their token."""

CHECKPOINTS = 3


async def write_log(office: Office) -> None:
    """A log that holds what enrolling the people of the demo leaves in it, in several checkpoints."""
    settings = load_settings(office.config)
    bus = MemoryBus(clock=wall_clock, pauses=short_pauses())
    async with open_runtime(settings, clock=wall_clock, broker=bus.connect("XA")) as opened:
        runtime = replace(opened, log_writer=replace(opened.log_writer, role=SEQUENCER))
        await start_log(runtime)
        await seed(runtime)
        await sequence(runtime)
        async with begin(runtime.engine) as session:
            await record_all(session, runtime.node, [CHANGED], actor=SYSTEM, now=wall_clock())


@pytest.fixture
async def audited(office: Office) -> Office:
    """A node with such a log."""
    await write_log(office)
    return office


async def exported(office: Office, out: Path) -> Path:
    """Its published part, with openings, as files."""
    done = await typed("audit", "export", out, "--openings", "--config", office.config)
    assert done.code == 0, done
    return out


@pytest.fixture(scope="module")
async def original(migrated: PostgresServer, published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One such export, of a node that is gone by the time somebody looks at it."""
    office = Office(tmp_path_factory.mktemp("office"))
    database = await migrated.clone()
    office.set(**located(published), database_url=database.url)
    await write_log(office)
    out = await exported(office, office.folder / "export")
    await migrated.drop(database)
    return out


@pytest.fixture
def export(original: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    return Path(shutil.copytree(original, tmp_path / "export"))


async def execute(database: Database, *statements: str) -> None:
    """What a superuser does who switched the triggers off."""
    connection = await asyncpg.connect(database.owner_url.replace("+asyncpg", ""))
    try:
        for statement in ("SET session_replication_role = replica", *statements):
            await connection.execute(statement)
    finally:
        await connection.close()


def verdict(done: Typed) -> tuple[int, str]:
    """Exit code and verdict of `audit verify --json`."""
    assert done.err == "", done
    (row,) = json.loads(done.out)
    return done.code, row["verdict"]


async def test_a_good_log_is_valid(audited: Office) -> None:
    """Exit code 0, with the numbers of what was counted, in words and as JSON."""
    done = await typed("audit", "verify", "--config", audited.config)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Valid: counterpart/xa, {PUBLISHED} leaves, {CHECKPOINTS} checkpoints. Not checked: ")
    row = (await typed("audit", "verify", "--config", audited.config, "--json")).row
    assert (row["verdict"], row["leaves"], row["first_bad"]) == ("VALID", PUBLISHED, None)
    assert isinstance(row["not_checked"], list)


DAMAGES: dict[str, tuple[str, int, str]] = {
    "a leaf was changed": ("UPDATE audit_leaf SET leaf = leaf || ' ' WHERE leaf_index = 3", 1, "INVALID"),
    "a leaf was removed": ("DELETE FROM audit_leaf WHERE leaf_index = 3", 1, "INVALID"),
    "a content was changed": ("UPDATE commitment SET body = '\\x7b7d'", 1, "INVALID"),
    "a content was erased": ("DELETE FROM commitment", 2, "INCOMPLETE"),
    "the log is not there": ("UPDATE audit_tree SET origin = 'another/log'", 2, "INCOMPLETE"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_is_found(audited: Office, database: Database, damage: str) -> None:
    """Each kind of damage has its exit code: 1 what is false, 2 what is missing."""
    statement, code, name = DAMAGES[damage]
    await execute(database, statement)
    assert verdict(await typed("audit", "verify", "--config", audited.config, "--json")) == (code, name)


async def test_an_anchor_of_nobody_is_a_finding(audited: Office) -> None:
    """An anchor that this node's key did not sign is exit code 1, in one sentence."""
    (audited.folder / "anchor").write_text("nonsense")
    assert "anchor" in await refusal("audit", "verify", "--config", audited.config, code=1)


async def test_what_cannot_be_looked_at_is_not_judged(audited: Office) -> None:
    """Exit code 3, neither valid nor invalid nor incomplete: settings, database or keys are in the way."""
    audited.set(database_url="postgresql://nobody@127.0.0.1:1/none")
    assert "COUNTERPART_DATABASE_URL" in await refusal("audit", "verify", "--config", audited.config, code=3)
    assert "cannot be read" in await refusal("audit", "verify", "--config", audited.folder / "none.toml", code=3)


async def test_an_export_verifies_offline(export: Path) -> None:
    """The folder alone is enough: no settings, no keys, and the database of that log is no more."""
    row = (await typed("audit", "verify", export, "--json")).row
    assert (row["verdict"], row["leaves"], row["opened"] > 0) == ("VALID", PUBLISHED, True)
    done = await typed("audit", "verify", export)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Valid: counterpart/xa, {PUBLISHED} leaves")


async def test_an_export_is_for_the_auditor_alone(export: Path) -> None:
    """The folder is closed to others; it holds what was published and nothing that waits for its place."""
    mode, files = listed(export)
    assert stat.S_IMODE(mode) == 0o700
    assert files.keys() == {"log.vkey", "leaves.ndjson", "checkpoints.ndjson", "openings.ndjson"}
    assert (files["log.vkey"], files["leaves.ndjson"], files["checkpoints.ndjson"]) == (1, PUBLISHED, CHECKPOINTS)


async def test_without_openings_no_content_leaves(audited: Office, tmp_path: Path) -> None:
    """Without `--openings` no name is in the files; the report says that contents were not checked."""
    out = tmp_path / "closed"
    row = (await typed("audit", "export", out, "--config", audited.config, "--json")).row
    assert (row["leaves"], row["folder"]) == (PUBLISHED, str(out))
    assert not any(seat.name in text_in(out) for seat in SEATS)
    checked = (await typed("audit", "verify", out, "--json")).row
    assert (checked["verdict"], checked["opened"]) == ("VALID", 0)
    assert any("openings" in what for what in checked["not_checked"])


def listed(folder: Path) -> tuple[int, dict[str, int]]:
    """A folder's mode, and its files with the number of their lines."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return folder.stat().st_mode, {path.name: len(lines_of(path)) for path in files}


def text_in(folder: Path) -> str:
    """All that is written in the files of a folder."""
    return "".join(path.read_text() for path in sorted(folder.iterdir()))


def lines_of(path: Path) -> list[bytes]:
    """With their ends."""
    return path.read_bytes().splitlines(keepends=True)


def keep(path: Path, lines: Sequence[bytes]) -> None:
    """Write these lines only."""
    path.write_bytes(b"".join(lines))


def without_openings(out: Path, leaves: slice) -> None:
    """Some leaves, and nothing that opens them."""
    keep(out / "leaves.ndjson", lines_of(out / "leaves.ndjson")[leaves])
    (out / "openings.ndjson").unlink()


def exchange(out: Path) -> None:
    """Two leaves change places."""
    lines = lines_of(out / "leaves.ndjson")
    keep(out / "leaves.ndjson", [*lines[:2], lines[3], lines[2], *lines[4:]])


def change(path: Path, old: bytes, new: bytes) -> None:
    """One word becomes another."""
    path.write_bytes(path.read_bytes().replace(old, new, 1))


def append(path: Path, line: bytes) -> None:
    """One more line."""
    path.write_bytes(path.read_bytes() + line)


FORGERIES: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "a leaf changed": (lambda out: change(out / "leaves.ndjson", b"system", b"sistem"), 1, "INVALID"),
    "two leaves exchanged": (exchange, 1, "INVALID"),
    "a leaf invented": (lambda out: append(out / "leaves.ndjson", b"{}\n"), 1, "INVALID"),
    "a leaf without end": (lambda out: keep(out / "leaves.ndjson", [b"x" * 9_000_000]), 1, "INVALID"),
    "the last leaf missing": (lambda out: without_openings(out, slice(-1)), 2, "INCOMPLETE"),
    "no leaf at all": (lambda out: without_openings(out, slice(0)), 2, "INCOMPLETE"),
    "no checkpoint": (lambda out: keep(out / "checkpoints.ndjson", []), 2, "INCOMPLETE"),
    "a checkpoint that is no JSON": (lambda out: keep(out / "checkpoints.ndjson", [b"{\n"]), 1, "INVALID"),
    "a checkpoint that is none": (lambda out: keep(out / "checkpoints.ndjson", [b'{"note": 1}\n']), 1, "INVALID"),
    "an opening changed": (lambda out: change(out / "openings.ndjson", b"Auditor", b"Autitor"), 1, "INVALID"),
    "an opening missing": (
        lambda out: keep(out / "openings.ndjson", lines_of(out / "openings.ndjson")[1:]),
        2,
        "INCOMPLETE",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_an_export_that_was_tampered_with_is_found_out(export: Path, forgery: str) -> None:
    """Each change to the files has its exit code: 1 what is false, 2 what is missing."""
    spoil, code, name = FORGERIES[forgery]
    spoil(export)
    assert verdict(await typed("audit", "verify", export, "--json")) == (code, name)


async def test_a_log_under_another_key_is_invalid(export: Path, published: Path, tmp_path: Path) -> None:
    """Who brings the key from a source of their own is not fooled by a whole export that another key signed."""
    own = tmp_path / "own.vkey"
    own.write_text((export / "log.vkey").read_text())
    assert verdict(await typed("audit", "verify", export, "--key", own, "--json")) == (0, "VALID")
    other = verifier_key("counterpart/xa", load_keys(published / "XT" / "keys").log_key)
    own.write_text(f"{other}\n")
    assert verdict(await typed("audit", "verify", export, "--key", own, "--json")) == (1, "INVALID")


UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no leaves": (lambda out: (out / "leaves.ndjson").unlink(), "leaves.ndjson"),
    "no checkpoints": (lambda out: (out / "checkpoints.ndjson").unlink(), "checkpoints.ndjson"),
    "no key": (lambda out: (out / "log.vkey").unlink(), "log.vkey"),
    "a key that is none": (lambda out: (out / "log.vkey").write_text("counterpart/xa+00+zz"), "holds no public key"),
    "a key that is no text": (lambda out: (out / "log.vkey").write_bytes(b"\xff"), "holds no public key"),
    "leaves that are a folder": (
        lambda out: replace_by_folder(out / "leaves.ndjson"),
        "Is a directory",
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
async def test_what_is_no_export_is_not_judged(export: Path, case: str) -> None:
    """Exit code 3 and one sentence that names the file."""
    spoil, words = UNREADABLE[case]
    spoil(export)
    assert words in await refusal("audit", "verify", export, code=3)


async def test_an_export_is_there_whole_or_not_at_all(audited: Office, database: Database, tmp_path: Path) -> None:
    """An export that fails leaves no folder, so that it can be tried again; one that is there is never written over."""
    out = tmp_path / "out"
    await execute(database, "ALTER TABLE audit_checkpoint RENAME TO elsewhere")
    before = listed(tmp_path)
    await refusal("audit", "export", out, "--config", audited.config)
    assert listed(tmp_path) == before
    await execute(database, "ALTER TABLE elsewhere RENAME TO audit_checkpoint")
    assert (await typed("audit", "export", out, "--config", audited.config)).code == 0
    assert "is there already" in await refusal("audit", "export", out, "--config", audited.config)
    (tmp_path / "file").write_text("")
    assert "cannot be written" in await refusal(
        "audit", "export", tmp_path / "file" / "out", "--config", audited.config
    )


async def test_one_event_is_proven(audited: Office, tmp_path: Path) -> None:
    """What `prove` prints verifies under the exported key for exactly that leaf."""
    export = await exported(audited, tmp_path / "out")
    leaf = (export / "leaves.ndjson").read_bytes().splitlines()[5]
    event = json.loads(leaf)["id"]
    done = await typed("audit", "prove", event, "--config", audited.config)
    key = parse_verifier_key((export / "log.vkey").read_text().strip())
    index, checkpoint = verify_proof(done.out, leaf, log=key)
    assert (index, checkpoint.size) == (5, PUBLISHED)
    row = (await typed("audit", "prove", event, "--config", audited.config, "--json")).row
    assert row == {"event_id": event, "proof": done.out}


async def test_what_cannot_be_proven_is_said(audited: Office, database: Database) -> None:
    """An event nobody recorded, and one that waits for its place: each one sentence."""
    nobody = "0193523a-7a00-7000-8000-000000000001"
    assert "There is no such event" in await refusal("audit", "prove", nobody, "--config", audited.config)
    connection = await asyncpg.connect(database.owner_url.replace("+asyncpg", ""))
    waiting = await connection.fetchval("SELECT event_id FROM audit_pending")
    await connection.close()
    assert "waits for the next checkpoint" in await refusal("audit", "prove", waiting, "--config", audited.config)
