"""Our private keys and the directory as files: written whole or not at all, refused when open to others.

A copy of the folder of keys is a copy of the node's voice. Losing `enc` costs what is under way to us, losing `sig` the
use of the standby key, losing `log` a new epoch of the log.
"""

from __future__ import annotations

from app.keystore.clocks import read_clocks_file
from app.keystore.directory import (
    EXAMPLE_CODES,
    DirectoryFile,
    check_named,
    example_profile,
    read_directory,
    read_directory_file,
    stamp_of,
    write_directory,
)
from app.keystore.keys import NodeKeys, Purpose, check_published, create_keys, load_keys
from app.keystore.law import read_law_folder
from app.keystore.rotate import AHEAD, OVERLAP, Change, rotate_keys

__all__ = [
    "AHEAD",
    "EXAMPLE_CODES",
    "OVERLAP",
    "Change",
    "DirectoryFile",
    "NodeKeys",
    "Purpose",
    "check_named",
    "check_published",
    "create_keys",
    "example_profile",
    "load_keys",
    "read_clocks_file",
    "read_directory",
    "read_directory_file",
    "read_law_folder",
    "rotate_keys",
    "stamp_of",
    "write_directory",
]
