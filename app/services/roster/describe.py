"""A supervisor writes what is known of a person: languages, training (art. 35(3)), how to reach them in private."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import JSON, Fact, FactType
from app.db import rosters
from app.db.rosters import KnownRecord
from app.errors import Conflict, Forbidden
from app.services.record import record

if TYPE_CHECKING:
    from uuid import UUID

    from app.domain.roster import DutyRecord
    from app.services.node import Acting


async def describe_person(acting: Acting, person_id: UUID, known: DutyRecord, *, version: int) -> KnownRecord:
    """Put the next version beside the one that was read, number `version`; 0 before the first.

    The log commits to languages and training and says whether a number and an address are kept, never which.
    """
    if acting.actor.person_id is None:
        raise Forbidden("role_not_allowed", "Only a person can describe another.")
    made = KnownRecord(known, version + 1)
    if not await rosters.add_record(acting.session, person_id, made, by=acting.actor.person_id, now=acting.now):
        raise Conflict("stale_generation", "It has changed since you read it.")
    said: JSON = {
        "person": str(person_id),
        "version": made.version,
        "reads": list(known.reads),
        "training": [one.model_dump(mode="json") for one in known.training],
        "has_phone": known.phone is not None,
        "has_mail": known.mail is not None,
    }
    fact = Fact(FactType.DUTY_ROSTERED, contents={"person": said})
    await record(acting.session, acting.node, fact, actor=acting.actor, now=acting.now)
    return made
