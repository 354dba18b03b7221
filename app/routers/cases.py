"""Cases of our own agencies: one document put to several states, one dashboard of what comes of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.db import cases, exchanges, requests
from app.db.cases import CaseRecord
from app.db.requests import RequestRecord
from app.domain.cases import read_case_act, read_filing
from app.domain.codes import Role
from app.domain.intake import allowed_actions
from app.errors import Unknown
from app.routers import case_operations as told
from app.routers.answers import Answer, answer_json
from app.routers.case_views import CaseActed, CaseChecked, CaseView, show_case, show_result, show_summary
from app.routers.deps import AGENCY, DESK, Command, Commanding, ReadingOnly, needs, require_role
from app.routers.idempotency import once
from app.routers.listing import AskedPage, listed, parse_id
from app.routers.reading import remember_reading
from app.services.act_on_case import act_on_case
from app.services.act_on_request import intake_of
from app.services.open_case import check_case, open_case

router = APIRouter()

READERS = AGENCY | DESK


@router.post("/v1/cases", **told.FILE.route())
async def file(
    command: Commanding,
    validate_only: Annotated[bool, Query(description="Check only: nothing is stored, no key is needed.")] = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """Put one document to several states. Each gets a request of its own; all of them are filed, or none.

    The states do not learn of one another: neither the case's reference nor its title ever leaves, and a document that
    names another state that is asked carries the warning `names_another_recipient`.
    """
    require_role(command.actor, Role.AGENCY_OFFICER)
    if validate_only:
        found = check_case(command.node, read_filing(command.body.members()), now=command.now)
        states = [{"requested": one.requested, "warnings": [each.as_json() for each in one.warnings]} for one in found]
        return answer_json(200, CaseChecked(valid=True, states=states))

    async def make() -> Answer:
        record, _ = await open_case(command.acting, read_filing(command.body.members()))
        return Answer(201, await _show(command, record), {"Location": f"/v1/cases/{record.id}"})

    return await once(command, make)


@router.get("/v1/cases", dependencies=[Depends(needs(*READERS))], **told.LIST.route())
async def list_cases(view: ReadingOnly, request: Request, page: AskedPage) -> Response:
    """Newest first. People of an agency see their agency's cases only; the desk sees all."""
    found = await cases.page(view.session, limit=page.fetch, before=page.before, agency_id=view.actor.agency_id)
    counted = await cases.counts(view.session, [one.id for one in found])
    return listed(request, page, found, key=lambda one: one.id, show=lambda one: show_summary(one, counted[one.id]))


@router.get("/v1/cases/{case_id}", **told.READ.route())
async def read(command: Commanding, case_id: str) -> Response:
    """The dashboard of one case: each state with where its request stands and what its exchange has come to."""
    require_role(command.actor, *READERS)
    record = await _find(command, case_id)
    await remember_reading(command, record.id)
    return answer_json(200, await _show(command, record))


@router.post("/v1/cases/{case_id}/actions", **told.ACT.route())
async def act(command: Commanding, case_id: str) -> Response:
    """One act for all requests of the case, or for those to the states named; each succeeds or fails by itself.

    Approving takes what is proposed; a request that needs more is approved by itself.
    """

    async def make() -> Answer:
        require_role(command.actor, *READERS)
        record = await _find(command, case_id)
        require_role(command.actor, *DESK)
        wanted = read_case_act(command.body.members())
        filed = await requests.of_case(command.session, record.id, for_update=True)
        done = await act_on_case(command.acting, filed, wanted)
        shown = CaseActed(case=await _show(command, record), results=[show_result(one) for one in done])
        return Answer(200, shown)

    return await once(command, make)


async def _find(command: Command, key: str) -> CaseRecord:
    """Raises Unknown alike for what is not there and for what is another agency's."""
    record = await cases.load(command.session, parse_id(key), agency_id=command.actor.agency_id)
    if record is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    return record


async def _show(command: Command, record: CaseRecord) -> CaseView:
    filed = await requests.of_case(command.session, record.id)
    shared = await exchanges.load_many(command.session, [one.exchange_id for one in filed if one.exchange_id])
    allowed = {one.id: _allowed(command, one) for one in filed}
    return show_case(record, filed, shared, allowed=allowed, now=command.now)


def _allowed(command: Command, record: RequestRecord) -> list[str]:
    actor = command.actor
    if actor.person_id is None or actor.role is None:
        return []
    intake = intake_of(record, command.node)
    return [str(one) for one in allowed_actions(intake, actor_id=actor.person_id, role=actor.role)]
