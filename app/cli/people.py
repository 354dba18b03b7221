"""Commands on agencies, people and their tokens."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from app.cli.frame import AsJson, Config, say, show, writing
from app.db import people as rows
from app.db import tokens as token_rows
from app.db.people import Agency
from app.domain.codes import Role
from app.errors import SettingsUnusable
from app.services.create_token import create_token
from app.services.enrol import enrol_agency, enrol_person
from app.services.node import SYSTEM, Acting
from app.services.revoke_token import revoke_token
from app.serving import wall_clock

agencies = typer.Typer(help="Domestic agencies that file requests here.", no_args_is_help=True)
people = typer.Typer(help="People who use this node.", no_args_is_help=True)
tokens = typer.Typer(help="Bearer tokens.", no_args_is_help=True)

AGENCY_ROLES = frozenset({Role.AGENCY_OFFICER, Role.AGENCY_VIEWER})

Days = Annotated[int, typer.Option("--days", min=1, max=3650, help="How long the token is valid.")]


@agencies.command("add")
def add_agency(
    agency_id: Annotated[str, typer.Argument(help="Short id, as in federal-police-cyber.")],
    name: Annotated[str, typer.Argument(help="Full name.")],
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Add an agency; one of that id is left as it is."""

    async def run() -> None:
        async with writing(config) as (session, _node):
            await enrol_agency(session, Agency(agency_id, name), now=wall_clock())

    asyncio.run(run())
    say(f"{agency_id} is an agency of this contact point.", as_json=as_json, id=agency_id)


@people.command("add")
def add_person(
    name: Annotated[str, typer.Argument(help="Name, kept outside the audit log.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    agency: Annotated[str | None, typer.Option(help="Id of the agency; for agency roles only.")] = None,
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Add a person and print their id."""
    if (role in AGENCY_ROLES) != (agency is not None):
        needed = "needs --agency" if role in AGENCY_ROLES else "takes no --agency"
        raise SettingsUnusable("agency_and_role", f"The role {role} {needed}.")

    async def run() -> UUID:
        async with writing(config) as (session, node):
            acting = Acting(session, node, SYSTEM, wall_clock())
            person = await enrol_person(acting, name=name, role=role, agency_id=agency)
            return person.id

    show([{"id": str(asyncio.run(run())), "role": str(role)}], as_json=as_json)


@people.command("list")
def list_people(config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """List the people of this node."""

    async def run() -> list[dict[str, str | None]]:
        async with writing(config) as (session, _node):
            found = await rows.list_people(session)
        return [{"id": str(one.id), "role": str(one.role), "agency": one.agency_id, "name": one.name} for one in found]

    show(asyncio.run(run()), as_json=as_json)


@tokens.command("create")
def create(
    person: Annotated[UUID, typer.Argument(help="Id of the person.")],
    days: Days = 90,
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Make a token. It is printed once and stored nowhere: only its hash is kept."""

    async def run() -> dict[str, str]:
        now = wall_clock()
        async with writing(config) as (session, node):
            made = await create_token(session, node, person, expires_at=now + timedelta(days=days), now=now)
        return {"token": made.secret, "expires_at": made.expires_at.isoformat()}

    show([asyncio.run(run())], as_json=as_json)


@tokens.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(help="The part between cp_ and the second _.")],
    config: Config = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Take a token back; from now on nobody is let in with it."""

    async def run() -> None:
        async with writing(config) as (session, node):
            await revoke_token(session, node, token_id, now=wall_clock())

    asyncio.run(run())
    say(f"{token_id} is revoked.", as_json=as_json, id=token_id)


@tokens.command("list")
def list_all(config: Config = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """List tokens: ids, people, validity; never secrets."""

    async def run() -> list[dict[str, object]]:
        async with writing(config) as (session, _node):
            found = await token_rows.list_tokens(session)
        return [
            {
                "id": one.id,
                "person": str(one.person.id),
                "role": str(one.person.role),
                "expires_at": one.expires_at.isoformat(),
                "revoked_at": one.revoked_at and one.revoked_at.isoformat(),
            }
            for one in found
        ]

    show(asyncio.run(run()), as_json=as_json)
