"""Put the next chunks of our files into the outbox: few at a time, so that a file never stands before a request."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from app.db import files, threads
from app.db.tables_files import FileState
from app.db.threads import ThreadKey
from app.domain.codes import Lane, MessageType
from app.domain.delivery_messages import ChunkBody
from app.domain.files import MAX_UNRECEIPTED
from app.domain.messages import write_body
from app.envelope.format import encode_part
from app.errors import StorageInconsistent
from app.services.send import Outgoing, put

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.files import NamedFile
    from app.services.node import Node


@dataclass(frozen=True, slots=True)
class Fed:
    """What one look came to: chunks queued just now, and files that are still on their way."""

    queued: int
    leaving: int


async def feed_files(session: Session, node: Node, *, now: datetime) -> Fed:
    """Queue chunks until each peer has `MAX_UNRECEIPTED` without a receipt; note files that are there as a whole.

    The files are locked first: two processes that feed at once count the same chunks one after the other.
    """
    leaving = await files.lock_leaving(session)
    under_way = await files.unreceipted(session, leaving)
    queued = there = 0
    for _, group in groupby(leaving, key=attrgetter("peer")):
        mine = list(group)
        free = MAX_UNRECEIPTED - sum(under_way.get(file.id, 0) for file in mine)
        for file, lane in await _urgent_first(session, mine):
            if file.queued == file.chunks and not under_way.get(file.id, 0):
                there += await files.end(session, file.id, FileState.COMPLETE, now=now)
            upto = min(file.chunks, file.queued + max(0, free))
            for number in range(file.queued + 1, upto + 1):
                await _queue_chunk(session, node, (file, lane), number, now=now)
            if upto > file.queued:
                await files.count_queued(session, file.id, upto)
            free -= upto - file.queued
            queued += upto - file.queued
    return Fed(queued, len(leaving) - there)


async def _urgent_first(session: ReadSession, mine: Sequence[NamedFile]) -> list[tuple[NamedFile, Lane]]:
    """The files with the present lanes of their exchanges: what has become urgent overtakes."""
    found = []
    for file in mine:
        thread = await threads.load(session, ThreadKey(str(file.exchange_id), file.peer))
        found.append((file, Lane.ROUTINE if thread is None else thread.lane))
    return sorted(found, key=lambda one: one[1] is not Lane.URGENT)


async def _queue_chunk(
    session: Session, node: Node, found: tuple[NamedFile, Lane], number: int, *, now: datetime
) -> None:
    file, lane = found
    ciphertext = await files.load_chunk(session, file, number)
    if ciphertext is None:
        raise StorageInconsistent("chunk_missing", "A chunk of a file of ours is gone.")
    body = ChunkBody(file_id=file.id, number=number, chunks=file.chunks, ciphertext=encode_part(ciphertext))
    chunk = Outgoing(
        peer=file.peer,
        type=MessageType.ATTACHMENT_CHUNK,
        body=write_body(body),
        thread=file.thread,
        lane=lane,
        exchange_id=file.exchange_id,
    )
    await put(session, node, chunk, now=now)
