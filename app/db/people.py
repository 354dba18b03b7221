"""Agencies, and the people who use this node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_access import agency, person
from app.domain.codes import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class Agency:
    """A domestic agency that files requests at this contact point."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who uses this node. Only the pseudonym enters the audit log; `agency_id` is set for agency roles and no other."""

    id: UUID
    pseudonym: str
    name: str
    role: Role
    agency_id: str | None


async def add_agency(session: Session, new: Agency, *, now: datetime) -> bool:
    """Whether `new` was added; an agency of that id stays as it is."""
    added = await session.execute(
        insert(agency)
        .values(id=new.id, name=new.name, created_at=now)
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(agency.c.id)
    )
    return added.first() is not None


async def add_person(session: Session, new: Person, *, now: datetime) -> bool:
    """Whether `new` was added; a person of that id stays as they are."""
    added = await session.execute(
        insert(person)
        .values(
            id=new.id,
            pseudonym=new.pseudonym,
            name=new.name,
            role=new.role,
            agency_id=new.agency_id,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(person.c.id)
    )
    return added.first() is not None


async def find_person(session: ReadSession, person_id: UUID) -> Person | None:
    """The person of that id."""
    found = (await session.execute(select(person).where(person.c.id == person_id))).mappings().first()
    return None if found is None else as_person(dict(found))


async def find_people(session: ReadSession, ids: Collection[UUID]) -> dict[UUID, Person]:
    """Those of these people that there are, by id."""
    if not ids:
        return {}
    found = await session.execute(select(person).where(person.c.id.in_(ids)))
    return {row["id"]: as_person(dict(row)) for row in found.mappings()}


async def list_people(session: ReadSession) -> Sequence[Person]:
    """Everybody, in the order of enrolment."""
    found = await session.execute(select(person).order_by(person.c.created_at, person.c.id))
    return [as_person(dict(row)) for row in found.mappings()]


async def find_agency(session: ReadSession, agency_id: str) -> Agency | None:
    """The agency of that id."""
    found = (await session.execute(select(agency).where(agency.c.id == agency_id))).mappings().first()
    return None if found is None else Agency(id=found["id"], name=found["name"])


def as_person(row: Mapping[str, Any]) -> Person:
    """A row that holds the columns of `person`."""
    return Person(
        id=row["id"],
        pseudonym=row["pseudonym"],
        name=row["name"],
        role=Role(row["role"]),
        agency_id=row["agency_id"],
    )
