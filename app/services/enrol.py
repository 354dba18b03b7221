"""Agencies and people begin at this contact point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import people
from app.db.people import Agency, Person
from app.errors import Conflict, Refused
from app.services.identifiers import new_id
from app.services.record import record

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.domain.codes import Role
    from app.services.node import Acting

PSEUDONYM_BYTES = 9


async def enrol_agency(session: Session, agency: Agency, *, now: datetime) -> None:
    """Add an agency; one of that id is left as it is."""
    await people.add_agency(session, agency, now=now)


async def enrol_person(acting: Acting, *, name: str, role: Role, agency_id: str | None) -> Person:
    """Add a person under a new pseudonym, the only name of theirs that the log will hold.

    Raises Refused `agency_unknown`.
    """
    session, node, now = acting.session, acting.node, acting.now
    if agency_id is not None and await people.find_agency(session, agency_id) is None:
        raise Refused("agency_unknown", "There is no agency of that id at this contact point.")
    person = Person(new_id(), f"u:{node.random(PSEUDONYM_BYTES).hex()}", name, role, agency_id)
    if not await people.add_person(session, person, now=now):
        raise Conflict("person_known", "There is a person of that id already.")
    who = {"pseudonym": person.pseudonym, "name": name, "role": role, "agency": agency_id}
    await record(session, node, Fact(FactType.USER_ADDED, contents={"person": who}), actor=acting.actor, now=now)
    return person
