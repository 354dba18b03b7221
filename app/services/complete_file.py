"""A file whose chunks are all here is compared with what its message says of it; only then does it count as there."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from app.db import exchanges, files
from app.db.tables_files import FileState
from app.domain.codes import Direction
from app.envelope.file_cipher import open_chunk
from app.envelope.format import encode_part
from app.errors import Malformed
from app.services.node import SYSTEM
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.files import NamedFile
    from app.services.node import Node

SWEEP = 20
"""Files that one sweep compares."""

OTHER_SIZE = "other_size"
OTHER_CONTENT = "other_content"
MISDESCRIBED = "misdescribed"
"""What the message says of the file cannot be: its number of chunks does not go with its size, or its key is no key."""


async def complete_file(session: Session, node: Node, file: NamedFile, *, now: datetime) -> None:
    """End an incoming file if all its chunks are here: `complete`, or `wrong`, which is alarmed and never shown."""
    if file.direction is not Direction.INCOMING or file.state is not FileState.ARRIVING:
        return
    if await files.count_chunks(session, file) < file.chunks:
        return
    await end_file(session, node, file, fault=await _fault_of(session, file), now=now)


async def end_file(session: Session, node: Node, file: NamedFile, *, fault: str | None, now: datetime) -> None:
    """Note the end of a file and tell the desk; nothing happens if it has ended meanwhile."""
    state = FileState.COMPLETE if fault is None else FileState.WRONG
    record = await exchanges.load(session, file.exchange_id)
    if not await files.end(session, file.id, state, now=now) or record is None:
        return
    told = Happening(
        kind="exchange",
        subject=file.exchange_id,
        event="attachment_complete" if fault is None else "attachment_wrong",
        state=record.value.state,
        generation=record.value.generation,
        detail={"name": file.name, "size": file.size, "sha256": file.sha256}
        | ({} if fault is None else {"fault": fault}),
        party=file.peer,
        for_agency=False,
        ids={"attachment_id": str(file.id), "reference": record.value.request_reference},
    )
    await tell(session, node, told, actor=SYSTEM, now=now)


async def complete_arrived(session: Session, node: Node, *, now: datetime) -> int:
    """Compare files of which the last chunk and the name came in two transactions at one moment; returns how many."""
    here = await files.all_here(session, limit=SWEEP)
    for file in here:
        await files.mark_named(session, file)
        await complete_file(session, node, file, now=now)
    return len(here)


async def _fault_of(session: ReadSession, file: NamedFile) -> str | None:
    """What is wrong with the file, read chunk by chunk: it is never whole in memory."""
    digest, size = hashlib.sha256(), 0
    for number in range(1, file.chunks + 1):
        ciphertext = await files.load_chunk(session, file, number)
        try:
            plain = open_chunk(ciphertext or b"", file.key, file_id=file.id, number=number, chunks=file.chunks)
        except Malformed as fault:
            return fault.code
        digest.update(plain)
        size += len(plain)
    if size != file.size:
        return OTHER_SIZE
    return None if encode_part(digest.digest()) == file.sha256 else OTHER_CONTENT
