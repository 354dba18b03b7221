"""Copies of requests on other roads, and the providers that this contact point knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.audit.facts import JSON, Fact, FactType
from app.db import channel_copies, providers
from app.db.channel_copies import CopyRecord
from app.db.providers import ProviderRecord
from app.domain.providers import ProviderEntry, as_text
from app.errors import Conflict, FieldError, Refused, Unknown
from app.routers import road_operations as told
from app.routers.answers import Answer, answer_json
from app.routers.bodies import parse_model
from app.routers.deps import DESK, Command, Commanding, ReadingOnly, needs, require_role
from app.routers.idempotency import once
from app.routers.listing import AskedPage, listed, parse_id
from app.routers.road_operations import (
    PROVIDER_ACT,
    PROVIDER_ACTS,
    CopyView,
    LinkCopy,
    NewCopyDocument,
    ProviderView,
    RetireProvider,
    UpdateProvider,
)
from app.routers.wanting import read_wanted
from app.services.identifiers import new_id
from app.services.note_copy import NewCopy, candidates, link_copy, note_copy, unlinked_copy
from app.services.record import record

router = APIRouter()


@router.post("/v1/other-channels", **told.NOTE.route())
async def note(command: Commanding) -> Response:
    """Note that a request came, or went, on another road too. `candidates` are hints; no machine merges anything."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        new = parse_model(NewCopyDocument, command.body.json())
        noted = await note_copy(
            command.acting,
            NewCopy(new.peer, new.direction, new.channel, new.reference, new.at, new.note, new.targets),
        )
        return Answer(201, await _show_copy(command, noted), {"Location": "/v1/other-channels"})

    return await once(command, make)


@router.get("/v1/other-channels", dependencies=[Depends(needs(*DESK))], **told.COPIES.route())
async def list_copies(command: Commanding, request: Request, page: AskedPage) -> Response:
    """What was noted, newest first; those without `exchange_id` wait for a person."""
    found = await channel_copies.page(command.session, limit=page.fetch, before=page.before)
    shown = {one.id: await _show_copy(command, one) for one in found[: page.limit]}
    return listed(request, page, found, key=lambda one: one.id, show=lambda one: shown[one.id])


@router.post("/v1/other-channels/{copy_id}/actions", **told.LINK.route())
async def act_on_copy(command: Commanding, copy_id: str) -> Response:
    """Say which exchange a copy is. Both keep their references, and the exchange's timeline tells of it."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        copy = await unlinked_copy(command.acting, parse_id(copy_id))
        said = parse_model(LinkCopy, command.body.json())
        return Answer(200, await _show_copy(command, await link_copy(command.acting, copy, said.exchange_id)))

    return await once(command, make)


@router.get("/v1/providers", dependencies=[Depends(needs(*DESK))], **told.PROVIDERS.route())
async def list_providers(
    view: ReadingOnly,
    request: Request,
    page: AskedPage,
    country: Annotated[
        str | None, Query(pattern="^[A-Z]{2}$", description="Only providers established in this state.")
    ] = None,
) -> Response:
    """The providers in use, newest first. For contact points only."""
    found = await providers.page(view.session, limit=page.fetch, before=page.before, country=country)
    return listed(request, page, found, key=lambda one: one.id, show=_show_provider)


@router.get("/v1/providers/{provider_id}", **told.READ_PROVIDER.route())
async def read_provider(view: ReadingOnly, provider_id: str) -> Response:
    """One provider. `text` is the entry as lines, ready to be sent as the answer to PROVIDER_CONTACT."""
    require_role(view.actor, *DESK)
    found = await providers.load(view.session, parse_id(provider_id))
    if found is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    return answer_json(200, _show_provider(found))


@router.post("/v1/providers", **told.ADD_PROVIDER.route())
async def add_provider(command: Commanding) -> Response:
    """Enter a provider of one's own state: each contact point knows its own, and is asked by the others."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        entry = _own(command, parse_model(ProviderEntry, command.body.json()))
        made = ProviderRecord(
            id=new_id(),
            country=entry.establishment_country,
            legal_name=entry.legal_name,
            entry=entry.model_dump(mode="json"),
            generation=1,
            created_at=command.now,
            updated_at=command.now,
        )
        await providers.add(command.session, made)
        await _remember(command, made, "added")
        return Answer(201, _show_provider(made), {"Location": f"/v1/providers/{made.id}"})

    return await once(command, make)


@router.post("/v1/providers/{provider_id}/actions", **told.ACT_ON_PROVIDER.route())
async def act_on_provider(command: Commanding, provider_id: str) -> Response:
    """Put a new entry in the place of the old one, or take the provider out of use."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        found = await providers.load(command.session, parse_id(provider_id), for_update=True)
        if found is None:
            raise Unknown("not_found", "There is no such thing, or it is not yours.")
        try:
            act = _admitted(command, found)
        except Conflict as conflict:
            conflict.extra.setdefault("current", _show_provider(found))
            raise
        changed = replace(found, generation=found.generation + 1, updated_at=command.now)
        if act.action == "update":
            entry = _own(command, act.entry)
            changed = replace(changed, legal_name=entry.legal_name, entry=entry.model_dump(mode="json"))
        else:
            changed = replace(changed, retired_at=command.now)
        await providers.save(command.session, changed)
        await _remember(command, changed, act.action)
        return Answer(200, _show_provider(changed))

    return await once(command, make)


def _admitted(command: Command, found: ProviderRecord) -> UpdateProvider | RetireProvider:
    """The act on this provider; that it has changed or is out of use is said before what is wrong with the act."""
    wanted = read_wanted(command.body, PROVIDER_ACT, known=PROVIDER_ACTS, generation=found.generation)
    if wanted.generation not in {None, found.generation}:
        raise Conflict("stale_generation", "It has changed since you read it.")
    if found.retired_at is not None:
        raise Conflict("action_not_allowed", "This provider was taken out of use.")
    return wanted.read()


def _own(command: Command, entry: ProviderEntry) -> ProviderEntry:
    if entry.establishment_country != command.node.code[:2]:
        wrong = FieldError("/establishment_country", "not_our_state", "Enter providers established in your own state.")
        raise Refused("not_our_state", "Another contact point knows this provider.", errors=(wrong,))
    return entry


async def _remember(command: Command, changed: ProviderRecord, what: str) -> None:
    said: JSON = {"id": str(changed.id), "act": what, "entry": changed.entry}
    fact = Fact(FactType.OPERATOR_ACTION, contents={"provider": said})
    await record(command.session, command.node, fact, actor=command.actor, now=command.now)


async def _show_copy(command: Command, copy: CopyRecord) -> CopyView:
    hints = [] if copy.exchange_id is not None else await candidates(command.acting, copy)
    members = {name: getattr(copy, name) for name in CopyView.model_fields if hasattr(copy, name)}
    return CopyView(**members, candidates=hints, allowed_actions=[] if copy.exchange_id is not None else ["link"])


def _show_provider(found: ProviderRecord) -> ProviderView:
    entry = parse_model(ProviderEntry, found.entry)
    return ProviderView(
        id=found.id,
        generation=found.generation,
        entry=found.entry,
        text=as_text(entry),
        updated_at=found.updated_at,
        retired_at=found.retired_at,
    )
