"""Opening a case is itself a fact (ruling 23): once per person, case and fifteen minutes."""

from __future__ import annotations

from uuid import UUID

from app.audit.facts import Fact, FactType
from app.db import audit_log
from app.routers.deps import Command
from app.services.record import record


async def remember_reading(command: Command, subject: UUID) -> None:
    """Record that this person has seen the content of this case; in the transaction that shows it."""
    if command.actor.person_id is None:
        return
    if await audit_log.remember_read(command.session, command.actor.person_id, subject=subject, now=command.now):
        fact = Fact(FactType.CASE_VIEWED, thread=str(subject))
        await record(command.session, command.node, fact, actor=command.actor, now=command.now)
