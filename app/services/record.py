"""A fact is put on record in the transaction of the very change it reports: both are there, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import Fact, seal_fact
from app.db import audit_log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import Session
    from app.services.node import Actor, Node


async def record(session: Session, node: Node, fact: Fact, *, actor: Actor, now: datetime) -> UUID:
    """Salt the fact, store its leaf for the sequencer and its openings apart; returns the event's id.

    The event has no place in the log until the sequencer gave it one. Raises `NotALeaf` for a fact that could carry
    personal data into the log.
    """
    (event_id,) = await record_all(session, node, [fact], actor=actor, now=now)
    return event_id


async def record_all(session: Session, node: Node, facts: Sequence[Fact], *, actor: Actor, now: datetime) -> list[UUID]:
    """Do `record` for many facts of one actor in one statement; ids come in the order of `facts`."""
    sealed = [
        seal_fact(fact, origin=node.log_origin, actor=actor.pseudonym, at=now, random=node.random) for fact in facts
    ]
    await audit_log.append(session, sealed, origin=node.log_origin)
    return [one.event_id for one in sealed]
