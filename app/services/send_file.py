"""Make a file ready to leave: encrypted in chunks under a key of its own, described for the message that names it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.db import files
from app.db.files import NamedFile, StoredChunk
from app.db.tables_files import FileState
from app.domain.codes import Direction
from app.domain.delivery_messages import FileBody
from app.domain.exchange.file_markings import marking_of_file
from app.domain.files import check_file, chunks_of, split
from app.domain.marking_bodies import write_marking
from app.envelope.file_cipher import FILE_KEY_BYTES, close_chunk
from app.envelope.format import encode_part
from app.services.identifiers import new_id

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import Session
    from app.domain.marking_bodies import MarkingBody
    from app.domain.markings import Marking
    from app.services.node import Node


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file as a person hands it over; without an `id` it gets one, without a marking it bears its message's."""

    name: str
    media_type: str
    content: bytes
    id: UUID | None = None
    marking: Marking | None = None


@dataclass(frozen=True, slots=True)
class Addressed:
    """Where a file goes: to this contact point, in this exchange, with a message of this marking."""

    peer: str
    exchange_id: UUID
    marking: Marking | None = None


async def send_file(session: Session, node: Node, to: Addressed, file: NewFile, *, now: datetime) -> FileBody:
    """Keep the file's chunks for the peer of this exchange; returns what the signed message must carry to name it.

    The caller queues that message in the same transaction. The chunks follow by themselves and never hold it up
    (ruling 20). Raises Refused `file_unusable`.
    """
    check_file(file.name, file.media_type, size=len(file.content))
    file_id, key, chunks = file.id or new_id(), node.random(FILE_KEY_BYTES), chunks_of(len(file.content))
    sha256 = encode_part(hashlib.sha256(file.content).digest())
    marking = marking_of_file(file.marking, to.marking)
    named = NamedFile(
        id=file_id,
        peer=to.peer,
        direction=Direction.OUTGOING,
        exchange_id=to.exchange_id,
        name=file.name,
        media_type=file.media_type,
        size=len(file.content),
        sha256=sha256,
        key=key,
        chunks=chunks,
        queued=0,
        state=FileState.ARRIVING,
        created_at=now,
        marking=marking,
    )
    await keep_file(session, named, file.content, now=now)
    return FileBody(
        file_id=file_id,
        name=file.name,
        media_type=file.media_type,
        size=named.size,
        sha256=sha256,
        key=encode_part(key),
        chunks=chunks,
        marking=_told(marking, file.marking),
    )


async def keep_file(session: Session, named: NamedFile, content: bytes, *, now: datetime) -> None:
    """Keep a file of ours and its chunks. The same content under the same key gives the same chunks, byte for byte."""
    await files.add(session, named)
    for number, plain in split(content):
        closed = close_chunk(plain, named.key, file_id=named.id, number=number, chunks=named.chunks)
        chunk = StoredChunk(named.peer, named.id, number, named.chunks, closed, now, named=True)
        await files.store_chunk(session, chunk)


def _told(marking: Marking, own: Marking | None) -> MarkingBody | None:
    """What the message says of the file beside its own marking: nothing where the file has none, and no text twice."""
    return None if own is None else write_marking(replace(marking, text=own.text))
