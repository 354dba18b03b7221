"""Who the caller is here."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from app.db import people
from app.domain.codes import Role
from app.errors import NotAuthenticated
from app.routers.answers import answer_json
from app.routers.bodies import MAX_BODY_BYTES
from app.routers.deps import ReadingOnly
from app.routers.models import Moment, View
from app.routers.operations import Answered, Operation, Tag

router = APIRouter()


class AgencyView(View):
    """The agency a person belongs to."""

    id: str
    name: str


class MeView(View):
    """The caller. `pseudonym` is a person's only trace in the audit log; `agency` is null for people of the desk."""

    id: UUID
    name: str
    pseudonym: str
    role: Role
    agency: AgencyView | None
    contact_point: str
    time: Moment
    max_body_bytes: int


EXAMPLE = {
    "id": "0193503e-7a52-7c1e-9d0b-3f3c6f6b2f11",
    "name": "Duty investigator 17",
    "pseudonym": "u:3f9c2a71",
    "role": "agency_officer",
    "agency": {"id": "afp-cyber", "name": "Aurelia Federal Police, Cyber Unit"},
    "contact_point": "XA",
    "time": "2026-11-22T09:30:00.000Z",
    "max_body_bytes": MAX_BODY_BYTES,
}

WHO_AM_I = Operation(
    "whoAmI",
    Tag.REFERENCE,
    "Who am I",
    {200: Answered("The person the token speaks for.", MeView, {"officer": EXAMPLE})},
)


@router.get("/v1/me", **WHO_AM_I.route())
async def who_am_i(view: ReadingOnly) -> Response:
    """The person behind the token, their role and agency, this contact point's code and its time."""
    person = await people.find_person(view.session, view.actor.person_id) if view.actor.person_id else None
    if person is None:
        raise NotAuthenticated("token_not_valid", "This bearer token speaks for nobody.")
    agency = await people.find_agency(view.session, person.agency_id) if person.agency_id else None
    me = MeView(
        id=person.id,
        name=person.name,
        pseudonym=person.pseudonym,
        role=person.role,
        agency=None if agency is None else AgencyView(id=agency.id, name=agency.name),
        contact_point=view.node.code,
        time=view.now,
        max_body_bytes=MAX_BODY_BYTES,
    )
    return answer_json(200, me)
