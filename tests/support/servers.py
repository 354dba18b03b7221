"""Private servers of one test session: whom they run as, where they keep their files, and how they surely end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypedDict, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNPRIVILEGED = "nobody"
MEMORY = Path("/dev/shm")  # noqa: S108 - data that is thrown away belongs in memory where there is enough of it
ROOM_NEEDED = 1 << 30


class ServerDidNotStart(RuntimeError):
    """A server the tests cannot do without is missing or broken; the sentence says what to do."""


def unprivileged_user() -> str | None:
    """Whom a server runs as that refuses to run as root; None when we are not root."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


class Server(Protocol):
    """A private server; `stop` may be called whatever became of `start`."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


AnyServer = TypeVar("AnyServer", bound=Server)
Result = TypeVar("Result")


@contextmanager
def running(make: Callable[[], AnyServer]) -> Iterator[AnyServer]:
    """Start a server and stop it in the end; what is missing fails the test in one sentence, and never skips it."""
    server = _or_fail(make)
    try:
        _or_fail(server.start)
        yield server
    finally:
        server.stop()


def _or_fail(step: Callable[[], Result]) -> Result:
    try:
        return step()
    except ServerDidNotStart as fault:
        why = str(fault)
    pytest.fail(why, pytrace=False)


class RunAs(TypedDict, total=False):
    """The arguments of `subprocess` that change whom a program runs as."""

    user: int
    group: int
    extra_groups: list[int]


def as_user(user: str | None) -> RunAs:
    """Return what makes a program run as `user` and nobody else's group; nothing when that is us."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def make_scratch(prefix: str, user: str | None) -> Path:
    """Make a folder of mode 0700 for `user`, in memory when a gigabyte is free there."""
    in_memory = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_NEEDED
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if in_memory else None))
    if user is not None:
        owner = pwd.getpwnam(user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    return folder


def start_guard(folder: Path, *pids: int) -> subprocess.Popen[bytes]:
    """Kill `pids` and remove `folder` once this process is gone, however it went.

    Fixtures clean up after an orderly end and after Ctrl-C; nothing of ours runs after SIGKILL. The guard waits for the
    end of file on a pipe whose other end only we hold.
    """
    end = 'kill -QUIT "$@"; sleep 1; kill -KILL "$@"; rm -rf "$folder"'
    script = f'cat >/dev/null; folder="$1"; shift; {end}'
    return subprocess.Popen(
        ["/bin/sh", "-c", script, "guard", str(folder), *map(str, pids)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def dismiss_guard(guard: subprocess.Popen[bytes]) -> None:
    """End a guard whose servers have ended in order, before their numbers can belong to others."""
    guard.kill()
    guard.wait()
    if guard.stdin is not None:
        with suppress(BrokenPipeError):
            guard.stdin.close()


def wait_until(ready: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Poll `ready` until it holds; raise naming `what` when the time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            message = f"{what} within {seconds:g} s"
            raise ServerDidNotStart(message)
        time.sleep(0.02)
