"""Which types of file may accompany a case, and which of them a content is: by its bytes, never by its name.

What this list lacks does not travel: programs, pages with script in them, documents with macros, archives within
archives that nobody can look into at night.
"""

from __future__ import annotations

import io
import json
import zipfile
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TYPE_NOT_ALLOWED = "file_type_not_allowed"
TYPE_MISMATCH = "file_type_mismatch"

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (b"\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap"),
    (b"\x4d\x3c\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (b"\xa1\xb2\x3c\x4d", "application/vnd.tcpdump.pcap"),
    (b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MEMBERS: tuple[tuple[str, str], ...] = (
    ("word/document.xml", f"{_OFFICE}wordprocessingml.document"),
    ("xl/workbook.xml", f"{_OFFICE}spreadsheetml.sheet"),
    ("ppt/presentation.xml", f"{_OFFICE}presentationml.presentation"),
)
_OPEN_TYPES = (f"{_OPEN_DOCUMENT}text", f"{_OPEN_DOCUMENT}spreadsheet", f"{_OPEN_DOCUMENT}presentation")
_MACROS = ("vbaproject.bin", "scripts/", "basic/")
_LONGEST_TYPE = 100
_CONTROLS = frozenset(range(32)) - {0x09, 0x0A, 0x0C, 0x0D}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_mail(text: str) -> bool:
    name, colon, _ = text.partition("\n")[0].partition(":")
    return bool(colon) and name.isascii() and name.replace("-", "").isalnum()


_TEXTS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "text/plain": lambda _text: True,
        "text/csv": lambda _text: True,
        "application/json": _is_json,
        "application/xml": lambda text: text.lstrip("\ufeff").lstrip().startswith("<"),
        "message/rfc822": _is_mail,
    }
)
"""Types that are text in UTF-8: the bytes cannot tell them apart, so the announced one must at least be possible."""

ALLOWED: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *(named for _, named in _BEGINNINGS),
            "application/zip",
            *(named for _, named in _MEMBERS),
            *_OPEN_TYPES,
            *_TEXTS,
        )
    )
)
"""Every type that can be attached."""


def judge_type(content: bytes, declared: str | None) -> tuple[str | None, str | None]:
    """The type of a content as (type, None), or (None, fault) if it is none we take or not the one announced."""
    if declared is not None and declared not in ALLOWED:
        return None, TYPE_NOT_ALLOWED
    found = _by_bytes(content)
    if found is not None:
        return (found, None) if declared in {None, found} else (None, TYPE_MISMATCH)
    text = _as_text(content)
    if text is None:
        return None, TYPE_NOT_ALLOWED if declared is None else TYPE_MISMATCH
    named = declared or "text/plain"
    fits = _TEXTS.get(named)
    return (named, None) if fits is not None and fits(text) else (None, TYPE_MISMATCH)


def _by_bytes(content: bytes) -> str | None:
    if content.startswith(_ZIP):
        return _in_archive(content)
    return next((named for beginning, named in _BEGINNINGS if content.startswith(beginning)), None)


def _in_archive(content: bytes) -> str | None:
    """The document an archive is, `application/zip` for a plain one, None for a broken one or one with macros."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if any(part in name.lower() for name in names for part in _MACROS):
                return None
            if "mimetype" in names and archive.getinfo("mimetype").file_size <= _LONGEST_TYPE:
                told = archive.read("mimetype").decode("ascii", "replace").strip()
                return told if told in _OPEN_TYPES else None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError):
        return None
    return next((named for member, named in _MEMBERS if member in names), "application/zip")


def _as_text(content: bytes) -> str | None:
    if _CONTROLS & set(content) or content.startswith(b"#!"):
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
