"""The markings of a request's files beside that of the request itself (domain.md 5.7, V-8): the stricter one counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db import uploads
from app.db.tables_uploads import UploadState
from app.domain.approval import DEFAULT_MARKING
from app.domain.marking_bodies import filed_marking

if TYPE_CHECKING:
    from app.db.engine import ReadSession
    from app.db.requests import RequestRecord
    from app.domain.markings import Marking

MIXED = "mixed_marking"


def marking_of_request(record: RequestRecord) -> Marking:
    """What the request bears: as approved, else as filed, else what would be proposed."""
    approved = (record.approval or {}).get("marking")
    return filed_marking(approved or record.document.get("marking") or DEFAULT_MARKING.model_dump(mode="json"))


def is_mixed(own: Marking | None, record: RequestRecord) -> bool:
    """Whether a file is marked differently from the request that brings it."""
    return own is not None and own != marking_of_request(record)


async def markings_of_files(session: ReadSession, record: RequestRecord) -> list[Marking]:
    """The markings of the files that were handed over for a request; without those that were given none."""
    found = await uploads.of_case(session, uploads.Case(request_id=record.id))
    return [one.marking for one in found if one.marking is not None and one.state is not UploadState.WRONG]


async def mixed_markings(session: ReadSession, record: RequestRecord) -> list[dict[str, Any]]:
    """A warning for the desk where a file is marked differently from its request; empty where none is."""
    found = await markings_of_files(session, record)
    if not any(is_mixed(one, record) for one in found):
        return []
    detail = "A file is marked differently from the request; the stricter label will count."
    return [{"pointer": "/attachments", "code": MIXED, "detail": detail}]
