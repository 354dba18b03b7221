"""Which types of file may accompany a case, and which of them a content is: by its bytes, never by its name.

What this list lacks does not travel: programs, documents with macros, and archives that nobody can look into at night
because they are locked, hold programs, or hold further archives. Whoever sends a file does not choose what it costs to
look at it: no more is unpacked than the first bytes of each member, and nothing large is built.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
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
_MACRO_PARTS = "vbaproject.bin"
_MACRO_FOLDERS = ("scripts/", "basic/")
"""Where an open document keeps them; a folder `transcripts/` of a plain archive is none."""

_PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_ARCHIVES = (*_ZIP, b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
_FIRST_BYTES = 8
_LOCKED = 0x1
"""Bit of a member's flags."""

_MEMBER_MARK = b"PK\x01\x02"
MAX_MEMBERS = 2_000
"""Of an archive: each costs memory and a look."""

MAX_PARSED = 1024 * 1024
"""Characters of a JSON text that is read to its end: what is built of it has many times its size. Of a longer one the
ends must fit."""

_LONGEST_TYPE = 100
_CONTROLS = bytes(set(range(32)) - {0x09, 0x0A, 0x0C, 0x0D})


def _is_json(text: str) -> bool:
    if len(text) > MAX_PARSED:
        return (text[:MAX_PARSED].lstrip()[:1], text[-MAX_PARSED:].rstrip()[-1:]) in {("{", "}"), ("[", "]")}
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
    """The document an archive is, `application/zip` for a plain one, None for one that must not travel."""
    if content.count(_MEMBER_MARK) > MAX_MEMBERS:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _named_by(archive)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, OSError, ValueError, LookupError):
        return None


def _named_by(archive: zipfile.ZipFile) -> str | None:
    found = {member.filename: member for member in archive.infolist()}
    document = next((named for member, named in _MEMBERS if member in found), None)
    if "mimetype" in found:
        document = _begins(archive, found["mimetype"], _LONGEST_TYPE).decode("ascii", "replace").strip()
        if document not in _OPEN_TYPES:
            return None
    if document is not None:
        return None if any(_is_macro(name.lower()) for name in found) else document
    beginnings = [_begins(archive, one, _FIRST_BYTES) for one in archive.infolist() if not one.is_dir()]
    return None if any(one.startswith((*_PROGRAMS, *_ARCHIVES)) for one in beginnings) else "application/zip"


def _is_macro(name: str) -> bool:
    return name.endswith(_MACRO_PARTS) or name.startswith(_MACRO_FOLDERS)


def _begins(archive: zipfile.ZipFile, member: zipfile.ZipInfo, size: int) -> bytes:
    """The first bytes of a member, however large it unpacks; ValueError for one that cannot be looked into."""
    if member.flag_bits & _LOCKED or member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ValueError(member.compress_type)
    with archive.open(member) as reading:
        return reading.read(size)


def _as_text(content: bytes) -> str | None:
    if len(content.translate(None, _CONTROLS)) < len(content) or content.startswith(b"#!"):
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
