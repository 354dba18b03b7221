"""Two agencies and one person per role at each invented contact point, and their tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.db.engine import begin
from app.db.people import Agency
from app.domain.codes import Role
from app.services.create_token import create_token
from app.services.enrol import enrol_agency, enrol_person
from app.services.node import SYSTEM, Acting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.runtime import Runtime

TOKENS_VALID = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Seat:
    """A person of the demo under the name by which `access.json` lists their token."""

    key: str
    role: Role
    name: str
    agency: str | None = None


AGENCIES = (
    Agency("federal-police-cyber", "Federal Police, Cyber Unit"),
    Agency("customs-investigation", "Customs Investigation Service"),
)

SEATS = (
    Seat("agency_officer", Role.AGENCY_OFFICER, "Investigator 17", AGENCIES[0].id),
    Seat("agency_viewer", Role.AGENCY_VIEWER, "Case clerk 3", AGENCIES[0].id),
    Seat("agency_officer_2", Role.AGENCY_OFFICER, "Investigator 4", AGENCIES[1].id),
    Seat("agency_viewer_2", Role.AGENCY_VIEWER, "Case clerk 8", AGENCIES[1].id),
    Seat("duty_officer", Role.DUTY_OFFICER, "Duty officer 1"),
    Seat("duty_officer_2", Role.DUTY_OFFICER, "Duty officer 2"),
    Seat("supervisor", Role.SUPERVISOR, "Supervisor 1"),
    Seat("supervisor_2", Role.SUPERVISOR, "Supervisor 2"),
    Seat("auditor", Role.AUDITOR, "Auditor 1"),
    Seat("monitor", Role.MONITOR, "Monitoring system"),
    Seat("registrar", Role.REGISTRAR, "Registrar 1"),
    Seat("administrator", Role.ADMINISTRATOR, "Administrator 1"),
)


async def seed(runtime: Runtime) -> Mapping[str, str]:
    """Enrol everybody and return their tokens by seat; in one transaction, so a second run begins from nothing."""
    now = runtime.clock()
    tokens: dict[str, str] = {}
    async with begin(runtime.engine) as session:
        for agency in AGENCIES:
            await enrol_agency(session, agency, now=now)
        for seat in SEATS:
            acting = Acting(session, runtime.node, SYSTEM, now)
            person = await enrol_person(acting, name=seat.name, role=seat.role, agency_id=seat.agency)
            created = await create_token(session, runtime.node, person.id, expires_at=now + TOKENS_VALID, now=now)
            tokens[seat.key] = created.secret
    return tokens
