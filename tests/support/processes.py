"""Contact points as an operator runs them: processes of `python -m app`, each with a log of its own, surely ended."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg
import httpx

from app.settings import load_settings
from tests.support.ports import LOOPBACK
from tests.support.servers import dismiss_guard, start_guard
from tests.support.world import Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from app.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "app")

COMMAND_SECONDS = 90.0
START_SECONDS = 90.0
STOP_SECONDS = 30.0
"""Longest waits; only a failing test waits so long. Importing alone takes seconds where others use the machine too."""

HTTP_SECONDS = 60.0
POLL_SECONDS = 0.05
KILLED = -signal.SIGKILL


def environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any setting of a node, plus the given ones (`{"http_port": "0"}`)."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERPART_")}
    given = {f"COUNTERPART_{name.upper()}": value for name, value in (settings or {}).items()}
    return inherited | {"PYTHONPATH": str(REPOSITORY)} | _bytecode() | given


def _bytecode() -> dict[str, str]:
    """Where nothing may be written beside the sources, processes share compiled modules in a folder of this session."""
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": _bytecode_folder()} if sys.dont_write_bytecode else {}


@cache
def _bytecode_folder() -> str:
    folder = tempfile.mkdtemp(prefix="cp-bytecode-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str
    seconds: float


async def run(*words: str | Path, cwd: Path = REPOSITORY, env: Mapping[str, str] | None = None) -> Finished:
    """Run a program to its end; one that does not end in time is killed and fails the test."""

    def wait() -> Finished:
        begun = time.monotonic()
        done = subprocess.run(
            list(words),
            cwd=cwd,
            env=environment() if env is None else env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr, time.monotonic() - begun)

    return await asyncio.to_thread(wait)


async def counterpart(*words: str | Path) -> Finished:
    """Run one command `counterpart …` to its end."""
    return await run(*PROGRAM, *words)


class Started(Protocol):
    """A process as `subprocess.Popen` shows it."""

    pid: int

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def send_signal(self, number: int) -> None: ...

    def kill(self) -> None: ...

    def wait(self) -> int: ...


class Nursery:
    """Begins nodes without the seconds that importing takes; see `tests/support/nursery.py`. They end with us."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cp-nursery-"))
        self._keeper = subprocess.Popen(
            (sys.executable, "-m", "tests.support.nursery", self.folder),
            cwd=REPOSITORY,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        atexit.register(self.close)

    def bear(self, words: Sequence[str | Path], log: Path, *, cwd: Path, settings: Mapping[str, str] | None) -> Child:
        """Begin `counterpart WORDS…` in a process of its own."""
        environ = environment(settings)
        order = {"words": [str(word) for word in words], "log": str(log), "cwd": str(cwd), "environment": environ}
        into, out = self._keeper.stdin, self._keeper.stdout
        assert into is not None
        assert out is not None
        into.write(json.dumps(order).encode() + b"\n")
        into.flush()
        return Child(int(out.readline()), self.folder, self._keeper)

    def close(self) -> None:
        """End it and everything it began."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        self._keeper.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Child:
    """A process of the nursery."""

    def __init__(self, pid: int, folder: Path, keeper: subprocess.Popen[bytes]) -> None:
        self.pid = pid
        self._keeper = keeper
        self._note = folder / str(pid)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, minus the signal's number if one ended it; None while it runs."""
        if self.returncode is None and self._note.exists():
            self.returncode = int(self._note.read_text())
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self) -> int:
        """Wait for its end."""
        while (code := self.poll()) is None:
            assert self._keeper.poll() is None, "the nursery has ended, and nobody knows how this one did"
            time.sleep(POLL_SECONDS)
        return code


@cache
def nursery() -> Nursery:
    """The one of this session."""
    return Nursery()


