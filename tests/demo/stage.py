"""The demo as a program of its own, watched from outside: what it says, which processes it has, what it leaves."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.ports import free_ports, listens
from tests.support.processes import NodeProcess, until

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping

UP = "Ctrl-C stops all of it"
STARTING = "PostgreSQL"
"""How the last line of the banner begins, and the line that is printed once the database runs."""

NODES = ("XA", "XT", "XS")


def three_ports() -> int:
    """The first of three neighbouring ports that are free."""
    while True:
        first = free_ports(1)[0]
        if not any(listens(first + further) for further in (1, 2)):
            return first


def make_room(folder: Path) -> Path:
    """A folder for temporary files as every system has one: also PostgreSQL's own user may use it."""
    folder.chmod(0o1777)
    return folder


@dataclass
class Demo:
    """One run. `room` is where it keeps temporary files (TMPDIR), `folder` where access.json goes."""

    process: NodeProcess
    folder: Path
    room: Path
    port: int

    def start(self, *options: str) -> None:
        """Start it; returns at once."""
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("TMPDIR", str(self.room))
            self.process.start("demo", "--port", str(self.port), "--folder", self.folder, *options)

    def said(self) -> str:
        """All it has said so far."""
        with suppress(FileNotFoundError):
            return self.process.log.read_text()
        return ""

    async def says(self, words: str) -> None:
        """Wait until it has said that; fails at once when it ends before."""

        async def heard() -> bool:
            assert words in self.said() or self.process.runs, f"it ended: {self.said()}"
            return words in self.said()

        await until(heard, what=f"it never said {words!r}", seconds=90)

    async def ends(self, number: signal.Signals) -> int:
        """Send it a signal and return its exit code."""
        self.process.signal(number)
        return await self.process.ended()

    def access(self) -> Mapping[str, Any]:
        """What `access.json` says about the nodes."""
        document: dict[str, Any] = json.loads((self.folder / "access.json").read_text())
        assert document.keys() == {"nodes"}
        nodes: dict[str, Any] = document["nodes"]
        return nodes

    async def ask(self, node: str, path: str, *, seat: str | None = None) -> httpx.Response:
        """GET, as somebody who reads `access.json`."""
        access = self.access()[node]
        headers = {} if seat is None else {"Authorization": f"Bearer {access['tokens'][seat]}"}
        async with httpx.AsyncClient(base_url=access["url"], headers=headers, timeout=30, trust_env=False) as client:
            return await client.get(path)

    def remains(self) -> dict[str, object]:
        """Everything that is still there of it: nothing, for a demo that has ended well."""
        found: dict[str, object] = {
            "processes": sorted(processes_in(self.room)),
            "temporary files": sorted(path.name for path in self.room.iterdir()),
            "files": sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else [],
            "ports": [port for port in range(self.port, self.port + 3) if listens(port)],
        }
        return {what: left for what, left in found.items() if left}


def processes_in(room: Path) -> set[int]:
    """Every process, whoever's child it is by now, that was told of this folder or works in it."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            about = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            if os.fsencode(room) in about + os.fsencode(os.readlink(entry / "cwd")):  # noqa: PTH115 - the link's text
                found.add(int(entry.name))
    return found


async def nothing_remains(demo: Demo) -> None:
    """Check that it left nothing; the kernel may need a moment to bury the last process."""

    async def gone() -> bool:
        return not demo.remains()

    with suppress(AssertionError):
        await until(gone, what="something remains", seconds=5)
    assert demo.remains() == {}
