"""Before a request is signed: complete and lawful still, and in a language that is read where it goes (ruling 19)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import uploads
from app.db.uploads import Case
from app.domain.documents import check_document, refusal, translation_lacking
from app.errors import Refused
from app.services.ask_extension import asks_extension

if TYPE_CHECKING:
    from app.db.requests import RequestRecord
    from app.services.node import Acting


async def check_before_signing(acting: Acting, record: RequestRecord) -> None:
    """Check the document as it would be filed now: directory and law may have changed since, and drafts lack things.

    Raises Refused: `invalid_document` with every broken rule under `/document`; `C-LANG` where the contact point asked
    could not read it, with what is to be done. Of an extension nothing travels but the days asked for.
    """
    node = acting.node
    known = [point.code for point in node.directory.contact_points]
    checked = check_document(record.document, requesting=node.code, known=known, now=acting.now, law=node.law)
    if checked.errors:
        raise refusal(tuple(replace(fault, pointer=f"/document{fault.pointer}") for fault in checked.errors))
    point = node.directory.point(record.requested)
    if point is None or asks_extension(record):
        return
    translated = bool(record.document.get("translations"))
    files = await uploads.of_case(acting.session, Case(request_id=record.id)) if translated else []
    attached = {file.name for file in files}
    lacking = translation_lacking(record.document, point, tier=record.tier, attached=attached)
    if lacking is not None:
        fault = replace(lacking, pointer=f"/document{lacking.pointer}")
        raise Refused(lacking.code, "The contact point asked cannot read the request as it is.", errors=(fault,))
