"""A chunk of a file arrives: kept as it came, and the file compared once a message has named it and all are here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import files
from app.db.files import StoredChunk
from app.domain.codes import Direction, Fate
from app.domain.delivery_messages import ChunkBody
from app.domain.files import MAX_UNNAMED_BYTES
from app.domain.message_reading import read_body
from app.envelope.format import decode_part
from app.services.complete_file import complete_file
from app.services.inbound import Applied
from app.services.send import ATTACHMENT_THREAD

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.files import NamedFile
    from app.services.inbound import Received
    from app.services.node import Node

MISNUMBERED = Applied(Fate.REFUSED, "misnumbered")
NOT_YOURS = Applied(Fate.REFUSED, "not_yours")
NOT_BASE64URL = Applied(Fate.REFUSED, "not_base64url")
NUMBER_TAKEN = Applied(Fate.REFUSED, "number_taken")
TOO_MUCH = Applied(Fate.REFUSED, "too_much")
"""Of chunks that no message names: whoever sends these without end fills nobody's disk."""


async def take_chunk(session: Session, node: Node, received: Received, now: datetime) -> Applied:
    """`attachment.chunk/1` in the thread of its file, which belongs to the sender of the file (rulings 11, 20)."""
    body = read_body(ChunkBody, received.body).body
    if received.thread != f"{ATTACHMENT_THREAD}{body.file_id}" or body.number > body.chunks:
        return MISNUMBERED
    file = await files.load(session, body.file_id)
    refused = await _objection(session, received.peer, body, file)
    if refused is not None:
        return refused
    try:
        ciphertext = decode_part(body.ciphertext)
    except ValueError:
        return NOT_BASE64URL
    chunk = StoredChunk(received.peer, body.file_id, body.number, body.chunks, ciphertext, now, named=file is not None)
    if not await files.store_chunk(session, chunk):
        known = await files.stored_chunk(session, received.peer, body.file_id, body.number)
        return Applied(Fate.APPLIED) if known == ciphertext else NUMBER_TAKEN
    if file is not None:
        await complete_file(session, node, file, now=now)
    return Applied(Fate.APPLIED)


async def _objection(session: Session, peer: str, body: ChunkBody, file: NamedFile | None) -> Applied | None:
    if file is None:
        room = MAX_UNNAMED_BYTES - await files.unnamed_bytes(session, peer)
        return TOO_MUCH if len(body.ciphertext) * 3 // 4 > room else None
    if file.peer != peer or file.direction is Direction.OUTGOING:
        return NOT_YOURS
    return None if body.chunks == file.chunks else MISNUMBERED
