"""A small route that uses every seam a router has, so that the seams are tested apart from what is built on them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy import text

from app.db import people
from app.db.people import Agency
from app.domain.codes import Role
from app.errors import Conflict, Unknown
from app.routers.answers import Answer
from app.routers.bodies import parse_model
from app.routers.deps import Commanding, ReadingOnly, require_role
from app.routers.idempotency import once
from app.routers.models import Document, Moment
from app.services.announce import Event, announce

router = APIRouter(include_in_schema=False)

MISSING = "missing"


class Founding(Document):
    """Found an agency."""

    action: Literal["found"]
    id: Annotated[str, Field(min_length=1, max_length=20, pattern="^[a-z]+$")]
    name: Annotated[str, Field(min_length=1, max_length=40)]
    since: Moment | None = None
    generation: Annotated[int, Field(ge=1)] | None = None


class Closing(Document):
    """Close an agency."""

    action: Literal["close"]
    reasons: Annotated[list[str], Field(min_length=1, max_length=3)]


class Act(Document):
    """One of the two."""

    act: Annotated[Founding | Closing, Field(discriminator="action")]


@router.post("/probe/{place}")
async def found(place: str, command: Commanding, _x: Annotated[str | None, Query(alias="x")] = None) -> Response:
    """404, then 403, then 409, then what the body says: the order of the contract."""

    async def make() -> Answer:
        if place == MISSING:
            raise Unknown("not_found", "There is no such thing, or it is not yours.")
        require_role(command.actor, Role.DUTY_OFFICER, Role.SUPERVISOR)
        members = command.body.members()
        if members.get("generation") == 7:
            raise Conflict("stale_generation", "It has changed since you read it.", current={"generation": 8})
        founding = parse_model(Founding, members)
        if not await people.add_agency(command.session, Agency(founding.id, founding.name), now=command.now):
            raise Conflict("action_not_allowed", "This cannot be done in the present state.")
        event = Event("agency.founded", "agency", founding.id, None, {"state": "FOUNDED"})
        await announce(command.session, event, now=command.now)
        if place == "divide":
            await command.session.execute(text("SELECT 1/0"))
        return Answer(201, {"id": founding.id, "at": command.now}, {"Location": f"/probe/{founding.id}"})

    return await once(command, make)


@router.get("/probe/crash")
async def crash(view: ReadingOnly, secret: Annotated[str, Query()]) -> Response:
    """Fail in a way nobody foresaw, with a submitted value in the text of the exception."""
    raise RuntimeError(secret)
