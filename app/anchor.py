"""The anchor: the last signed head of our own log in a file that no restore of the database touches.

Keep it on another volume than the database, one file for all processes that extend the same log. It is what tells a
node that its database is older than its word: a checkpoint leaves the node only after the anchor holds it.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from app.audit.checkpoint import Checkpoint, open_checkpoint
from app.audit.strict import NotVerified
from app.errors import LogBroken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.audit.note import VerifierKey

MAX_ANCHOR_BYTES = 65_536


def read_anchor(path: Path, keys: tuple[VerifierKey, ...]) -> Checkpoint | None:
    """The head that was last allowed to leave; None only where there is no such file.

    `keys` are this node's own log keys; the log may be of any epoch, since the anchor still holds the former one's head
    when a new one begins. An anchor that none of them signed is `LogBroken`: no guess is made about what it said.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_ANCHOR_BYTES)
    except FileNotFoundError:
        return None
    for key in keys:
        found = _open(raw, key)
        if found is not None:
            return found
    raise LogBroken("anchor_unreadable", f"the anchor {path.name} is not a checkpoint signed by this node's log key")


def write_anchor(path: Path, note: str, *, log: VerifierKey) -> None:
    """Put a head into the file, durably, unless the file already holds a later one of the same log.

    Blocks on the disk: call it from a thread. When it returns, file and folder entry are on stable storage; when it is
    interrupted, the former anchor is still whole.
    """
    checkpoint = open_checkpoint(note, log).checkpoint
    with _turn(path):
        present = _present(path, log)
        if present is not None and present.size >= checkpoint.size:
            if present.size == checkpoint.size and present.root != checkpoint.root:
                raise LogBroken("log_forked", "two different heads were signed for one size of the audit log")
            return
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb") as file:
            file.write(note.encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _open(raw: bytes, key: VerifierKey) -> Checkpoint | None:
    """The checkpoint in these bytes, of whichever log, if this key signed it."""
    try:
        note = raw.decode()
        return open_checkpoint(note, replace(key, name=note.partition("\n")[0])).checkpoint
    except (NotVerified, UnicodeDecodeError):
        return None


def _present(path: Path, log: VerifierKey) -> Checkpoint | None:
    """What the file holds about this very log; an anchor of an earlier epoch gives way to the new one."""
    try:
        found = _open(path.read_bytes(), log)
    except FileNotFoundError:
        return None
    return found if found is not None and found.origin == log.name else None


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """One writer at a time among all processes of this machine."""
    with path.with_name(path.name + ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
