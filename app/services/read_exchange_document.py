"""An exchange as its form is made from: the request as it was signed, and what has become of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.db import earlier_preservations, files
from app.domain.codes import Direction
from app.domain.marking_bodies import store_marking
from app.domain.mla_export import PriorPreservation, export_mla_section10
from app.envelope.format import decode_part
from app.forms.cases import Case, Enclosure, Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from app.db.engine import ReadSession
    from app.db.exchanges import ExchangeRecord
    from app.db.files import NamedFile
    from app.services.node import Node


async def read_exchange_document(session: ReadSession, node: Node, record: ExchangeRecord, *, now: datetime) -> Case:
    """The case to print, alike on both sides but for who prints it; marked as strictly as anything that it shows."""
    value = record.value
    requesting, requested = side_of_case(node, value.requesting), side_of_case(node, value.requested)
    document = document_of(record)
    return Case(
        type=value.type,
        document=document,
        reference=value.request_reference,
        requesting=requesting,
        requested=requested,
        filed_at=value.opened_at,
        now=now,
        printed_by=node.code,
        exchange_id=value.id,
        marking=_plain(asdict(value.marking)),
        signed_at=value.opened_at if document else None,
        enclosures=tuple(_enclosures(record)),
        files=await _files(session, node, record),
        exchange=value,
        earlier=await read_earlier(session, node, document, requesting=value.requesting, requested=value.requested),
    )


def side_of_case(node: Node, code: str) -> Side:
    """A contact point of the case with its directory entry."""
    return Side(code, node.directory.point(code))


def document_of(record: ExchangeRecord) -> Mapping[str, Any]:
    """The request as it was signed; empty while only a call was noted."""
    found = record.opening.get("document")
    return found if isinstance(found, dict) else {}


async def read_earlier(
    session: ReadSession, node: Node, document: Mapping[str, Any], *, requesting: str, requested: str
) -> tuple[PriorPreservation, ...]:
    """The holds known here that the document's related requests name: section 10 of a letter of request."""
    asking, asked = node.directory.point(requesting), node.directory.point(requested)
    references = set(_references(document))
    if not references or asking is None or asked is None:
        return ()
    found = await earlier_preservations.named_before(session, references, requesting=requesting, requested=requested)
    blocks = [
        export_mla_section10(one.value, hold, document=document_of(one), requesting=asking, requested=asked)
        for one in found
        for hold in one.value.holds
    ]
    return tuple(dict.fromkeys(block.section_10 for of_hold in blocks for block in of_hold))


def _references(document: Mapping[str, Any]) -> Iterator[str]:
    related = document.get("related_requests")
    for one in related if isinstance(related, list) else ():
        reference = one.get("reference") if isinstance(one, dict) else None
        if isinstance(reference, str) and one.get("kind") == "PRESERVATION":
            yield reference


def _enclosures(record: ExchangeRecord) -> Iterator[Enclosure]:
    """The files that the opening names; it was read as a message, so that each has its members."""
    for one in record.opening.get("attachments") or ():
        digest, marking = decode_part(one["sha256"]).hex(), one.get("marking")
        yield Enclosure(one["name"], one["size"], digest, one.get("media_type"), marking=marking)


async def _files(session: ReadSession, node: Node, record: ExchangeRecord) -> tuple[Enclosure, ...]:
    """The files that acts of both sides have brought, in the order of their ids, which is the same on both sides."""
    opening = {str(one["file_id"]) for one in record.opening.get("attachments") or ()}
    brought = [
        one.file
        for one in (await files.progress(session, [record.value.id])).get(record.value.id, ())
        if str(one.file.id) not in opening
    ]
    return tuple(_brought(node, file) for file in sorted(brought, key=lambda one: one.id))


def _brought(node: Node, file: NamedFile) -> Enclosure:
    by = node.code if file.direction is Direction.OUTGOING else file.peer
    digest = decode_part(file.sha256).hex()
    return Enclosure(file.name, file.size, digest, file.media_type, by=by, marking=store_marking(file.marking))


def _plain(marking: dict[str, Any]) -> dict[str, Any]:
    return marking | {"handling": list(marking["handling"])}
