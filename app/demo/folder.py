"""The demo's folder: `access.json` while it runs, keys and settings of its nodes beside it, nothing afterwards."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.errors import SettingsUnusable
from app.keystore import EXAMPLE_CODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

OURS = frozenset({"directory.json", "definitions.json", *EXAMPLE_CODES, *(f"{code}.toml" for code in EXAMPLE_CODES)})
"""What may lie in `network` for it to be a former demo's, and be removed."""


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """The folder, held by this demo alone."""

    path: Path

    @property
    def network(self) -> Path:
        """Keys, directory and settings of the nodes: worthless once they have stopped."""
        return self.path / "network"

    @property
    def access(self) -> Path:
        """Addresses and tokens, for any client. It is there if and only if the nodes are."""
        return self.path / "access.json"

    def grant(self, access: Mapping[str, Any]) -> None:
        """Write `access.json` at once and for us alone: it holds tokens."""
        draft = self.access.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(access, file, indent=2)
            file.write("\n")
        draft.replace(self.access)

    def clear(self) -> None:
        """Remove what a demo leaves behind; refused for a `network` that holds anything else."""
        self.access.unlink(missing_ok=True)
        if self.network.is_dir():
            if not {entry.name for entry in self.network.iterdir()} <= OURS:
                raise SettingsUnusable("folder_unusable", f"{self.network} holds other things; name another folder.")
            shutil.rmtree(self.network)


@contextmanager
def held_folder(path: Path) -> Iterator[DemoFolder]:
    """Make the folder if need be and hold it; at the end the folder is empty of us.

    Raises SettingsUnusable in one sentence when it cannot be written, or another demo has it.
    """
    folder = DemoFolder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as fault:
        raise _unusable(path, fault) from fault
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder.clear()
            folder.network.mkdir(mode=0o700)
        except BlockingIOError as fault:
            detail = f"Another demo runs in {path}; name another folder with --folder."
            raise SettingsUnusable("folder_in_use", detail) from fault
        except OSError as fault:
            raise _unusable(path, fault) from fault
        try:
            yield folder
        finally:
            folder.clear()
    finally:
        os.close(lock)


def _unusable(path: Path, fault: OSError) -> SettingsUnusable:
    return SettingsUnusable("folder_unusable", f"{path} cannot be written: {fault.strerror}.")
