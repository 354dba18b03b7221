"""How the routes of attachments describe themselves."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.db.tables_uploads import UploadState
from app.domain.codes import Direction
from app.domain.file_types import ALLOWED
from app.domain.files import MAX_FILE_BYTES
from app.domain.marking_bodies import GivenMarking, MarkingBody
from app.routers.examples import EXCHANGE_ID
from app.routers.models import Document, Listed, Moment, View
from app.routers.operations import (
    ACTION_NOT_ALLOWED,
    ROLE_NOT_ALLOWED,
    Answered,
    BinaryBody,
    Fault,
    JsonBody,
    Operation,
    Tag,
)

MAX_PIECE_BYTES = 4 * 1024 * 1024
"""Of one piece of a file; what was sent before a broken connection need not be sent again."""


class NewAttachment(Document):
    """A file announced before its first byte. Without `media_type` its content says what it is.

    Without `marking` it bears that of the message which brings it, and never a more open one.
    """

    name: Annotated[str, Field(min_length=1, max_length=255, description="Without a path, as in `order.pdf`.")]
    size: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES, description="Bytes.")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Of the whole file, in hex.")]
    media_type: Annotated[str | None, Field(max_length=200, description=f"One of: {', '.join(ALLOWED)}.")] = None
    marking: GivenMarking | None = None


class AttachmentFile(View):
    """A file of a case. `received` of its `size` bytes are here; `wrong`: not what was announced or signed.

    `marking` is null while it has none of its own and no message has brought it.
    """

    id: UUID
    request_id: UUID | None
    exchange_id: UUID | None
    direction: Direction
    name: str
    media_type: str | None
    size: int
    sha256: str
    received: int
    state: UploadState
    fault: str | None
    marking: MarkingBody | None
    warnings: list[dict[str, Any]]
    created_at: Moment


MIXED = {
    "pointer": "/marking",
    "code": "mixed_marking",
    "detail": "This file is marked differently from the rest of its case; the stricter label will count.",
}
FILE = {
    "id": "0193503e-7a52-7c1e-9d0b-3f3c6f6b2f21",
    "request_id": "0193503e-7a52-7c1e-9d0b-3f3c6f6b2f01",
    "exchange_id": None,
    "direction": "outgoing",
    "name": "order.pdf",
    "media_type": None,
    "size": 48_213,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "received": 0,
    "state": "uploading",
    "fault": None,
    "marking": {"tlp": "TLP:RED", "pap": "PAP:RED", "handling": ["H1"], "text": None},
    "warnings": [MIXED],
    "created_at": "2026-11-22T09:30:00.000Z",
}
READY = FILE | {"received": 48_213, "state": "ready", "media_type": "application/pdf"}
ANSWERED = READY | {"request_id": None, "exchange_id": EXCHANGE_ID, "direction": "incoming", "state": "sent"}
ANSWERED |= {"warnings": []}

FILE_UNUSABLE = Fault("file_unusable", 422, "This file cannot be sent.")
NOT_HERE = Fault("attachments_not_here", 422, "An extension brings no files; add them to the exchange it is about.")
TOO_MANY_FILES = Fault("too_many_files", 409, "A case has at most 50 files of 209715200 bytes together.")
UPLOAD_OFFSET = Fault("upload_offset", 409, "The next piece begins elsewhere.", {"received": 4_194_304})
UPLOAD_ENDED = Fault("upload_ended", 409, "This file is whole already, or was given up.", {"received": 48_213})
PIECE_TOO_LONG = Fault("piece_too_long", 422, "The piece does not fit the file.")
C_MARKING = Fault("C-MARKING", 422, "The file cannot bear this marking.")
USE_NOT_PERMITTED = Fault(
    "use_not_permitted",
    409,
    "Marking or condition does not allow it: ask the giver for an onward transfer.",
    {"reason": "court_use_not_permitted"},
)
NOT_WHOLE = Fault("attachment_not_whole", 409, "The file is not whole yet, or not what was signed.")
SENT_ALREADY = Fault("attachment_sent", 409, "A signed message names this file; it stays.")

_NEW = JsonBody(
    NewAttachment,
    {"order": {"name": "order.pdf", "size": FILE["size"], "sha256": FILE["sha256"], "media_type": "application/pdf"}},
)
_BEGUN = {
    201: Answered(
        "Announced; send its bytes to `content`.",
        AttachmentFile,
        {"announced": FILE},
        headers={"Location": "Where to read how far it has come."},
    )
}
_LISTED = {200: Answered("All, the oldest first.", Listed[AttachmentFile], {"one": {"data": [READY], "next": None}})}

FOR_REQUEST = Operation(
    "announceRequestAttachment",
    Tag.REQUESTS,
    "Announce a file of a request",
    _BEGUN,
    errors=(ROLE_NOT_ALLOWED, ACTION_NOT_ALLOWED, TOO_MANY_FILES, FILE_UNUSABLE, NOT_HERE, C_MARKING),
    body=_NEW,
    acts=True,
)
OF_REQUEST = Operation(
    "listRequestAttachments", Tag.REQUESTS, "List the files of a request", _LISTED, errors=(ROLE_NOT_ALLOWED,)
)
FOR_EXCHANGE = Operation(
    "announceExchangeAttachment",
    Tag.EXCHANGES,
    "Announce a file of an exchange",
    _BEGUN,
    errors=(ROLE_NOT_ALLOWED, TOO_MANY_FILES, FILE_UNUSABLE, C_MARKING),
    body=_NEW,
    acts=True,
)
OF_EXCHANGE = Operation(
    "listExchangeAttachments", Tag.EXCHANGES, "List the files of an exchange", _LISTED, errors=(ROLE_NOT_ALLOWED,)
)
READ = Operation(
    "readAttachment",
    Tag.REQUESTS,
    "See how far a file has come",
    {200: Answered("The file.", AttachmentFile, {"ready": READY, "from_abroad": ANSWERED})},
    errors=(ROLE_NOT_ALLOWED,),
)
ADD = Operation(
    "uploadAttachment",
    Tag.REQUESTS,
    "Send the next piece of a file",
    {200: Answered("Kept. With the last piece the file is judged.", AttachmentFile, {"ready": READY})},
    errors=(ROLE_NOT_ALLOWED, UPLOAD_OFFSET, UPLOAD_ENDED, PIECE_TOO_LONG),
    body=BinaryBody("The bytes from `offset` on."),
)
CONTENT = Operation(
    "downloadAttachment",
    Tag.REQUESTS,
    "Download a file",
    {
        200: Answered(
            "The file, decrypted and compared with what was signed.",
            str,
            {"text": "…"},
            media_type="application/octet-stream",
            headers={
                "Content-Disposition": "Always an attachment, with its name.",
                "Repr-Digest": "SHA-256.",
                "Marking": "TLP, PAP and handling codes.",
            },
        )
    },
    errors=(ROLE_NOT_ALLOWED, NOT_WHOLE, USE_NOT_PERMITTED),
)
DELETE = Operation(
    "deleteAttachment",
    Tag.REQUESTS,
    "Take back a file that was not sent",
    {204: Answered("Gone.")},
    errors=(ROLE_NOT_ALLOWED, SENT_ALREADY, ACTION_NOT_ALLOWED),
)
