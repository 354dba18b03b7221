"""A person announces a file of a case: what it is called, how large it is, what its hash will be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db import uploads
from app.db.tables_uploads import UploadState
from app.db.uploads import UploadRecord
from app.domain.delivery_messages import MAX_FILES
from app.domain.file_types import ALLOWED, TYPE_NOT_ALLOWED
from app.domain.files import check_file
from app.errors import Conflict, FieldError, Forbidden, Refused
from app.services.add_piece import judge_whole
from app.services.identifiers import new_id

if TYPE_CHECKING:
    from app.db.uploads import Case
    from app.domain.markings import Marking
    from app.services.node import Acting

MAX_CASE_BYTES = 200 * 1024 * 1024
"""Of all files that one case announces: a person's slip must not fill the disk of the node."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What is said of the file before its first byte. `sha256` in base64url.

    No type means: tell me. No marking: that of the message which brings it.
    """

    name: str
    size: int
    sha256: str
    media_type: str | None = None
    marking: Marking | None = None


async def begin_upload(acting: Acting, case: Case, file: Announced) -> UploadRecord:
    """Note the file; its pieces follow. An empty one is whole at once.

    Raises Refused `file_unusable` for a name, size or type that cannot travel, Conflict `too_many_files`. The caller
    has locked the case, so that two announcements at once are counted one after the other.
    """
    if acting.actor.person_id is None:
        raise Forbidden("role_not_allowed", "Only a person hands over files.")
    _check(file)
    count, size = await uploads.count_and_size(acting.session, case)
    if count >= MAX_FILES or size + file.size > MAX_CASE_BYTES:
        raise Conflict("too_many_files", f"A case has at most {MAX_FILES} files of {MAX_CASE_BYTES} bytes together.")
    begun = UploadRecord(
        id=new_id(),
        request_id=case.request_id,
        exchange_id=case.exchange_id,
        person_id=acting.actor.person_id,
        name=file.name,
        declared_type=file.media_type,
        media_type=None,
        size=file.size,
        sha256=file.sha256,
        received=0,
        state=UploadState.UPLOADING,
        fault=None,
        created_at=acting.now,
        marking=file.marking,
    )
    await uploads.add(acting.session, begun)
    return await judge_whole(acting.session, begun, now=acting.now) if file.size == 0 else begun


def _check(file: Announced) -> None:
    check_file(file.name, file.media_type or "text/plain", size=file.size)
    if file.media_type is not None and file.media_type not in ALLOWED:
        wrong = FieldError("/media_type", TYPE_NOT_ALLOWED, f"One of: {', '.join(ALLOWED)}.")
        raise Refused("file_unusable", "This file cannot be sent.", errors=(wrong,))
