"""A signed message names files: from then on it is known what their chunks must come to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import exchanges, files
from app.db.files import NamedFile
from app.db.tables_files import FileState
from app.domain.codes import Direction
from app.domain.exchange.file_markings import marking_of_file
from app.domain.files import is_consistent
from app.domain.marking_bodies import read_marking
from app.envelope.file_cipher import FILE_KEY_BYTES
from app.envelope.format import decode_part
from app.services.complete_file import MISDESCRIBED, complete_file, end_file
from app.services.node import SYSTEM
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from app.db.engine import Session
    from app.domain.delivery_messages import FileBody
    from app.domain.markings import Marking
    from app.services.inbound import Received
    from app.services.node import Node


async def bind_files(
    session: Session, node: Node, received: Received, named: Iterable[FileBody] | None, *, now: datetime
) -> None:
    """Note what an applied message names. It waits for no chunk: those that came before it are looked at now.

    A file that cannot be as it is described is `wrong` from the beginning. One whose id is another file's is not taken
    and the desk is told; the same description once more changes nothing.
    """
    for told in named or ():
        described = _described(told, received, UUID(received.thread or ""), now=now)
        file = replace(described, marking=await _marking(session, described.exchange_id, told))
        if not await files.add(session, file):
            await _compare(session, node, file, now=now)
        elif not is_consistent(told) or len(file.key) != FILE_KEY_BYTES:
            await end_file(session, node, file, fault=MISDESCRIBED, now=now)
        else:
            await files.mark_named(session, file)
            await complete_file(session, node, file, now=now)


def _described(told: FileBody, received: Received, exchange_id: UUID, *, now: datetime) -> NamedFile:
    return NamedFile(
        id=told.file_id,
        peer=received.peer,
        direction=Direction.INCOMING,
        exchange_id=exchange_id,
        name=told.name,
        media_type=told.media_type,
        size=told.size,
        sha256=told.sha256,
        key=_key(told.key),
        chunks=told.chunks,
        queued=0,
        state=FileState.ARRIVING,
        created_at=now,
    )


async def _marking(session: Session, exchange_id: UUID, told: FileBody) -> Marking | None:
    """Never more open than the request; None for a file that says nothing and so bears what its exchange does."""
    own = read_marking(told.marking)
    record = None if own is None else await exchanges.load(session, exchange_id)
    return own if own is None or record is None else marking_of_file(own, record.value.asked.marking)


async def _compare(session: Session, node: Node, file: NamedFile, *, now: datetime) -> None:
    known = await files.load(session, file.id)
    if known is None or _same(known, file):
        return
    record = await exchanges.load(session, file.exchange_id)
    if record is None:
        return
    refused = Happening(
        kind="exchange",
        subject=file.exchange_id,
        event="attachment_refused",
        state=record.value.state,
        generation=record.value.generation,
        detail={"name": file.name, "fault": "file_id_taken"},
        party=file.peer,
        for_agency=False,
        ids={"reference": record.value.request_reference},
    )
    await tell(session, node, refused, actor=SYSTEM, now=now)


def _same(known: NamedFile, file: NamedFile) -> bool:
    return replace(known, state=file.state, created_at=file.created_at, queued=file.queued) == file


def _key(text: str) -> bytes:
    """The key, or nothing if the text is not the one spelling of any."""
    try:
        return decode_part(text)
    except ValueError:
        return b""
