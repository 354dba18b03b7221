"""What happened, told three times in one transaction: to the audit log, to the timeline, to the feed of events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from app.audit.facts import JSON, Fact, FactType
from app.db import timeline
from app.db.timeline import Entry
from app.services.announce import Event, announce
from app.services.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import Session
    from app.services.node import Actor, Node

MAX_ID_LENGTH = 64
"""Characters of an identifier in an event; a foreign reference may be longer than anything that fits there."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One change of one request or exchange.

    `detail` is what people read in the timeline; only a commitment to it enters the log. `party` is the contact point
    whose act it was, None for our own. `for_agency` lets the agency that filed see the line (domain.md 6.11).
    """

    kind: Literal["request", "exchange"]
    subject: UUID
    event: str
    state: str
    generation: int
    agency_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    party: str | None = None
    for_agency: bool = True
    fact: FactType = FactType.CASE_CHANGED
    ids: Mapping[str, str] = field(default_factory=dict)


async def tell(session: Session, node: Node, happening: Happening, *, actor: Actor, now: datetime) -> None:
    """Record, write down and announce; all of it is there exactly when the change itself is."""
    change: dict[str, JSON] = {
        "event": happening.event,
        "state": happening.state,
        "generation": happening.generation,
        "detail": happening.detail,
    }
    fact = Fact(type=happening.fact, thread=str(happening.subject), peer=happening.party, contents={"change": change})
    await record(session, node, fact, actor=actor, now=now)
    entry = Entry(
        subject_id=happening.subject,
        at=now,
        party=happening.party or node.code,
        actor=str(actor.role or "system") if happening.party is None else happening.party,
        event=happening.event,
        detail=happening.detail,
        for_agency=happening.for_agency,
    )
    await timeline.append(session, entry)
    event = Event(
        kind=f"{happening.kind}.{happening.event}",
        subject_kind=happening.kind,
        subject_id=str(happening.subject),
        agency_id=happening.agency_id if happening.for_agency else None,
        data={
            "state": happening.state,
            "generation": happening.generation,
            **{name: text[:MAX_ID_LENGTH] for name, text in happening.ids.items()},
        },
    )
    await announce(session, event, now=now)
