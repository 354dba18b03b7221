"""Demos, each with folders and ports of its own, surely ended."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.demo.stage import UP, Demo, make_room, three_ports
from tests.support.processes import NodeProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


@pytest.fixture(scope="session", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where nothing compiled may be kept, each program would compile everything anew: keep it for this session."""
    with pytest.MonkeyPatch.context() as environment:
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            environment.delenv("PYTHONDONTWRITEBYTECODE")
            environment.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
        yield


@contextmanager
def made(folder: Path) -> Iterator[Demo]:
    """A demo that is not started yet."""
    # Not below the tests' own folder, which PostgreSQL's user could not enter.
    room = make_room(Path(tempfile.mkdtemp(prefix="cp-demo-")))
    process = NodeProcess(folder / "said")
    try:
        yield Demo(process, folder / "demo", room, three_ports())
    finally:
        process.discard()
        shutil.rmtree(room, ignore_errors=True)


@pytest.fixture
def make_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Demo]]:
    """Make as many demos as a test needs."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(made(tmp_path_factory.mktemp("demo")))


@pytest.fixture(scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    """A demo that is up, shared by tests that only look at it."""
    with made(tmp_path_factory.mktemp("shared")) as one:
        one.start()
        await one.says(UP)
        yield one
