"""A case in one block for use outside the system, and the record of every disclosure of what was received."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.db import disclosures
from app.domain.codes import Role
from app.domain.exchange.exporting import export
from app.domain.markings import Destination
from app.routers import export_operations as told
from app.routers.answers import Answer, answer_json
from app.routers.bodies import parse_model
from app.routers.deps import DESK, Commanding, require_role
from app.routers.exchanges import find_exchange
from app.routers.export_views import BesideExport, file_item, show_disclosure, show_export
from app.routers.file_views import show_file
from app.routers.idempotency import once
from app.routers.reading import remember_reading
from app.routers.showing import look_beside
from app.routers.views import side_of
from app.services.share_at_home import Sharing, share_at_home

router = APIRouter()

Recipient = Annotated[Destination, Query(description="For whom it is: what may not go there is left out, with why.")]
State = Annotated[
    str | None,
    Query(
        pattern=r"^[A-Z]{2}(-[A-Z0-9]{2,12})?$",
        max_length=15,
        description="With `recipient=other_state`: the code of the contact point or its state.",
    ),
]


@router.get("/v1/exchanges/{exchange_id}/export", **told.EXPORT.route())
async def export_exchange(
    command: Commanding, exchange_id: str, recipient: Recipient = Destination.CONTACT_POINT, code: State = None
) -> Response:
    """Request, answers, conditions, disclosures and holds; every item with its marking and the purpose it serves.

    An auditor gets the same without contents and holds: what there is, how it is marked, to whom it was disclosed.
    """
    require_role(command.actor, *DESK, Role.AUDITOR)
    record = await find_exchange(command, exchange_id)
    await remember_reading(command, record.value.id)
    beside = (await look_beside(command.session, [record.value.id]))[record.value.id]
    shared = await disclosures.of_exchange(command.session, record.value.id)
    brought = [file_item(one.file) for one in beside.files]
    exported = export(record.value, side_of(record), to=recipient, code=code, files=brought)
    files = [show_file(one, otherwise=record.value.marking) for one in beside.files]
    around = BesideExport(shared, files, content=command.actor.role is not Role.AUDITOR)
    return answer_json(200, show_export(record, exported, around, now=command.now))


@router.get("/v1/exchanges/{exchange_id}/disclosures", **told.LIST.route())
async def list_disclosures(command: Commanding, exchange_id: str) -> Response:
    """To whom at home what was received in this exchange was disclosed, oldest first."""
    require_role(command.actor, *DESK, Role.AUDITOR)
    record = await find_exchange(command, exchange_id)
    await remember_reading(command, record.value.id)
    found = await disclosures.of_exchange(command.session, record.value.id)
    return answer_json(200, {"data": [show_disclosure(one) for one in found], "next": None})


@router.post("/v1/exchanges/{exchange_id}/disclosures", **told.DISCLOSE.route())
async def disclose(command: Commanding, exchange_id: str) -> Response:
    """Record that what was received is given to an authority at home; refused where marking or condition forbid it."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        record = await find_exchange(command, exchange_id, for_update=True)
        said = parse_model(Sharing, command.body.json())
        return Answer(201, show_disclosure(await share_at_home(command.acting, record, said)))

    return await once(command, make)
