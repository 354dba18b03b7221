"""What the desk is shown of a request that it decides on: the checklist as the software would answer it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.db import providers
from app.domain.codes import Instrument, RequestType
from app.domain.instruments import usable
from app.domain.triage import propose_triage
from app.domain.triage_hints import Matter
from app.services.file_markings import mixed_markings
from app.services.find_duplicates import find_duplicates

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import ReadSession
    from app.db.requests import RequestRecord
    from app.domain.triage import Proposal
    from app.services.find_duplicates import Duplicate
    from app.services.node import Node


async def look_into_request(
    session: ReadSession, node: Node, record: RequestRecord, *, now: datetime
) -> tuple[tuple[Proposal, ...], list[Duplicate]]:
    """A proposal for each of the 14 tests, and the other requests here for the same data. Nothing is decided."""
    duplicates = await find_duplicates(session, record)
    # Arts. 6 and 7 of the protocol are no type of request here; where art. 9 applies between two states, it applies.
    direct = usable(node.code, record.requested, on=now.date(), type=RequestType.EMERGENCY_DISCLOSURE, law=node.law)
    matter = Matter(
        document=record.document,
        warnings=[*record.warnings, *await mixed_markings(session, record)],
        requesting=node.code,
        requested=record.requested,
        same_before=len(duplicates),
        direct_road=any(basis.instrument is Instrument.CETS224 for basis in direct),
    )
    return propose_triage(replace(matter, at_home=await _known_here(session, matter))), duplicates


async def _known_here(session: ReadSession, matter: Matter) -> frozenset[str]:
    """The custodians named that are on our own list of providers, which holds those of our state alone."""
    known = await providers.named(session, {name for name in matter.custodians if name})
    names = (name for one in known for name in (one.legal_name, *one.entry.get("brands", ())))
    return frozenset(name.casefold() for name in names)
