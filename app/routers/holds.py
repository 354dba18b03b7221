"""Holds: data that a requested state keeps, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from app.audit.facts import Fact, FactType
from app.db import exchanges, holds
from app.db.exchanges import ExchangeRecord
from app.db.holds import HoldPlace, Wanted
from app.domain.codes import Direction, HoldState
from app.domain.exchange.hold_admission import find_hold
from app.domain.hold_acts import HOLD_ACT
from app.domain.mla_export import SECTION, as_text, export_mla_section10
from app.errors import Conflict, Unknown
from app.routers import hold_operations as told
from app.routers.answers import NO_STORE, Answer, answer_json
from app.routers.deps import DESK, Command, Commanding, ReadingOnly, needs, require_role
from app.routers.exchanges import load_exchange
from app.routers.hold_views import HoldView
from app.routers.idempotency import once
from app.routers.listing import AskedPage, listed, parse_id
from app.routers.reading import remember_reading
from app.routers.showing import around_holds, look_beside, look_closely, show_hold_for, show_now
from app.routers.views import ActAccepted
from app.routers.wanting import read_wanted
from app.services.act_on_exchange import act_on_hold_here
from app.services.record import record
from app.services.wish import wish_on_hold

router = APIRouter()

Directions = Annotated[Direction | None, Query(description="incoming: we hold for others; outgoing: held for us.")]
States = Annotated[list[HoldState] | None, Query(description="Only holds in these states, as last written.")]
Exceptions = Annotated[
    bool | None, Query(description="true: only holds that were lifted before sixty days were over; false: no such.")
]
TEXT = "text/plain"
Format = Annotated[
    Literal["json", "text"] | None, Query(description="`text` is for pasting; without it the Accept header decides.")
]
Accept = Annotated[str | None, Header(include_in_schema=False)]


def asked_holds(direction: Directions = None, state: States = None, *, treaty_exception: Exceptions = None) -> Wanted:
    """Which holds the query asks for."""
    return Wanted(direction, state or (), treaty_exception)


@router.get("/v1/holds", dependencies=[Depends(needs(*DESK))], **told.LIST.route())
async def list_holds(
    view: ReadingOnly, request: Request, page: AskedPage, wanted: Annotated[Wanted, Depends(asked_holds)]
) -> Response:
    """Newest first, both directions unless one is named."""
    found = await holds.page(view.session, limit=page.fetch, before=page.before, wanted=wanted)
    ids = {place.exchange_id for place in found}
    records = await exchanges.load_many(view.session, ids)
    beside = await look_beside(view.session, ids)

    def show(place: HoldPlace) -> object:
        record_ = records[place.exchange_id]
        around = around_holds(record_, beside[place.exchange_id], node=view.node)
        return show_hold_for(view.actor, record_, find_hold(record_.value, place.id), around=around, now=view.now)

    return listed(request, page, found, key=lambda place: place.id, show=show)


@router.get("/v1/holds/{hold_id}", **told.READ.route())
async def read(command: Commanding, hold_id: str) -> Response:
    """One hold, with the generation of its exchange, which covers it."""
    require_role(command.actor, *DESK)
    place = await _find(command, hold_id)
    found = await load_exchange(command, place.exchange_id)
    await remember_reading(command, place.exchange_id)
    return answer_json(200, await _show(command, found, place))


@router.get("/v1/holds/{hold_id}/mla-export", **told.MLA_EXPORT.route())
async def export_for_mla(
    command: Commanding,
    hold_id: str,
    form: Annotated[Format, Query(alias="format")] = None,
    accept: Accept = None,
) -> Response:
    """Section 10 of the request for mutual legal assistance, one block per target that is held.

    Each block has exactly the five items of the template. Who took it out is put on record.
    """
    require_role(command.actor, *DESK)
    place = await _find(command, hold_id)
    found = await load_exchange(command, place.exchange_id)
    value = found.value
    directory = command.node.directory
    requesting, requested = directory.point(value.requesting), directory.point(value.requested)
    if requesting is None or requested is None:
        raise Unknown("not_found", "The directory has no entry of that contact point any more.")
    document = found.opening.get("document")
    blocks = export_mla_section10(
        value,
        find_hold(value, place.id),
        document=document if isinstance(document, Mapping) else {},
        requesting=requesting,
        requested=requested,
    )
    exported = Fact(FactType.CASE_EXPORTED, thread=str(value.id), contents={"what": f"mla_section_{SECTION}"})
    await record(command.session, command.node, exported, actor=command.actor, now=command.now)
    if form == "text" or (form is None and accept is not None and accept.startswith(TEXT)):
        return Response(as_text(blocks), headers=NO_STORE, media_type=f"{TEXT}; charset=utf-8")
    return answer_json(200, {"hold_id": str(place.id), "blocks": [block.as_json() for block in blocks]})


@router.post("/v1/holds/{hold_id}/actions", **told.ACT.route())
async def act(command: Commanding, hold_id: str) -> Response:
    """One act. At the requested side it answers 200 with the hold; at the requesting side 202, since it is a wish."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        place = await _find(command, hold_id)
        found = await load_exchange(command, place.exchange_id, for_update=True)
        try:
            return await _act(command, found, place)
        except Conflict as conflict:
            conflict.extra.setdefault("current", await _show(command, found, place))
            raise

    return await once(command, make)


async def _act(command: Command, found: ExchangeRecord, place: HoldPlace) -> Answer:
    wanted = read_wanted(command.body, HOLD_ACT, known=told.ACTIONS, generation=found.value.generation)
    if found.direction is Direction.INCOMING:
        changed = await act_on_hold_here(command.acting, found, hold_id=place.id, wanted=wanted)
        return Answer(200, await _show(command, changed, place))
    act_id = await wish_on_hold(command.acting, found, hold_id=place.id, wanted=wanted)
    shown = await show_now(command.session, command.actor, found, node=command.node, now=command.now)
    return Answer(202, ActAccepted(act_id=act_id, exchange=shown))


async def _show(command: Command, found: ExchangeRecord, place: HoldPlace) -> HoldView:
    beside = await look_closely(command.session, found, now=command.now)
    around = around_holds(found, beside, node=command.node)
    return show_hold_for(command.actor, found, find_hold(found.value, place.id), around=around, now=command.now)


async def _find(command: Command, key: str) -> HoldPlace:
    place = await holds.find(command.session, parse_id(key))
    if place is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    return place
