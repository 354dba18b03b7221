"""Files that accompany an exchange: how they are cut into chunks, how large they may be, what may be named."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.delivery_messages import CHUNK_BYTES
from app.errors import FieldError, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.delivery_messages import FileBody

TAG_BYTES = 16
PLAIN_BYTES = CHUNK_BYTES - TAG_BYTES
"""Bytes of the file in one chunk; the last one may have fewer."""

MAX_FILE_BYTES = 25 * 1024 * 1024
"""Of a file that we send. What comes from abroad may be as large as its chunks allow."""

MAX_UNRECEIPTED = 8
"""Chunks to one peer that are under way: a file never stands in the way of a request."""

MAX_UNNAMED_BYTES = 256 * 1024 * 1024
"""Of one peer's chunks that no message has named yet. Its files are named before, or right after, their first chunk."""

UNNAMED_KEPT = timedelta(days=7)

CARRYING = frozenset(
    {
        "supplement",
        "send_content",
        "explain_use",
        "confirm_formally",
        "ask",
        "notify_risk",
        "propose_conditions",
        "not_executable",
        "refer",
        "answer",
        "report_progress",
    }
)
"""Acts on an exchange that may bring files."""

_DECEIVING = "\x80-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"
"""What shows a name otherwise than it is: line ends, and what turns the direction (`order\\u202efdp.exe`). Names in
scripts from right to left need none of it."""

_NAME = re.compile(f"[^\\x00-\\x1f\\x7f/\\\\{_DECEIVING}]{{1,255}}")
_UNSHOWN = re.compile(f"[\\x00-\\x1f\\x7f/\\\\{_DECEIVING}]")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")


def chunks_of(size: int) -> int:
    """How many chunks a file of so many bytes has; an empty one has one too."""
    return max(1, -(-size // PLAIN_BYTES))


def split(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The pieces of a file with their numbers, from 1 on."""
    for number in range(1, chunks_of(len(content)) + 1):
        yield number, content[(number - 1) * PLAIN_BYTES : number * PLAIN_BYTES]


def check_file(name: str, media_type: str, *, size: int) -> None:
    """Raises Refused (`file_unusable`), with one FieldError per rule broken, for what no message of ours may name."""
    broken = {
        FieldError("/name", "file_name", "1 to 255 characters that show as they are, none of them / or \\."): (
            _NAME.fullmatch(name) is None or set(name) <= {".", " "}
        ),
        FieldError("/media_type", "media_type", "As in application/pdf."): _MEDIA_TYPE.fullmatch(media_type) is None,
        FieldError("/content", "file_too_large", f"A file has at most {MAX_FILE_BYTES} bytes."): size > MAX_FILE_BYTES,
    }
    errors = tuple(error for error, is_so in broken.items() if is_so)
    if errors:
        raise Refused("file_unusable", "This file cannot be sent.", errors=errors)


def name_to_save(name: str) -> str:
    """The name under which a file is handed to a browser: another node's may hold what ours may not."""
    harmless = _UNSHOWN.sub("_", name)
    return "_" if set(harmless) <= {".", " "} else harmless


def check_carrying(action: str, *, discloses: bool) -> None:
    """Raises Refused (`attachments_not_here`) for an act that brings no files, and for data beside a preservation.

    `discloses`: whether this side may disclose data in such an exchange. A preservation keeps data and hands nothing
    over: whoever holds them attaches nothing (domain.md 1.5).
    """
    if action not in CARRYING or not discloses:
        wrong = FieldError(
            "/attachments", "attachments_not_here", "This act brings no files in an exchange of this type."
        )
        raise Refused("attachments_not_here", "This act brings no files.", errors=(wrong,))


def is_consistent(told: FileBody) -> bool:
    """Whether a file of that size has so many chunks."""
    return told.chunks == chunks_of(told.size)
