"""Files that were handed over leave with a signed message: made into chunks, described, and bound by their hash."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.db import uploads
from app.db.tables_uploads import UploadState
from app.db.uploads import Case
from app.domain.codes import Direction
from app.domain.files import check_carrying
from app.domain.transitions import HOLD_TYPES
from app.errors import Conflict, FieldError, Refused
from app.services.send_file import Addressed, NewFile, send_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.db.exchanges import ExchangeRecord
    from app.db.uploads import UploadRecord
    from app.domain.delivery_messages import FileBody
    from app.services.node import Acting
    from app.services.wanted import Wanted


async def attach_uploads(acting: Acting, addressed: Addressed, record: Sequence[UploadRecord]) -> list[FileBody]:
    """Send these files; the caller queues, in this transaction, the message that names what is returned.

    Raises Conflict `upload_unfinished` if one of them is not ready: nothing is left behind silently.
    """
    unready = [one for one in record if one.state is not UploadState.READY]
    if unready:
        detail = "A file of this case is not whole, or not what was announced: finish it or delete it first."
        raise Conflict("upload_unfinished", detail, attachments=[str(one.id) for one in unready])
    return [await _send(acting, addressed, one) for one in record]


async def files_of_request(acting: Acting, request_id: UUID, addressed: Addressed) -> list[FileBody]:
    """Send all files of a request that have not been sent, with the opening that names them."""
    found = await uploads.of_case(acting.session, Case(request_id=request_id), for_update=True)
    return await attach_uploads(acting, addressed, [one for one in found if one.state is not UploadState.SENT])


async def files_of_act(acting: Acting, record: ExchangeRecord, wanted: Wanted[Any]) -> list[FileBody]:
    """Send the files that an act on an exchange names, in the order of their arrival.

    Raises Refused: `attachment_unknown` for an id that is none of this exchange's, or was sent before;
    `attachments_not_here` for an act that brings none.
    """
    named = wanted.attachments()
    if not named:
        return []
    ours = record.direction is Direction.OUTGOING
    check_carrying(wanted.action, discloses=ours or record.value.type not in HOLD_TYPES)
    addressed = Addressed(record.peer, record.value.id)
    found = await uploads.of_case(acting.session, Case(exchange_id=addressed.exchange_id), for_update=True)
    mine = [one for one in found if one.id in set(named) and one.state is not UploadState.SENT]
    if len(mine) != len(set(named)):
        wrong = FieldError("/attachments", "attachment_unknown", "Name files of this exchange that were not sent yet.")
        raise Refused("attachment_unknown", "An attachment is not there.", errors=(wrong,))
    return await attach_uploads(acting, addressed, mine)


async def _send(acting: Acting, addressed: Addressed, one: UploadRecord) -> FileBody:
    content = await uploads.content(acting.session, one.id)
    file = NewFile(one.name, one.media_type or "application/octet-stream", content, id=one.id)
    told = await send_file(acting.session, acting.node, addressed, file, now=acting.now)
    # Commit point: with the message that names it. Until then the pieces are the file, from then on the chunks are.
    await uploads.drop_pieces(acting.session, one.id)
    await uploads.save(acting.session, replace(one, state=UploadState.SENT))
    return told
