"""Files that are written whole or not at all, and refused when open to others."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from app.errors import SettingsUnusable

SECRET_MODE = 0o600
FOLDER_MODE = 0o700


def write_whole(path: Path, content: bytes, *, mode: int) -> None:
    """Replace the file at once and durably; whoever reads it sees the old content or the new one."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".draft")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
    # The name is durable only once its folder is: without this, a power failure could bring the old document back.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_text(path: Path, max_bytes: int) -> str:
    """The text in that file. Raises `SettingsUnusable` with one sentence that names it."""
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise SettingsUnusable("file_too_large", f"{path} is longer than {max_bytes} bytes.")
        return content.decode("utf-8")
    except OSError as fault:
        raise SettingsUnusable("file_unreadable", f"{path} cannot be read: {fault.strerror}.") from fault
    except UnicodeDecodeError as fault:
        raise SettingsUnusable("file_unreadable", f"{path} is not UTF-8.") from fault


def refuse_open_mode(path: Path) -> None:
    """Raise `SettingsUnusable` when group or others may look into that file or folder."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as fault:
        raise SettingsUnusable("file_unreadable", f"{path} cannot be read: {fault.strerror}.") from fault
    if mode & 0o077:
        detail = f"{path} holds secrets and is open to others (mode {mode:04o}); only its owner may have access."
        raise SettingsUnusable("mode_too_open", detail)
