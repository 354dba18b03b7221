"""Bodies of the messages by which two nodes keep delivery itself whole: heartbeats, resync, copies, chunks of files.

Structure, types and sizes only (ruling 19). `receipt/1` and `void/1` are in `messages.py`.
"""

# ruff: noqa: TC001, TC003 - pydantic reads the annotations at run time

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from app.domain.codes import CopyReason, Lane, ResyncKind
from app.domain.marking_bodies import MarkingBody
from app.domain.moments import Instant
from app.domain.wire import Open, WireLine

MAX_RESYNC_THREADS = 500
"""Threads in one part: with 1,000 loose numbers in a few of them it still fits into an envelope."""

MAX_RESYNC_PARTS = 10_000
MAX_WANTED = 1_000
MAX_LOOSE = 1_000
"""Numbers above the contiguous ones: a receiver keeps no message further ahead than that."""

MAX_TEXT_CHARACTERS = 266_000
"""Of a signed text that travels inside another one. A chunk of a file is longer; it is sent again, not given back."""

CHUNK_BYTES = 192 * 1024
"""Bytes of ciphertext in one chunk; the last one may have fewer."""

MAX_CHUNKS = 4_096

MAX_FILES = 50
"""Files that one message names."""

Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
MessageName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9.-]{0,47}/[1-9][0-9]{0,3}$")]
ThreadId = Annotated[str, StringConstraints(pattern=r"^(att:)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Base64Url = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=(CHUNK_BYTES * 4 + 2) // 3)]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f/\\]+$")]
MediaType = Annotated[
    str, StringConstraints(max_length=200, pattern=r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$")
]
Octets32 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""32 bytes in base64url without padding."""

SignedText = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$", max_length=MAX_TEXT_CHARACTERS),
]


class HeartbeatBody(Open):
    """`heartbeat/1`: I am here, this is my clock, and these are the message types I can read."""

    at: Instant
    software: WireLine
    reads: Annotated[tuple[MessageName, ...], Field(max_length=100)]


class NumbersBody(Open):
    """Which numbers of one side of a thread a node has: all from 1 to `upto`, and `also` these above it, ascending."""

    upto: Annotated[int, Field(ge=0, le=2**31 - 1)]
    also: Annotated[tuple[Number, ...], Field(max_length=MAX_LOOSE)] = ()


class ResyncThreadBody(Open):
    """One thread as the writer has it: `out` are its own texts, `in` the reader's."""

    thread: ThreadId
    out: NumbersBody
    in_: Annotated[NumbersBody, Field(alias="in")]


class ResyncBody(Open):
    """`resync/1`. `ask` and `answer` have `parts` parts and go out whole on both lanes; `want` is a single one.

    `lane` says on which lane this envelope was sent, since the receiver answers only when it has consumed every part
    from both. `since`: the newest moment that the asking node remembers.
    """

    id: UUID
    kind: ResyncKind
    lane: Lane
    part: Annotated[int, Field(ge=1, le=MAX_RESYNC_PARTS)] = 1
    parts: Annotated[int, Field(ge=1, le=MAX_RESYNC_PARTS)] = 1
    since: Instant | None = None
    threads: Annotated[tuple[ResyncThreadBody, ...], Field(max_length=MAX_RESYNC_THREADS)] = ()
    want: Annotated[tuple[UUID, ...], Field(max_length=MAX_WANTED)] = ()


class ResyncCopyBody(Open):
    """`resync.copy/1`: a text that the reader itself signed for the writer, byte for byte.

    `resync` names the `resync/1` that asked for it, if one did.
    """

    reason: CopyReason
    text: SignedText
    resync: UUID | None = None


class ChunkBody(Open):
    """`attachment.chunk/1` in the thread `att:<file id>`: number `number` of `chunks`, from 1 on."""

    file_id: UUID
    number: Annotated[int, Field(ge=1, le=MAX_CHUNKS)]
    chunks: Annotated[int, Field(ge=1, le=MAX_CHUNKS)]
    ciphertext: Base64Url


class FileBody(Open):
    """A file that a signed message names: what its chunks come to when they are decrypted under `key` and joined.

    `sha256` and `size` are those of the file itself; `key` is the AES-256-GCM key of this one file. `marking` is never
    more open than that of the message; without it the file bears the message's.
    """

    file_id: UUID
    name: FileName
    media_type: MediaType
    size: Annotated[int, Field(ge=0, le=MAX_CHUNKS * CHUNK_BYTES)]
    sha256: Octets32
    key: Octets32
    chunks: Annotated[int, Field(ge=1, le=MAX_CHUNKS)]
    marking: MarkingBody | None = None


Files = Annotated[tuple[FileBody, ...], Field(max_length=MAX_FILES)]
