"""A file that left after the backup with a text of ours that has come back: it is here again if its upload is."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import files, uploads
from app.db.files import NamedFile
from app.db.tables_files import FileState
from app.db.tables_uploads import UploadState
from app.domain.codes import Direction
from app.domain.files import is_consistent
from app.domain.marking_bodies import read_marking
from app.envelope.file_cipher import FILE_KEY_BYTES
from app.envelope.format import decode_part, encode_part
from app.services.send_file import keep_file

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.db.own_texts import OwnText
    from app.domain.delivery_messages import FileBody

SENT_BEFORE_RESTORE = "sent_before_restore"


async def remember_file(session: Session, text: OwnText, told: FileBody, *, now: datetime) -> bool:
    """Whether the file that our returned text names is here, or is here again.

    Handed over before the backup, it waits here as an upload: with the key in the text it is the same file as abroad,
    and the same chunks, so that what has not come there still goes. An upload that was not whole then has ended: under
    its id another content is known abroad already, and is handed over under a new one.
    """
    if await files.load(session, told.file_id) is not None:
        return True
    upload = await uploads.load(session, told.file_id, for_update=True)
    if upload is None or upload.state is UploadState.SENT:
        return False
    content = await uploads.content(session, upload.id)
    is_it = upload.state is UploadState.READY and _is_same(told, content)
    if is_it:
        await keep_file(session, _described(text, told, now=now), content, now=now)
    state, fault = (UploadState.SENT, None) if is_it else (UploadState.WRONG, SENT_BEFORE_RESTORE)
    # Commit point: with the text. Until then the pieces are the file, from then on the chunks are, or nothing is.
    await uploads.drop_pieces(session, upload.id)
    await uploads.save(session, replace(upload, state=state, fault=fault))
    return is_it


def _is_same(told: FileBody, content: bytes) -> bool:
    """Under one key there is never a second content: what was signed is compared first."""
    same = (len(content), encode_part(hashlib.sha256(content).digest())) == (told.size, told.sha256)
    return same and is_consistent(told) and len(decode_part(told.key)) == FILE_KEY_BYTES


def _described(text: OwnText, told: FileBody, *, now: datetime) -> NamedFile:
    return NamedFile(
        id=told.file_id,
        peer=text.peer,
        direction=Direction.OUTGOING,
        exchange_id=UUID(text.thread),
        name=told.name,
        media_type=told.media_type,
        size=told.size,
        sha256=told.sha256,
        key=decode_part(told.key),
        chunks=told.chunks,
        queued=0,
        state=FileState.ARRIVING,
        created_at=now,
        marking=read_marking(told.marking),
    )
