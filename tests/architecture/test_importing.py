"""Importing does nothing: no module of `app` works, waits, listens or asks before somebody calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT, python_files

# Runs in a process of its own, without environment: reports what an import tried to do.
WATCH = """
import asyncio, importlib, json, os, sys, threading
import ssl  # opens the platform's certificate paths once; not ours to judge

tried = []
writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT

def watch(event, args):
    if event.startswith(("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.", "os.system", "os.fork")):
        tried.append(event)
    elif event == "open" and isinstance(args[2], int) and args[2] & writing and args[0] != os.devnull:
        tried.append(f"open {args[0]} for writing")

sys.addaudithook(watch)
for name in json.load(sys.stdin):
    importlib.import_module(name)
try:
    asyncio.get_running_loop()
    tried.append("an event loop runs")
except RuntimeError:
    pass
tried += [f"thread {each.name}" for each in threading.enumerate() if each is not threading.main_thread()]
print(json.dumps(tried))
"""


def imported(modules: list[str], folder: Path) -> list[str]:
    """What importing these modules, found in `folder`, tried to do."""
    command = [sys.executable, "-B", "-c", WATCH]
    done = subprocess.run(
        command,
        input=json.dumps(modules),
        env={"PYTHONPATH": str(folder)},
        cwd="/",
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_importing_does_nothing() -> None:
    """Every module can be imported without environment, and touches neither network nor processes nor files."""
    paths = [Path(source.path).with_suffix("") for source in python_files("app")]
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    assert len(names) > 50
    assert imported(names, ROOT) == []


def test_work_at_import_is_noticed(tmp_path: Path) -> None:
    """A module that opens a socket and a file while it is imported is reported for both."""
    lines = ["import socket", "socket.socket().bind(('127.0.0.1', 0))", f"open({str(tmp_path / 'x')!r}, 'w').close()"]
    (tmp_path / "eager.py").write_text("\n".join(lines))
    assert [each.split()[0] for each in imported(["eager"], tmp_path)] == ["socket.bind", "open"]
