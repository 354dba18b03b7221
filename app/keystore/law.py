"""The law as a folder of files, read once when the node starts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.law import SUFFIX, Law, packaged_law, packaged_warning_lists, read_law, read_warning_list
from app.errors import SettingsUnusable
from app.keystore.files import read_text

if TYPE_CHECKING:
    from pathlib import Path

MAX_LAW_BYTES = 4 * 1024 * 1024
"""Of one file. A file for all states of the world has less than one."""

WARNING_LISTS = "warning_lists"
"""Folder beside the law files: one list per file. One that has the name of a packaged list takes its place."""


def read_law_folder(folder: Path | None) -> Law:
    """The law in that folder, or the one that comes with the program.

    Raises `SettingsUnusable` with one sentence: the file, the line, the reason.
    """
    if folder is None:
        return packaged_law()
    law = read_law({path.name: read_text(path, MAX_LAW_BYTES) for path in _files(folder)})
    own = _files(folder / WARNING_LISTS) if (folder / WARNING_LISTS).is_dir() else []
    lists = [read_warning_list(f"{WARNING_LISTS}/{path.name}", read_text(path, MAX_LAW_BYTES)) for path in own]
    return replace(law, warning_lists=packaged_warning_lists().with_own(tuple(lists)))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except OSError as fault:
        detail = f"The folder {folder} of COUNTERPART_LAW cannot be read: {fault.strerror}."
        raise SettingsUnusable("law_unreadable", detail) from fault
