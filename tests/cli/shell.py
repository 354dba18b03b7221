"""Commands as they are typed, run to their end in this process: importing everything anew would take seconds each."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from app.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Typed:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What it printed with `--json`, after it ended well and said nothing else."""
        assert (self.code, self.err) == (0, ""), self
        found: list[dict[str, Any]] = json.loads(self.out)
        return found

    @property
    def row(self) -> dict[str, Any]:
        """The one row of it."""
        (found,) = self.rows
        return found


async def typed(*words: str | Path) -> Typed:
    """Run `counterpart <words>`, in a thread: a command begins an event loop of its own.

    What it lets through (a traceback, in a shell) is raised here.
    """
    return await asyncio.to_thread(_run, [str(word) for word in words])


async def refusal(*words: str | Path, code: int = 2) -> str:
    """The one sentence with which a command is refused, and nothing beside it."""
    done = await typed(*words)
    assert (done.code, done.out) == (code, ""), done
    sentence = done.err.removesuffix("\n")
    assert sentence, done
    assert "\n" not in sentence, done
    assert sentence.endswith((".", "?")), done
    return sentence


def replace_by_folder(path: Path) -> None:
    """A folder where a file is expected."""
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)


def _run(words: list[str]) -> Typed:
    out, err = io.StringIO(), io.StringIO()
    code: str | int | None = 0
    with logging_of_its_own(), redirect_stdout(out), redirect_stderr(err):
        try:
            main(words)
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int), code
    return Typed(code, out.getvalue(), err.getvalue())


@contextmanager
def logging_of_its_own() -> Iterator[None]:
    """A command sets up the log of its process; here the process is that of all tests, who want theirs back."""
    configured, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        structlog.configure(**configured)
        root.handlers[:] = handlers
        root.setLevel(level)
