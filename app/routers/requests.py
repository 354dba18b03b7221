"""Requests of our own agencies: file, list, read, act."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.db import exchanges, requests, timeline
from app.db.exchanges import ExchangeRecord
from app.db.requests import RequestRecord
from app.domain.codes import IntakeState, Role
from app.domain.intake import allowed_actions
from app.domain.references import check_reference
from app.errors import Conflict, Unknown
from app.routers import request_operations as told
from app.routers.answers import Answer, answer_json
from app.routers.deps import AGENCY, DESK, Command, Commanding, Reading, ReadingOnly, needs, require_role
from app.routers.idempotency import once
from app.routers.listing import AskedPage, listed, parse_id
from app.routers.reading import remember_reading
from app.routers.request_views import DeskView, RequestView, is_decided_on, show_desk, show_request
from app.routers.views import show_entry
from app.services.act_on_request import act_on_request, intake_of
from app.services.file_request import check_filing, file_request, with_caution
from app.services.look_into_request import look_into_request

router = APIRouter()

READERS = AGENCY | DESK
ACTORS = READERS - {Role.AGENCY_VIEWER}
States = Annotated[list[IntakeState] | None, Query(description="Only requests in these states.")]


@router.post("/v1/requests", **told.FILE.route())
async def file(
    command: Commanding,
    validate_only: Annotated[bool, Query(description="Check only: nothing is stored, no key is needed.")] = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """File a request at this contact point. Nothing leaves the state before it was approved and signed here.

    The answer carries the reference to quote, and warnings that a person should look at; they stop nothing.
    """
    require_role(command.actor, Role.AGENCY_OFFICER)
    if validate_only:
        checked = check_filing(command.node, command.body.members(), now=command.now)
        accepted = await with_caution(command.session, checked)
        found = {"valid": True, "warnings": [warning.as_json() for warning in accepted.warnings]}
        return answer_json(200, found)

    async def make() -> Answer:
        document = command.body.members()
        record = await file_request(command.session, command.node, document, actor=command.actor, now=command.now)
        return Answer(201, _show(command, record, None), {"Location": f"/v1/requests/{record.id}"})

    return await once(command, make)


@router.get("/v1/requests", dependencies=[Depends(needs(*READERS))], **told.LIST.route())
async def list_requests(view: ReadingOnly, request: Request, page: AskedPage, state: States = None) -> Response:
    """Newest first. People of an agency see their agency's requests only; the desk sees all."""
    found = await requests.page(
        view.session, limit=page.fetch, before=page.before, agency_id=view.actor.agency_id, states=state or ()
    )
    shared = await exchanges.load_many(view.session, [one.exchange_id for one in found if one.exchange_id])
    return listed(
        request,
        page,
        found,
        key=lambda one: one.id,
        show=lambda one: _show(view, one, shared.get(one.exchange_id) if one.exchange_id else None),
    )


@router.get("/v1/requests/{request_id}", **told.READ.route())
async def read(command: Commanding, request_id: str) -> Response:
    """One request by its id or its reference, with the part of the exchange that its agency may see."""
    require_role(command.actor, *READERS)
    record = await find_request(command, request_id)
    await remember_reading(command, record.id)
    return answer_json(200, await _show_one(command, record))


@router.get("/v1/requests/{request_id}/timeline", **told.READ_TIMELINE.route())
async def read_timeline(command: Commanding, request_id: str) -> Response:
    """What happened to the request and, as far as the caller may see it, to its exchange, oldest first."""
    require_role(command.actor, *READERS)
    record = await find_request(command, request_id)
    await remember_reading(command, record.id)
    subjects = [record.id, *([record.exchange_id] if record.exchange_id else [])]
    entries = await timeline.entries(command.session, subjects, agency_only=command.actor.agency_id is not None)
    return answer_json(200, {"data": [show_entry(serial, entry) for serial, entry in entries], "next": None})


@router.post("/v1/requests/{request_id}/actions", **told.ACT.route())
async def act(command: Commanding, request_id: str) -> Response:
    """Do something with the request: one body per act; `open, approve, sign, withdraw` need only `action`."""

    async def make() -> Answer:
        require_role(command.actor, *READERS)
        record = await find_request(command, request_id, for_update=True)
        require_role(command.actor, *ACTORS)
        try:
            changed = await act_on_request(command.acting, record, command.body.members())
        except Conflict as conflict:
            conflict.extra.setdefault("current", await _show_one(command, record))
            raise
        return Answer(200, await _show_one(command, changed))

    return await once(command, make)


async def find_request(command: Command, key: str, *, for_update: bool = False) -> RequestRecord:
    """Raises Unknown alike for what is not there and for what is another agency's."""
    reference = check_reference(key)
    record = await requests.load(
        command.session,
        reference if reference is not None else parse_id(key),
        agency_id=command.actor.agency_id,
        for_update=for_update,
    )
    if record is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    return record


async def _show_one(command: Command, record: RequestRecord) -> RequestView:
    """One request whole, with what the desk alone may see where the desk asks."""
    exchange = await exchanges.load(command.session, record.exchange_id) if record.exchange_id else None
    desk = await _for_desk(command, record) if command.actor.role in DESK else None
    return _show(command, record, exchange, desk=desk)


async def _for_desk(command: Command, record: RequestRecord) -> DeskView:
    session = command.session
    merged = None if record.merged_into is None else await requests.load(session, record.merged_into)
    joined = await requests.merged_into(session, record.id) if record.state is IntakeState.SIGNED else []
    return show_desk(
        record,
        looked=await look_into_request(session, command.node, record, now=command.now)
        if is_decided_on(record)
        else None,
        merged_into=merged,
        joined=joined,
    )


def _show(
    view: Command | Reading, record: RequestRecord, exchange: ExchangeRecord | None, *, desk: DeskView | None = None
) -> RequestView:
    actor = view.actor
    allowed: list[str] = []
    if actor.person_id is not None and actor.role is not None:
        acts = allowed_actions(intake_of(record, view.node), actor_id=actor.person_id, role=actor.role)
        allowed = [str(one) for one in acts]
    return show_request(record, exchange, allowed=allowed, now=view.now, desk=desk)
