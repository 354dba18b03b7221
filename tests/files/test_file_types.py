"""What a file is, is read from its bytes."""

from __future__ import annotations

import io
import zipfile

import pytest

from app.domain.file_types import ALLOWED, TYPE_MISMATCH, TYPE_NOT_ALLOWED, judge_type

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
PCAP = "application/vnd.tcpdump.pcap"


def archive(**members: str) -> bytes:
    """A zip with these members; `__` in a name stands for a slash and `_dot_` for a point."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as writing:
        for name, content in members.items():
            writing.writestr(name.replace("__", "/").replace("_dot_", "."), content)
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
