"""Files that were handed over leave with a signed message: made into chunks, described, and bound by their hash."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.db import uploads
from app.db.tables_uploads import UploadState
from app.db.uploads import Case
from app.domain.codes import Direction
from app.domain.delivery_messages import MAX_FILES
from app.domain.files import check_carrying
from app.domain.markings import combined
from app.domain.transitions import HOLD_TYPES, OFFER
from app.errors import Conflict, FieldError, Refused
from app.services.passed_on import check_passed_on
from app.services.send_file import Addressed, NewFile, send_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.db.exchanges import ExchangeRecord
    from app.db.uploads import UploadRecord
    from app.domain.delivery_messages import FileBody
    from app.domain.markings import Marking
    from app.services.node import Acting
    from app.services.wanted import Wanted

SEND_CONTENT = "send_content"
"""The act with which spontaneous information leaves, and the files of its request with it: not before."""


async def attach_uploads(acting: Acting, addressed: Addressed, record: Sequence[UploadRecord]) -> list[FileBody]:
    """Send these files; the caller queues, in this transaction, the message that names what is returned.

    Raises Conflict: `upload_unfinished` if one of them is not ready, so that nothing is left behind silently;
    `onward_transfer_not_granted` for one that a third contact point gave.
    """
    _require_ready(record)
    if len(record) > MAX_FILES:
        raise Conflict("too_many_files", f"A message names at most {MAX_FILES} files.")
    return [await _send(acting, addressed, one) for one in record]


async def files_of_request(acting: Acting, request_id: UUID, addressed: Addressed) -> list[FileBody]:
    """Send all files of a request that have not been sent, with the opening that names them."""
    return await attach_uploads(acting, addressed, await _unsent(acting, Case(request_id=request_id)))


async def check_kept_files(acting: Acting, request_id: UUID) -> None:
    """Raise Conflict `upload_unfinished` for an offer, whose files stay here: once signed, nobody could mend them."""
    _require_ready(await _unsent(acting, Case(request_id=request_id)))


async def files_of_act(
    acting: Acting, record: ExchangeRecord, wanted: Wanted[Any], *, marking: Marking
) -> list[FileBody]:
    """Send the files that an act names, in the order of their arrival; with an offer's content also those kept with it.

    `marking` is that of the message which names them: none of them is more open.

    Raises Refused: `attachment_unknown` for an id that is none of this exchange's, or was sent before;
    `attachments_not_here` for an act that brings none. Conflict: `upload_unfinished`, `too_many_files`.
    """
    named = set(wanted.attachments())
    mine = await _named(acting, record, wanted.action, named) if named else []
    if wanted.action == SEND_CONTENT and record.request_id is not None:
        mine += await _unsent(acting, Case(request_id=record.request_id))
    return await attach_uploads(acting, Addressed(record.peer, record.value.id, marking), mine)


async def _named(acting: Acting, record: ExchangeRecord, action: str, named: set[UUID]) -> list[UploadRecord]:
    check_carrying(action, discloses=_discloses(record, action))
    mine = [one for one in await _unsent(acting, Case(exchange_id=record.value.id)) if one.id in named]
    if len(mine) != len(named):
        wrong = FieldError("/attachments", "attachment_unknown", "Name files of this exchange that were not sent yet.")
        raise Refused("attachment_unknown", "An attachment is not there.", errors=(wrong,))
    return mine


def _discloses(record: ExchangeRecord, action: str) -> bool:
    """Whoever holds data for a preservation hands nothing over; whoever offers, nothing before the content itself."""
    value = record.value
    if record.direction is Direction.INCOMING:
        return value.type not in HOLD_TYPES
    return value.type not in OFFER or action == SEND_CONTENT or bool(value.answers)


async def _unsent(acting: Acting, case: Case) -> list[UploadRecord]:
    found = await uploads.of_case(acting.session, case, for_update=True)
    return [one for one in found if one.state is not UploadState.SENT]


def _require_ready(record: Sequence[UploadRecord]) -> None:
    unready = [one for one in record if one.state is not UploadState.READY]
    if unready:
        detail = "A file of this case is not whole, or not what was announced: finish it or delete it first."
        raise Conflict("upload_unfinished", detail, attachments=[str(one.id) for one in unready])


async def _send(acting: Acting, addressed: Addressed, one: UploadRecord) -> FileBody:
    inherited = await check_passed_on(acting, one.sha256, to=addressed.peer)
    marking = one.marking if inherited is None else combined(inherited, *filter(None, [one.marking]))
    content = await uploads.content(acting.session, one.id)
    file = NewFile(one.name, one.media_type or "application/octet-stream", content, id=one.id, marking=marking)
    told = await send_file(acting.session, acting.node, addressed, file, now=acting.now)
    # Commit point: with the message that names it. Until then the pieces are the file, from then on the chunks are.
    await uploads.drop_pieces(acting.session, one.id)
    await uploads.save(acting.session, replace(one, state=UploadState.SENT))
    return told
