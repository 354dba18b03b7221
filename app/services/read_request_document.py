"""A domestic request as its form is made from: the document filed, and what this contact point knows besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import exchanges, uploads
from app.domain.codes import IntakeState, RequestType
from app.domain.exchange.offering import leaving
from app.domain.marking_bodies import store_marking
from app.envelope.format import decode_part
from app.forms.cases import Case, Enclosure, Side
from app.services.read_exchange_document import read_earlier

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import ReadSession
    from app.db.requests import RequestRecord
    from app.services.node import Node


async def read_request_document(session: ReadSession, node: Node, record: RequestRecord, *, now: datetime) -> Case:
    """The case to print: what leaves the state, or would. A request that nobody has signed is printed as a draft.

    So the content of spontaneous information, text and files, is not on its form: it is given once it was accepted.
    """
    requesting = Side(node.code, node.directory.point(node.code))
    requested = Side(record.requested, node.directory.point(record.requested))
    approved = (record.approval or {}).get("marking")
    return Case(
        type=record.type,
        document=leaving(record.document),
        reference=record.reference,
        requesting=requesting,
        requested=requested,
        filed_at=record.created_at,
        now=now,
        printed_by=node.code,
        exchange_id=record.exchange_id,
        marking=approved if isinstance(approved, dict) else None,
        signed_at=await _signed_at(session, record),
        enclosures=await _enclosures(session, record),
        earlier=await read_earlier(session, node, record.document, requesting=node.code, requested=record.requested),
    )


async def _signed_at(session: ReadSession, record: RequestRecord) -> datetime | None:
    """When the exchange was opened with it; an extension opens none, and is signed when it was last changed."""
    if record.state is not IntakeState.SIGNED or record.exchange_id is None:
        return None
    opened = await exchanges.load(session, record.exchange_id)
    if opened is None or opened.request_id != record.id:
        return record.updated_at
    return opened.value.opened_at


async def _enclosures(session: ReadSession, record: RequestRecord) -> tuple[Enclosure, ...]:
    if record.type is RequestType.SPONTANEOUS_INFORMATION:
        return ()
    found = await uploads.of_case(session, uploads.Case(request_id=record.id))
    return tuple(
        Enclosure(one.name, one.size, decode_part(one.sha256).hex(), one.media_type, marking=store_marking(one.marking))
        for one in found
    )
