"""What a file is, is read from its bytes."""

from __future__ import annotations

import contextlib
import io
import tracemalloc
import zipfile

import pytest

from app.domain.file_types import ALLOWED, MAX_MEMBERS, TYPE_MISMATCH, TYPE_NOT_ALLOWED, judge_type

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
PCAP = "application/vnd.tcpdump.pcap"
ZIP = "application/zip"


def archive(**members: str) -> bytes:
    """A zip with these members; `__` in a name stands for a slash and `_dot_` for a point."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as writing:
        for name, content in members.items():
            writing.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return made.getvalue()


def bomb() -> bytes:
    """An archive whose `mimetype` says that it has fifty bytes and unpacks to fifty million."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as writing:
        writing.writestr("mimetype", b"\0" * 50_000_000)
    lying = bytearray(made.getvalue())
    size = lying.rindex(b"PK\x01\x02") + 24
    lying[size : size + 4] = (50).to_bytes(4, "little")
    return bytes(lying)


def spoilt(content: bytes, mark: bytes, offset: int, byte: int) -> bytes:
    """The content with one byte changed, so far behind the mark."""
    other = bytearray(content)
    other[other.index(mark) + offset] = byte
    return bytes(other)


def packed(**members: str) -> bytes:
    """The same as an archive that is compressed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as writing:
        for name, content in members.items():
            writing.writestr(name.replace("__", "/"), content)
    return made.getvalue()


RIGHT = {
    "a PDF": (b"%PDF-1.7\n", None, "application/pdf"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00", "image/png", "image/png"),
    "a capture": (b"\xd4\xc3\xb2\xa1\x02\x00", None, PCAP),
    "a plain text": ("naïve ログ\n".encode(), None, "text/plain"),
    "a table, because it was announced as one": (b"a,b\n1,2\n", "text/csv", "text/csv"),
    "JSON that parses": (b'{"a": 1}', "application/json", "application/json"),
    "a mail": (b"From: a@example.org\n\nhello", "message/rfc822", "message/rfc822"),
    "an empty file": (b"", None, "text/plain"),
    "an archive": (archive(log_dot_txt="x"), None, "application/zip"),
    "an archive with a folder that only sounds like macros": (archive(transcripts__day_dot_txt="x"), None, ZIP),
    "an archive that is compressed": (packed(log="x" * 5_000), "application/zip", ZIP),
    "a long JSON text, by its ends": (b'[{"a": 1},' * 200_000 + b"{}]", "application/json", "application/json"),
    "a written document": (archive(word__document_dot_xml="<x/>"), None, DOCX),
    "an open document": (archive(mimetype=ODT, content_dot_xml="<x/>"), ODT, ODT),
}
WRONG = {
    "a program": (b"MZ\x90\x00\x03", None, TYPE_NOT_ALLOWED),
    "a script": (b"#!/bin/sh\nrm -rf /\n", None, TYPE_NOT_ALLOWED),
    "a program announced as a text": (b"\x7fELF\x02\x01", "text/plain", TYPE_MISMATCH),
    "a picture announced as a PDF": (b"\x89PNG\r\n\x1a\n\x00", "application/pdf", TYPE_MISMATCH),
    "a text announced as a PDF": (b"just words", "application/pdf", TYPE_MISMATCH),
    "a page of the web": (b"<html><script>", "text/html", TYPE_NOT_ALLOWED),
    "JSON that does not parse": (b"{", "application/json", TYPE_MISMATCH),
    "JSON too deep to read": (b"[" * 200_000, "application/json", TYPE_MISMATCH),
    "a document with macros": (
        archive(word__document_dot_xml="<x/>", word__vbaProject_dot_bin="x"),
        None,
        TYPE_NOT_ALLOWED,
    ),
    "an open document with macros": (
        archive(mimetype=ODT, Basic__script_dot_xml="<x/>"),
        None,
        TYPE_NOT_ALLOWED,
    ),
    "an archive within an archive": (archive(inner_dot_zip="PK\x03\x04"), None, TYPE_NOT_ALLOWED),
    "an archive with a program": (packed(tool="MZ" + "x" * 5_000), "application/zip", TYPE_MISMATCH),
    "an archive that is locked": (spoilt(archive(a="x"), b"PK\x01\x02", 8, 1), None, TYPE_NOT_ALLOWED),
    "an archive packed in a way that cannot be bounded": (
        spoilt(archive(a="x"), b"PK\x01\x02", 10, zipfile.ZIP_BZIP2),
        None,
        TYPE_NOT_ALLOWED,
    ),
    "an archive whose member cannot be unpacked": (
        spoilt(packed(mimetype="x" * 90), b"e", 5, 255),
        None,
        TYPE_NOT_ALLOWED,
    ),
    "a long JSON text without its end": (b'[{"a": 1},' * 200_000, "application/json", TYPE_MISMATCH),
    "an archive cut short": (archive(log_dot_txt="x")[:20], None, TYPE_NOT_ALLOWED),
    "text in no encoding we read": (b"\xff\xfe\x00a", None, TYPE_NOT_ALLOWED),
}


@pytest.mark.parametrize("what", RIGHT)
def test_content_says_what_it_is(what: str) -> None:
    """Each kind that may travel is recognised."""
    content, declared, media_type = RIGHT[what]
    assert judge_type(content, declared) == (media_type, None)
    assert media_type in ALLOWED


@pytest.mark.parametrize("what", WRONG)
def test_content_that_does_not_travel(what: str) -> None:
    """What is none of them, or not the one announced, is refused with its code."""
    content, declared, fault = WRONG[what]
    assert judge_type(content, declared) == (None, fault)


def test_looking_costs_little_whatever_a_file_would_unpack_to() -> None:
    """A member that lies about its size is not unpacked, and a long directory not read (control: it is large)."""
    heavy, long = bomb(), archive(**{f"m{number}": "" for number in range(MAX_MEMBERS + 1)})
    tracemalloc.start()
    try:
        assert judge_type(heavy, None) == (None, TYPE_NOT_ALLOWED)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
        tracemalloc.reset_peak()
        with zipfile.ZipFile(io.BytesIO(heavy)) as reading, contextlib.suppress(zipfile.BadZipFile):
            reading.read("mimetype")
        assert tracemalloc.get_traced_memory()[1] > 40_000_000, "the archive is no bomb"
    finally:
        tracemalloc.stop()
    assert judge_type(long, None) == (None, TYPE_NOT_ALLOWED)
