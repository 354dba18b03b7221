"""A file by its id, wherever it is: being handed over here, on its way, or arrived from abroad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db import exchanges, files, requests, uploads
from app.db.tables_files import FileState
from app.db.tables_uploads import UploadState
from app.domain.codes import Direction
from app.envelope.file_cipher import open_chunk
from app.services.file_markings import is_mixed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession
    from app.db.files import NamedFile
    from app.db.uploads import UploadRecord
    from app.domain.markings import Marking

    Open = Callable[[], AbstractAsyncContextManager[ReadSession]]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A file of a case, and the agency whose case it is; `is_whole`: its content can be read here.

    `for_agency`: whether that agency sees it (domain.md 6.11): what it handed over itself, and what came with, or
    before, an answer. What its contact point adds to the exchange is the desk's work. `marking` is what it bears; None
    while it has none of its own and nothing has brought it. `mixed`: not signed yet, marked otherwise than its case.
    """

    id: UUID
    request_id: UUID | None
    exchange_id: UUID | None
    agency_id: str | None
    direction: Direction
    name: str
    media_type: str | None
    size: int
    sha256: str
    received: int
    state: UploadState
    fault: str | None
    created_at: datetime
    is_whole: bool
    for_agency: bool
    marking: Marking | None = None
    mixed: bool = False
    sent: NamedFile | None = None


_STATES = {
    FileState.ARRIVING: UploadState.UPLOADING,
    FileState.COMPLETE: UploadState.SENT,
    FileState.WRONG: UploadState.WRONG,
}


async def find_file(session: ReadSession, file_id: UUID) -> CaseFile | None:
    """The file, or None if there is none of that id."""
    upload = await uploads.load(session, file_id)
    if upload is not None:
        return await _ours(session, upload)
    arrived = await files.load(session, file_id)
    return None if arrived is None else await _named(session, arrived)


async def files_of_case(session: ReadSession, case: uploads.Case) -> list[CaseFile]:
    """All files of a request or an exchange, the oldest first."""
    found = [await _ours(session, one) for one in await uploads.of_case(session, case)]
    if case.exchange_id is not None:
        known = {one.id for one in found}
        come = (await files.progress(session, [case.exchange_id])).get(case.exchange_id, [])
        found += [await _named(session, one.file) for one in come if one.file.id not in known]
    return sorted(found, key=lambda one: (one.created_at, one.id))


async def read_content(open_session: Open, file: CaseFile) -> AsyncIterator[bytes]:
    """The content piece by piece, each read in a look of its own, so that no slow reader holds a connection."""
    sent = file.sent
    if sent is None:
        async with open_session() as session:
            # It may have been sent since it was found: then its pieces are gone, and its chunks are here.
            sent = await files.load(session, file.id)
            content = await uploads.content(session, file.id) if sent is None else b""
        if sent is None:
            yield content
            return
    for number in range(1, sent.chunks + 1):
        async with open_session() as session:
            closed = await files.load_chunk(session, sent, number)
        yield open_chunk(closed or b"", sent.key, file_id=file.id, number=number, chunks=sent.chunks)


async def _ours(session: ReadSession, upload: UploadRecord) -> CaseFile:
    sent = await files.load(session, upload.id) if upload.state is UploadState.SENT else None
    exchange_id = upload.exchange_id if sent is None else sent.exchange_id
    return CaseFile(
        id=upload.id,
        request_id=upload.request_id,
        exchange_id=exchange_id,
        agency_id=await _agency_of(session, upload.request_id, exchange_id),
        direction=Direction.OUTGOING,
        name=upload.name,
        media_type=upload.media_type,
        size=upload.size,
        sha256=upload.sha256,
        received=upload.received,
        state=upload.state,
        fault=upload.fault,
        created_at=upload.created_at,
        is_whole=upload.state is UploadState.READY or sent is not None,
        for_agency=upload.request_id is not None,
        marking=upload.marking if sent is None else sent.marking,
        mixed=sent is None and await _is_mixed(session, upload),
        sent=sent,
    )


async def _named(session: ReadSession, file: NamedFile) -> CaseFile:
    whole = file.direction is Direction.OUTGOING or file.state is FileState.COMPLETE
    exchange = await exchanges.load(session, file.exchange_id)
    request = None if exchange is None else await requests.load_for_exchange(session, file.exchange_id)
    answered = exchange is not None and bool(exchange.value.answers)
    return CaseFile(
        id=file.id,
        request_id=None,
        exchange_id=file.exchange_id,
        agency_id=None if request is None else request.agency_id,
        direction=file.direction,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        sha256=file.sha256,
        received=file.size if whole else 0,
        state=_STATES[file.state],
        fault=None,
        created_at=file.created_at,
        is_whole=whole,
        for_agency=answered and file.direction is Direction.INCOMING,
        marking=file.marking or (None if exchange is None else exchange.value.marking),
        sent=file,
    )


async def _is_mixed(session: ReadSession, upload: UploadRecord) -> bool:
    """V-8: the file says other than the request, or the exchange, that will bring it."""
    if upload.marking is None:
        return False
    if upload.request_id is not None:
        request = await requests.load(session, upload.request_id)
        return request is not None and is_mixed(upload.marking, request)
    exchange = None if upload.exchange_id is None else await exchanges.load(session, upload.exchange_id)
    return exchange is not None and exchange.value.marking != upload.marking


async def _agency_of(session: ReadSession, request_id: UUID | None, exchange_id: UUID | None) -> str | None:
    if request_id is not None:
        found = await requests.load(session, request_id)
    elif exchange_id is not None and await exchanges.load(session, exchange_id) is not None:
        found = await requests.load_for_exchange(session, exchange_id)
    else:
        found = None
    return None if found is None else found.agency_id
