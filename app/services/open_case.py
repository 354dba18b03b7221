"""An agency puts one case to several states: independent requests, filed together or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import cases
from app.db.cases import CaseRecord
from app.domain.cases import names_of_others, refused_case
from app.errors import Forbidden, Refused
from app.services.file_request import check_filing, store_request
from app.services.identifiers import new_id

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.requests import RequestRecord
    from app.domain.cases import CaseFiling
    from app.domain.documents import AcceptedDocument
    from app.services.node import Acting, Node


def check_case(node: Node, filing: CaseFiling, *, now: datetime) -> list[AcceptedDocument]:
    """The document for each state, in the order asked, with its warnings; each is checked by itself.

    Raises Refused with the faults of all of them, each pointing at where it stands in the filing.
    """
    accepted: list[AcceptedDocument] = []
    faults: list[tuple[str, str, str]] = []
    for code in filing.requested:
        document = filing.document_for(code)
        try:
            found = check_filing(node, document, now=now)
        except Refused as refused:
            faults += [(filing.place_of(code, one.pointer), one.code, one.detail) for one in refused.errors]
            continue
        doubts = names_of_others(document, code, filing.requested)
        accepted.append(replace(found, warnings=(*found.warnings, *doubts)))
    if faults:
        raise refused_case(faults)
    return accepted


async def open_case(acting: Acting, filing: CaseFiling) -> tuple[CaseRecord, list[RequestRecord]]:
    """Store the case and a request for each state; nothing leaves the state, and each is triaged by itself."""
    actor = acting.actor
    if actor.agency_id is None or actor.person_id is None:
        raise Forbidden("role_not_allowed", "Only a person of an agency files requests.")
    accepted = check_case(acting.node, filing, now=acting.now)
    case = CaseRecord(
        id=new_id(),
        agency_id=actor.agency_id,
        opened_by=actor.person_id,
        own_reference=filing.reference,
        title=filing.title,
        created_at=acting.now,
    )
    await cases.add(acting.session, case)
    filed = [await store_request(acting, one, case_id=case.id) for one in accepted]
    return case, filed
