"""The next piece of a file arrives; with the last one the file is judged by its bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import uploads
from app.db.tables_uploads import UploadState
from app.domain.file_types import judge_type
from app.envelope.format import encode_part
from app.errors import Conflict, FieldError, Refused
from app.services.complete_file import OTHER_CONTENT

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.uploads import UploadRecord


async def add_piece(
    session: Session, record: UploadRecord, content: bytes, *, start: int, now: datetime
) -> UploadRecord:
    """Keep a piece that begins at `start` of an upload whose row is locked.

    Whoever lost the answer to an earlier piece is told where to go on: Conflict `upload_offset` with `received`. After
    the last piece the upload is `ready`, or `wrong` with a fault: then it is begun anew. Raises Conflict
    `upload_ended`, Refused `piece_too_long`.
    """
    if record.state is not UploadState.UPLOADING:
        raise Conflict("upload_ended", "This file is whole already, or was given up.", received=record.received)
    if start != record.received:
        raise Conflict("upload_offset", "The next piece begins elsewhere.", received=record.received)
    if record.received + len(content) > record.size:
        beyond = FieldError("", "piece_too_long", "This goes beyond the announced size of the file.")
        raise Refused("piece_too_long", "The piece does not fit the file.", errors=(beyond,))
    await uploads.add_piece(session, record, content)
    grown = replace(record, received=record.received + len(content))
    if grown.received == grown.size:
        return await judge_whole(session, grown, now=now)
    await uploads.save(session, grown)
    return grown


async def judge_whole(session: Session, record: UploadRecord, *, now: datetime) -> UploadRecord:
    """Compare a whole file with what was announced of it; the content of a wrong one is forgotten."""
    content = await uploads.content(session, record.id)
    if encode_part(hashlib.sha256(content).digest()) == record.sha256:
        media_type, fault = judge_type(content, record.declared_type)
    else:
        media_type, fault = None, OTHER_CONTENT
    if fault is not None:
        await uploads.drop_pieces(session, record.id)
    state = UploadState.READY if fault is None else UploadState.WRONG
    judged = replace(record, state=state, fault=fault, media_type=media_type, whole_at=now)
    await uploads.save(session, judged)
    return judged