class NodeProcess:
    """One `counterpart serve`, in a session of its own. What it says is appended to `log`.

    It ends should this process be killed. `born` takes the command line's program from the nursery.
    """

    def __init__(self, log: Path, *, program: Sequence[str] = PROGRAM, born: bool = False) -> None:
        self.log = log
        self._program = program
        self._born = born
        self._process: Started | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self, *words: str | Path, cwd: Path = REPOSITORY, settings: Mapping[str, str] | None = None) -> None:
        """Start the program with these arguments."""
        if self._born:
            self._process = nursery().bear(words, self.log, cwd=cwd, settings=settings)
            return
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*self._program, *words],
                cwd=cwd,
                env=environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard = start_guard(self.log.with_suffix(".guarded"), -self._process.pid)

    @property
    def runs(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    async def stop(self) -> int:
        """Ask it to end as an operator does, and return its exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def kill9(self) -> None:
        """It dies as in a power cut."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def ended(self, *, seconds: float = STOP_SECONDS) -> int:
        """Wait until it has ended and return its exit code; fails with the end of its log when it does not end."""
        process = self._process
        assert process is not None, "it was never started"
        try:
            async with asyncio.timeout(seconds):
                while process.poll() is None:  # noqa: ASYNC110 - another process sets no event of ours
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise AssertionError(f"it still runs after {seconds:.0f} s: {self.tail()}") from None
        self._dismiss()
        return int(process.wait())

    def discard(self) -> None:
        """End it at once, if it runs; for the end of a test."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._dismiss()

    def leaves_nothing(self) -> bool:
        """Whether no process of its session is left."""
        assert self._process is not None, "it was never started"
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def tail(self) -> str:
        """The end of its log."""
        with suppress(FileNotFoundError):
            return self.log.read_text(errors="replace")[-1500:]
        return ""

    def _dismiss(self) -> None:
        if self._guard is not None:
            dismiss_guard(self._guard)
            self._guard = None


@dataclass
class Site:
    """One contact point of a network: where its settings are, its people's tokens, its process, its database."""

    code: str
    config: Path
    tokens: Mapping[str, str] = field(repr=False)
    born: bool = False
    process: NodeProcess = field(init=False)
    settings: Settings = field(init=False, repr=False)
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.settings = load_settings(self.config)
        self.process = NodeProcess(self.config.with_suffix(".log"), born=self.born)
        limits = httpx.Limits(max_connections=40, keepalive_expiry=5)
        self.http = httpx.AsyncClient(base_url=self.url, timeout=HTTP_SECONDS, limits=limits)

    @property
    def url(self) -> str:
        """Where its gateway answers."""
        return f"http://{LOOPBACK}:{self.settings.http_port}"

    def as_(self, seat: str) -> Caller:
        """The person of that seat (see `app/demo/seed.py`)."""
        return Caller(self.http, self.tokens[seat])

    def start(self, verb: str = "serve", **settings: str) -> None:
        """Start its process with the settings of its file, and further ones from the environment."""
        self.process.start(verb, "--config", self.config, settings=settings)

    async def ready(self, status: str = "ready", *, seconds: float = START_SECONDS) -> None:
        """Wait until `/readyz` says `status`; fails at once when the process ends."""
        seen = "nothing"
        try:
            async with asyncio.timeout(seconds):
                while seen != status:
                    assert self.process.runs, f"{self.code} ended: {self.process.tail()}"
                    with suppress(httpx.TransportError):
                        seen = (await self.http.get("/readyz")).json()["status"]
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise AssertionError(f"{self.code} answers {seen}, not {status}: {self.process.tail()}") from None

    async def ensure_running(self) -> None:
        """Start it if it does not run, and wait until it is ready."""
        if not self.process.runs:
            self.start()
        await self.ready()

    async def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - parameters of any SQL
        """Look into its database behind its back, as the owner; `$1` stands for the first value."""
        async with self._owner() as connection:
            return [tuple(row) for row in await connection.fetch(query, *values)]

    async def execute(self, script: str) -> None:
        """Change its database behind its back, as the owner; one transaction."""
        async with self._owner() as connection:
            await connection.execute(script)

    async def count(self, query: str, *values: Any) -> int:  # noqa: ANN401 - parameters of any SQL
        """The one number that a query returns."""
        ((number,),) = await self.rows(query, *values)
        return int(number)

    @asynccontextmanager
    async def _owner(self) -> AsyncIterator[asyncpg.Connection]:
        owner = self.settings.owner_database_url
        assert owner is not None
        connection = await asyncpg.connect(owner.get_secret_value().replace("+asyncpg", ""))
        try:
            yield connection
        finally:
            await connection.close()

    async def close(self) -> None:
        """End its process and our connections to it."""
        self.process.discard()
        await self.http.aclose()


async def until(look: Any, *, what: str, seconds: float = 60.0) -> None:  # noqa: ANN401 - an async predicate
    """Poll the async predicate `look` until it holds; fails naming `what`."""
    try:
        async with asyncio.timeout(seconds):
            while not await look():  # noqa: ASYNC110 - another process sets no event of ours
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {seconds:.0f} s") from None
