"""Holds: data that a requested state keeps, and until when."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.db import exchanges, holds
from app.db.exchanges import ExchangeRecord
from app.db.holds import HoldPlace
from app.domain.codes import Direction, HoldState
from app.domain.exchange.hold_admission import find_hold
from app.domain.hold_acts import HOLD_ACT
from app.errors import Conflict, Unknown
from app.routers import hold_operations as told
from app.routers.answers import Answer, answer_json
from app.routers.deps import DESK, Command, Commanding, ReadingOnly, needs, require_role
from app.routers.exchanges import load_exchange
from app.routers.idempotency import once
from app.routers.listing import AskedPage, listed, parse_id
from app.routers.reading import remember_reading
from app.routers.showing import show_hold_for, show_now
from app.routers.views import ActAccepted
from app.routers.wanting import read_wanted
from app.services.act_on_exchange import act_on_hold_here
from app.services.wish import wish_on_hold

router = APIRouter()

Directions = Annotated[Direction | None, Query(description="incoming: we hold for others; outgoing: held for us.")]
States = Annotated[list[HoldState] | None, Query(description="Only holds in these states, as last written.")]


@router.get("/v1/holds", dependencies=[Depends(needs(*DESK))], **told.LIST.route())
async def list_holds(
    view: ReadingOnly, request: Request, page: AskedPage, direction: Directions = None, state: States = None
) -> Response:
    """Newest first, both directions unless one is named."""
    found = await holds.page(
        view.session, limit=page.fetch, before=page.before, direction=direction, states=state or ()
    )
    records = await exchanges.load_many(view.session, {place.exchange_id for place in found})

    def show(place: HoldPlace) -> object:
        record = records[place.exchange_id]
        return show_hold_for(view.actor, record, find_hold(record.value, place.id), now=view.now)

    return listed(request, page, found, key=lambda place: place.id, show=show)


@router.get("/v1/holds/{hold_id}", **told.READ.route())
async def read(command: Commanding, hold_id: str) -> Response:
    """One hold, with the generation of its exchange, which covers it."""
    require_role(command.actor, *DESK)
    place = await _find(command, hold_id)
    record = await load_exchange(command, place.exchange_id)
    await remember_reading(command, place.exchange_id)
    return answer_json(200, show_hold_for(command.actor, record, find_hold(record.value, place.id), now=command.now))


@router.post("/v1/holds/{hold_id}/actions", **told.ACT.route())
async def act(command: Commanding, hold_id: str) -> Response:
    """One act. At the requested side it answers 200 with the hold; at the requesting side 202, since it is a wish."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        place = await _find(command, hold_id)
        record = await load_exchange(command, place.exchange_id, for_update=True)
        try:
            return await _act(command, record, place)
        except Conflict as conflict:
            hold = find_hold(record.value, place.id)
            conflict.extra.setdefault("current", show_hold_for(command.actor, record, hold, now=command.now))
            raise

    return await once(command, make)


async def _act(command: Command, record: ExchangeRecord, place: HoldPlace) -> Answer:
    wanted = read_wanted(command.body, HOLD_ACT, known=told.ACTIONS, generation=record.value.generation)
    actor, now = command.actor, command.now
    if record.direction is Direction.INCOMING:
        changed = await act_on_hold_here(command.acting, record, hold_id=place.id, wanted=wanted)
        return Answer(200, show_hold_for(actor, changed, find_hold(changed.value, place.id), now=now))
    act_id = await wish_on_hold(command.acting, record, hold_id=place.id, wanted=wanted)
    shown = await show_now(command.session, actor, record, now=now)
    return Answer(202, ActAccepted(act_id=act_id, exchange=shown))


async def _find(command: Command, key: str) -> HoldPlace:
    place = await holds.find(command.session, parse_id(key))
    if place is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    return place
