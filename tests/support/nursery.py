"""A process that has imported the program once, and bears nodes: each a process of its own that begins in no time.

Importing takes seconds, and tests that kill nodes begin many. A child differs from `python -m app` in nothing else: it
has its own session, environment and files, and the same command line. Run as `python -m tests.support.nursery FOLDER`;
each line of standard input orders a child, each line of standard output is its number, and `FOLDER/<number>` holds how
it ended. When standard input ends, all children are killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.cli import main
from app.demo import seed  # noqa: F401 - whatever a node may come to need is here before the first child

ALIVE: set[int] = set()
OF_CHILDREN = {signal.SIGCHLD}


def live(order: dict[str, Any]) -> int:
    """Become the program that was ordered; returns its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, OF_CHILDREN)
    os.setsid()
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environment"])
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    try:
        main(order["words"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def bear(order: dict[str, Any]) -> int:
    """Begin a child; returns its number."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        code = live(order)
    except BaseException:  # noqa: BLE001 - the last thing that this process does
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def bury(folder: Path) -> None:
    """Note how children ended that have ended. It may interrupt itself: whoever is told of an end notes it."""
    while True:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not child:
            return
        ALIVE.discard(child)
        note = folder / f"{child}.new"
        note.write_text(str(os.waitstatus_to_exitcode(status)))
        note.replace(folder / str(child))


def keep(folder: Path) -> None:
    """Take orders until nobody gives any."""
    signal.signal(signal.SIGCHLD, lambda _number, _frame: bury(folder))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        signal.pthread_sigmask(signal.SIG_BLOCK, OF_CHILDREN)  # none may be buried before it is known to live
        child = bear(json.loads(line))
        ALIVE.add(child)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, OF_CHILDREN)
        print(child, flush=True)  # noqa: T201 - the answer
    for child in list(ALIVE):
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
