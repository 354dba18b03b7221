"""Exchanges with contact points abroad: list, read, act; those opened by us and those opened towards us."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from app.db import exchanges, threads, timeline
from app.db.exchanges import ExchangeRecord
from app.db.threads import ThreadKey
from app.domain.acts import EXCHANGE_ACT
from app.domain.codes import Direction, State
from app.errors import Conflict, Unknown
from app.routers import exchange_operations as told
from app.routers.answers import Answer, answer_json
from app.routers.bodies import parse_model
from app.routers.deps import DESK, Command, Commanding, ReadingOnly, needs, require_role
from app.routers.idempotency import once
from app.routers.listing import AskedPage, listed, parse_id
from app.routers.reading import remember_reading
from app.routers.showing import look_beside, show_for, show_now
from app.routers.views import ActAccepted, ExchangeView, show_entry
from app.routers.wanting import read_wanted
from app.services.act_on_exchange import act_on_exchange
from app.services.note_exchange import NotedCall, note_exchange
from app.services.recovery.closed import refuse_closed
from app.services.wish import wish

router = APIRouter()

Directions = Annotated[Direction | None, Query(description="incoming: opened towards us; outgoing: opened by us.")]
States = Annotated[list[State] | None, Query(description="Only exchanges in these states.")]


@router.get("/v1/exchanges", dependencies=[Depends(needs(*DESK))], **told.LIST.route())
async def list_exchanges(
    view: ReadingOnly, request: Request, page: AskedPage, direction: Directions = None, state: States = None
) -> Response:
    """Newest first, both directions unless one is named."""
    found = await exchanges.page(
        view.session, limit=page.fetch, before=page.before, direction=direction, states=state or ()
    )
    beside = await look_beside(view.session, [one.value.id for one in found])
    return listed(
        request,
        page,
        found,
        key=lambda one: one.value.id,
        show=lambda one: show_for(view.actor, one, beside[one.value.id], node=view.node, now=view.now),
    )


@router.get("/v1/exchanges/{exchange_id}", **told.READ.route())
async def read(command: Commanding, exchange_id: str) -> Response:
    """One exchange: at the requested side as it is, at the requesting side as the last snapshot showed it."""
    require_role(command.actor, *DESK)
    record = await find_exchange(command, exchange_id)
    await remember_reading(command, record.value.id)
    return answer_json(200, await _show(command, record))


@router.get("/v1/exchanges/{exchange_id}/timeline", **told.READ_TIMELINE.route())
async def read_timeline(command: Commanding, exchange_id: str) -> Response:
    """What happened, oldest first; `party` says whose act a line is."""
    require_role(command.actor, *DESK)
    record = await find_exchange(command, exchange_id)
    await remember_reading(command, record.value.id)
    entries = await timeline.entries(command.session, [record.value.id])
    return answer_json(200, {"data": [show_entry(serial, entry) for serial, entry in entries], "next": None})


@router.post("/v1/exchanges", **told.NOTE.route())
async def note(command: Commanding) -> Response:
    """Note a request that was passed by voice; its `exchange.open/1` will attach to it when it arrives (ruling 15)."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        call = parse_model(NotedCall, command.body.json())
        record = await note_exchange(command.session, command.node, call, actor=command.actor, now=command.now)
        return Answer(201, await _show(command, record), {"Location": f"/v1/exchanges/{record.value.id}"})

    return await once(command, make)


@router.post("/v1/exchanges/{exchange_id}/actions", **told.ACT.route())
async def act(command: Commanding, exchange_id: str) -> Response:
    """One act. At the requested side it answers 200 with the exchange; at the requesting side 202: it is a wish."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        record = await find_exchange(command, exchange_id, for_update=True)
        try:
            return await _act(command, record)
        except Conflict as conflict:
            conflict.extra.setdefault("current", await _show(command, record))
            raise

    return await once(command, make)


async def _act(command: Command, record: ExchangeRecord) -> Answer:
    generation = record.value.generation
    wanted = read_wanted(command.body, EXCHANGE_ACT, known=told.ACTIONS, generation=generation, files=True)
    if record.direction is Direction.INCOMING:
        changed = await act_on_exchange(command.acting, record, wanted)
        return Answer(200, await _show(command, changed))
    act_id = await wish(command.acting, record, wanted)
    return Answer(202, ActAccepted(act_id=act_id, exchange=await _show(command, record)))


async def _show(command: Command, record: ExchangeRecord) -> ExchangeView:
    return await show_now(command.session, command.actor, record, node=command.node, now=command.now)


async def find_exchange(command: Command, key: str, *, for_update: bool = False) -> ExchangeRecord:
    """One exchange by its id. To write, its thread row is locked before it, in the order every command keeps to."""
    return await load_exchange(command, parse_id(key), for_update=for_update)


async def load_exchange(command: Command, exchange_id: UUID, *, for_update: bool = False) -> ExchangeRecord:
    """The same by a parsed id. Raises Unknown; to write, Unavailable `recovering` if the other side is closed."""
    record = await exchanges.load(command.session, exchange_id)
    if record is not None and for_update:
        await refuse_closed(command.session, command.node, record.peer)
        await threads.lock(command.session, [ThreadKey(str(exchange_id), record.peer)])
        record = await exchanges.load(command.session, exchange_id, for_update=True)
    if record is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    return record
