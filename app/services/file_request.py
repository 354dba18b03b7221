"""An agency files a request at its own contact point."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.db import requests, test_calls
from app.db.requests import RequestRecord
from app.domain.codes import IntakeState, Tier
from app.domain.documents import ability_warnings, check_document
from app.domain.documents.checked import DocumentWarning
from app.domain.intake import DraftOrigin
from app.domain.references import RANDOM_BYTES, make_reference
from app.domain.test_calls import is_unverified
from app.errors import Forbidden
from app.services.identifiers import new_id
from app.services.mark_request import mark_request
from app.services.node import Acting
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session
    from app.domain.documents.checked import AcceptedDocument
    from app.services.node import Actor, Node

HURRIED = frozenset({Tier.URGENT, Tier.EMERGENCY})

UNVERIFIED = DocumentWarning(
    "/requested",
    "contact_point_unverified",
    "Nobody there answered the last two test calls; its desk should be called on the telephone as well.",
)


def check_filing(node: Node, document: Mapping[str, Any], *, now: datetime) -> AcceptedDocument:
    """What filing would find: the document as it would be kept, with its warnings.

    Raises Refused with every broken rule at once.
    """
    known = [point.code for point in node.directory.contact_points]
    accepted = check_document(document, requesting=node.code, known=known, now=now, law=node.law).accepted()
    point = node.directory.point(accepted.requested)
    doubts = () if point is None else tuple(ability_warnings(accepted, point))
    return replace(accepted, warnings=(*accepted.warnings, *doubts))


async def with_caution(session: ReadSession, accepted: AcceptedDocument) -> AcceptedDocument:
    """The document with one warning more if it hurries to a contact point where nobody answered two test calls."""
    if accepted.tier not in HURRIED or not is_unverified(await test_calls.latest_over(session, accepted.requested)):
        return accepted
    return replace(accepted, warnings=(*accepted.warnings, UNVERIFIED))


async def file_request(
    session: Session, node: Node, document: Mapping[str, Any], *, actor: Actor, now: datetime
) -> RequestRecord:
    """Store the request in INTAKE under a new reference; nothing leaves the state.

    Raises Refused with every broken rule at once, and stores nothing then.
    """
    return await store_request(Acting(session, node, actor, now), check_filing(node, document, now=now))


async def store_request(acting: Acting, accepted: AcceptedDocument, *, case_id: UUID | None = None) -> RequestRecord:
    """Store a document that was checked, as a request in INTAKE under a new reference, and tell and mark it."""
    session, node, actor, now = acting.session, acting.node, acting.actor, acting.now
    accepted = await with_caution(session, accepted)
    if actor.agency_id is None or actor.person_id is None:
        raise Forbidden("role_not_allowed", "Only a person of an agency files requests.")
    record = RequestRecord(
        id=new_id(),
        reference=draw_reference(node, now),
        agency_id=actor.agency_id,
        filed_by=actor.person_id,
        type=accepted.type,
        requested=accepted.requested,
        tier=accepted.tier,
        own_reference=accepted.own_reference,
        state=IntakeState.INTAKE,
        generation=1,
        document=dict(accepted.document),
        warnings=[warning.as_json() for warning in accepted.warnings],
        is_test=accepted.is_test,
        created_at=now,
        updated_at=now,
        origin=None if case_id is None else DraftOrigin.CASE,
        case_id=case_id,
    )
    while not await requests.add(session, record):
        record = replace(record, reference=draw_reference(node, now))
    await tell(session, node, _filed(record), actor=actor, now=now)
    await mark_request(session, node, record, now=now)
    return record


def _filed(record: RequestRecord) -> Happening:
    ids = {"reference": record.reference} | ({"case_id": str(record.case_id)} if record.case_id else {})
    return Happening(
        kind="request",
        subject=record.id,
        event="filed",
        state=record.state,
        generation=record.generation,
        agency_id=record.agency_id,
        detail={"type": record.type, "tier": record.tier, "requested": record.requested},
        ids=ids,
    )


def draw_reference(node: Node, now: datetime) -> str:
    """A reference at random, so that it tells nothing of how many there are; it may be taken already."""
    return make_reference(node.code, now.year, random_bytes=node.random(RANDOM_BYTES))
