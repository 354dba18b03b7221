"""The directory as a file, and the invented contact points that come with the package."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from app.domain.directory import ContactPoint, ContactPointProfile, Directory, load_directory, load_profile
from app.errors import SettingsUnusable
from app.keystore.files import read_text, write_whole

if TYPE_CHECKING:
    from pathlib import Path

MAX_DIRECTORY_BYTES = 16 * 1024 * 1024
"""The directory of 200 contact points has about 2 MiB."""

EXAMPLE_CODES = ("XA", "XT", "XS")
"""The invented contact points that come with the package: Aurelia, Kitano, Sahran."""

_FILE_MODE = 0o640


def read_directory(path: Path) -> Directory:
    """The directory in that file. Raises `SettingsUnusable` with one sentence: the file, the place, what is wrong."""
    return read_directory_file(path).directory


@dataclass(frozen=True, slots=True)
class DirectoryFile:
    """A directory as a file: `digest` is the SHA-256 of its bytes, in hexadecimal as `sha256sum` prints it."""

    directory: Directory
    digest: str


def read_directory_file(path: Path) -> DirectoryFile:
    """The same, with the name by which another file under the same number is found out."""
    text = read_text(path, MAX_DIRECTORY_BYTES)
    return DirectoryFile(load_directory(text, source=str(path)), hashlib.sha256(text.encode()).hexdigest())


def stamp_of(path: Path) -> tuple[int, ...] | None:
    """What changes when the file is written or replaced; None when there is none. Reading it costs next to nothing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def write_directory(path: Path, directory: Directory) -> None:
    """Replace the file at once and durably: readers see the old document or the new one, also after a power failure."""
    content = directory.model_dump_json(indent=2, exclude_none=True).encode() + b"\n"
    try:
        write_whole(path, content, mode=_FILE_MODE)
    except OSError as fault:
        raise SettingsUnusable("directory_not_written", f"{path} cannot be written: {fault.strerror}.") from fault


def example_profile(code: str) -> ContactPointProfile:
    """One of the invented contact points that come with the package, without keys."""
    name = f"{code}.json"
    if code not in EXAMPLE_CODES:
        raise SettingsUnusable("no_example", f"There is no example contact point {code}.")
    source = resources.files("app").joinpath("data", "contact_points", name)
    return load_profile(source.read_text(encoding="utf-8"), source=name)


def check_named(directory: Directory, *, code: str) -> ContactPoint:
    """The entry of that contact point. Raises `SettingsUnusable` when there is none."""
    point = directory.point(code)
    if point is None:
        raise SettingsUnusable("not_in_directory", f"The directory has no contact point {code}.")
    return point
