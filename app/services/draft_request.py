"""A request that the machine prepares for an agency: it starts in INTAKE and is triaged and signed like any other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.db import requests
from app.db.requests import RequestRecord
from app.domain.codes import IntakeState
from app.domain.documents import check_document
from app.services.file_request import draw_reference
from app.services.identifiers import new_id
from app.services.mark_request import mark_request
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.db.engine import Session
    from app.domain.intake import DraftOrigin
    from app.services.node import Actor, Node


@dataclass(frozen=True, slots=True)
class Draft:
    """What is prepared: from which request, to whom, and why. `document` need not be complete.

    Its `requested` is put in here; `requested` may also be this contact point's own code, for a matter that turns out
    to be a domestic one: nothing can be signed to it, and the desk sends it another way.
    """

    source: RequestRecord
    requested: str
    document: Mapping[str, Any]
    origin: DraftOrigin


async def draft_request(session: Session, node: Node, draft: Draft, *, actor: Actor, now: datetime) -> RequestRecord:
    """Store the draft as a request of the source's agency, linked to it by `draft_of`; nothing leaves the state.

    What the document still lacks is kept among the warnings, marked `error`: the desk returns it to the agency for
    completion, and signing refuses it as long as anything is missing.
    """
    document = {**draft.document, "requested": draft.requested}
    known = [point.code for point in node.directory.contact_points]
    checked = check_document(document, requesting=node.code, known=known, now=now, law=node.law)
    source = draft.source
    lacking = [
        {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail, "error": True}
        for fault in checked.errors
    ]
    record = RequestRecord(
        id=new_id(),
        reference=draw_reference(node, now),
        agency_id=source.agency_id,
        filed_by=source.filed_by,
        type=checked.type or source.type,
        requested=draft.requested,
        tier=checked.tier or source.tier,
        own_reference=checked.own_reference or source.own_reference,
        state=IntakeState.INTAKE,
        generation=1,
        document=dict(checked.document) or document,
        warnings=[*lacking, *(warning.as_json() for warning in checked.warnings)],
        is_test=source.is_test,
        created_at=now,
        updated_at=now,
        draft_of=source.id,
        origin=draft.origin,
        case_id=source.case_id,
    )
    while not await requests.add(session, record):
        record = replace(record, reference=draw_reference(node, now))
    await tell(session, node, _drafted(record, draft), actor=actor, now=now)
    await mark_request(session, node, record, now=now)
    return record


def _drafted(record: RequestRecord, draft: Draft) -> Happening:
    return Happening(
        kind="request",
        subject=record.id,
        event="drafted",
        state=record.state,
        generation=record.generation,
        agency_id=record.agency_id,
        detail={"origin": draft.origin, "requested": draft.requested, "draft_of": draft.source.reference},
        ids={"reference": record.reference},
    )
