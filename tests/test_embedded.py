"""The demo's PostgreSQL runs unprivileged, can be reached by us alone, and is gone when we are, however we went."""

from __future__ import annotations

import json
import os
import pwd
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from app.embedded import LONGEST_SOCKET_PATH, EmbeddedServer, embedded_postgres
from app.errors import SettingsUnusable
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]
GONE_WITHIN_S = 30

# A program that runs a server until it is told to stop, and says what it sees on the way out.
PROGRAM = """
import asyncio, json, signal
from app.embedded import embedded_postgres

async def main():
    async with embedded_postgres(profile="demo") as server:
        print(json.dumps({"pid": server.pid, "folder": str(server.socket_dir.parent)}), flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await server.create_database("still_there")
            print("still answers", flush=True)

asyncio.run(main())
"""

# The control: the same shape without the guard, a child in a session of its own.
UNGUARDED = """
import json, subprocess, time
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(json.dumps({"pid": child.pid, "folder": "/"}), flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[EmbeddedServer]:
    """A running embedded server."""
    async with embedded_postgres(profile="demo") as running:
        yield running


@pytest.fixture
def start() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start programs in a process group of their own; none survives the test."""
    running: list[subprocess.Popen[str]] = []

    def begin(program: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", program]
        child = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
        )
        running.append(child)
        return child

    yield begin
    for child in running:
        child.kill()
        child.communicate()


def announced(child: subprocess.Popen[str]) -> tuple[int, Path]:
    """The server's pid and folder, as the program prints them once it runs."""
    line = child.stdout.readline() if child.stdout is not None else ""
    assert line, child.communicate()[1]
    said = json.loads(line)
    return said["pid"], Path(said["folder"])


def alive(pid: int) -> bool:
    """Whether a process of that number runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_nothing_is_left() -> None:
    """After the block no process runs and no file is left."""
    async with embedded_postgres(profile="demo") as running:
        folder = running.socket_dir.parent
        assert alive(running.pid)
        assert folder.exists()
    assert not alive(running.pid)
    assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_server_dies_with_us(start: Callable[[str], subprocess.Popen[str]], number: signal.Signals) -> None:
    """Interrupted, ended or killed: soon after us the server is gone and so is its folder."""
    child = start(PROGRAM)
    pid, folder = announced(child)
    assert alive(pid)
    child.send_signal(number)
    child.wait(timeout=GONE_WITHIN_S)
    wait_until(lambda: not alive(pid) and not folder.exists(), seconds=GONE_WITHIN_S, what="the server must be gone")


def test_without_guard_a_child_survives(start: Callable[[str], subprocess.Popen[str]]) -> None:
    """A child without the guard outlives a killed parent: it is the guard that ends the server, not the system."""
    child = start(UNGUARDED)
    pid, _ = announced(child)
    child.send_signal(signal.SIGKILL)
    child.wait(timeout=GONE_WITHIN_S)
    try:
        assert alive(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_interrupt_reaches_us_first(start: Callable[[str], subprocess.Popen[str]]) -> None:
    """Ctrl-C, which goes to our whole process group, leaves the server answering until we have closed."""
    child = start(PROGRAM)
    announced(child)
    os.killpg(child.pid, signal.SIGINT)
    output, _ = child.communicate(timeout=GONE_WITHIN_S)
    assert "still answers" in output


async def test_nobody_else_gets_in(server: EmbeddedServer) -> None:
    """The folder is for its owner only, no port is open, and a connection without the password is refused."""
    folder = server.socket_dir.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    connection = await asyncpg.connect(server.superuser_url("postgres").replace("+asyncpg", ""))
    assert await connection.fetchval("SHOW listen_addresses") == ""
    assert await connection.fetchval("SHOW unix_socket_permissions") == "0700"
    await connection.close()
    for password in (None, "guessed"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                host=str(server.socket_dir), user="postgres", password=password, passfile="/nonexistent"
            )


def modes_above(place: Path) -> dict[Path, int]:
    """The modes of a folder and of all that contain it."""
    return {path: path.stat().st_mode for path in (place, *place.parents)}


async def test_server_is_not_root_and_changes_nothing() -> None:
    """The server's user is an existing unprivileged one; no user appears and no folder changes its mode."""
    environment = Path(sys.prefix)
    modes = modes_above(environment)
    users = sorted(entry.pw_name for entry in pwd.getpwall())
    async with embedded_postgres(profile="demo") as running:
        owner = running.socket_dir.stat().st_uid
        assert owner != 0
        assert owner == (pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid())
        assert running.version in running.notice
    assert modes_above(environment) == modes
    assert sorted(entry.pw_name for entry in pwd.getpwall()) == users


async def test_databases_are_separate(server: EmbeddedServer) -> None:
    """Two nodes of the demo get a database each, whatever their names; the same name twice is an error."""
    for name in ("node_xa", 'odd "name"'):
        await server.create_database(name)
        connection = await asyncpg.connect(server.superuser_url(name).replace("+asyncpg", ""))
        assert await connection.fetchval("SELECT current_database()") == name
        await connection.close()
    with pytest.raises(asyncpg.DuplicateDatabaseError):
        await server.create_database("node_xa")


async def test_password_is_not_printed(server: EmbeddedServer) -> None:
    """Printing the server, as a log line or a traceback does, shows no password."""
    assert server.password not in repr(server)
    assert server.password in server.superuser_url("postgres")


async def test_production_refuses() -> None:
    """A production node does not start on a database that vanishes with the process."""
    with pytest.raises(SettingsUnusable, match="embedded_in_production"):
        async with embedded_postgres(profile="production"):
            pass


async def test_missing_binaries_are_named(tmp_path: Path) -> None:
    """Where the binaries are not there, the start ends with a sentence that says what was missing."""
    with pytest.raises(SettingsUnusable, match="initdb"):
        async with embedded_postgres(profile="demo", bin_dir=tmp_path / "nowhere"):
            pass


async def test_unwritable_folder_is_named(tmp_path: Path) -> None:
    """Where the private folder cannot be made, one sentence says so and names the remedy."""
    with pytest.raises(SettingsUnusable, match="TMPDIR"):
        async with embedded_postgres(tmp_path / "missing", profile="demo"):
            pass


async def test_folder_too_long_for_a_socket(tmp_path: Path) -> None:
    """A folder whose name no Unix socket can have is refused before anything is started, and left empty."""
    deep = tmp_path / ("x" * LONGEST_SOCKET_PATH)
    deep.mkdir()
    with pytest.raises(SettingsUnusable, match="too long"):
        async with embedded_postgres(deep, profile="demo"):
            pass
    assert list(deep.iterdir()) == []
