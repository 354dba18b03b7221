"""An exported log as a folder: its files, written whole or not at all, and checked by whoever has them."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from app.audit.note import MAX_NOTE_CHARS, parse_verifier_key
from app.audit.strict import NotVerified
from app.audit.verify import verify_export
from app.errors import SettingsUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.audit.note import VerifierKey
    from app.audit.verify import Report

KEY_FILE = "log.vkey"
LEAVES_FILE = "leaves.ndjson"
NOTES_FILE = "checkpoints.ndjson"
OPENINGS_FILE = "openings.ndjson"

MAX_LINE_BYTES = 8 * MAX_NOTE_CHARS
"""A longer line is read in pieces, which are no lines of a log: nothing is read into memory because a file says so."""


def verify_folder(folder: Path, key_file: Path, *, quiet: bool) -> Report:
    """Check an export offline. Openings are checked if they are there.

    Raises SettingsUnusable when a file cannot be read: then nothing is known of the log, neither good nor bad.
    """
    try:
        log = _read_key(key_file)
        with ExitStack() as opened, progress_bar(quiet=quiet) as bar:
            leaves = opened.enter_context((folder / LEAVES_FILE).open("rb"))
            notes = opened.enter_context((folder / NOTES_FILE).open("rb"))
            given = (folder / OPENINGS_FILE).exists()
            openings = opened.enter_context((folder / OPENINGS_FILE).open("rb")) if given else None
            task = bar.add_task("leaves", total=None)
            return verify_export(
                _lines(leaves.readline),
                map(_note_in, _lines(notes.readline)),
                log=log,
                openings=None if openings is None else _lines(openings.readline),
                progress=lambda done: bar.update(task, completed=done),
            )
    except OSError as fault:
        detail = f"{folder} is no export that can be read: {fault.filename or 'a file'}: {fault.strerror}."
        raise SettingsUnusable("export_unreadable", detail) from fault


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder that is at `path` once the block ended well; before, and after a fault, there is none.

    Raises SettingsUnusable when it cannot be written, or is there already.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        if path.exists():
            raise SettingsUnusable("folder_unusable", f"{path} is there already; name a new folder.")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        try:
            yield draft
            draft.rename(path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as fault:
        raise SettingsUnusable("folder_unusable", f"{path} cannot be written: {fault.strerror}.") from fault


def progress_bar(*, quiet: bool) -> Progress:
    """A bar on standard error, gone at the end; nothing at all where that is no terminal."""
    console = Console(stderr=True)
    return Progress(console=console, disable=quiet or not console.is_terminal, transient=True)


def _read_key(path: Path) -> VerifierKey:
    try:
        return parse_verifier_key(path.read_text("utf-8").strip())
    except (NotVerified, UnicodeDecodeError) as fault:
        raise SettingsUnusable("key_unreadable", f"{path} holds no public key of a log.") from fault


def _lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    return iter(partial(read, MAX_LINE_BYTES), b"")


def _note_in(line: bytes) -> str:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as fault:
        raise NotVerified("note_form", "a checkpoint that is not JSON") from fault
    match document:
        case {"note": str(note)}:
            return note
        case _:
            raise NotVerified("note_form", "a checkpoint out of form")
