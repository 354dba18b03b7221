"""The contact points of the directory, whether they answer, and incidents that one tells another of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response

from app.db import directories, incidents, test_calls
from app.db.incidents import IncidentRecord
from app.db.test_calls import CallRecord
from app.domain.codes import Direction, Role
from app.domain.contact_points import ContactPoint
from app.domain.fallback import how_to_reach
from app.domain.test_calls import MOST_AHEAD, Standing, is_unverified, night_moment
from app.errors import Unknown
from app.routers import directory_operations as told
from app.routers.answers import Answer, answer_json
from app.routers.bodies import parse_model
from app.routers.deps import DESK, Commanding, Reading, ReadingOnly, needs, require_role
from app.routers.directory_operations import (
    CallAct,
    CallView,
    ContactPointInFull,
    ContactPointView,
    DirectoryVersion,
    IncidentAct,
    IncidentView,
    LastCallView,
    NewCall,
    NewIncident,
)
from app.routers.idempotency import once
from app.routers.listing import AskedPage, listed, parse_id
from app.routers.timed_listing import AskedTimedPage, listed_by_time
from app.services.answer_test_call import answer_test_call, waiting_call
from app.services.call_to_test import Planned, call_to_test
from app.services.end_incident import end_incident, find_incident, refuse_over
from app.services.report_incident import Reported, report_incident

router = APIRouter()

MEMBERS = DESK | {Role.REGISTRAR}
Calls = Mapping[str, tuple[CallRecord | None, list[bool]]]
DRAWN_FROM = 2**32


@router.get("/v1/directory/contact-points", dependencies=[Depends(needs(*MEMBERS))], **told.POINTS.route())
async def list_points(view: ReadingOnly) -> Response:
    """Every contact point of the directory: its networks, languages, hours, and whether it has answered lately."""
    points = sorted(view.node.directory.contact_points, key=lambda point: point.code)
    calls = await test_calls.latest_of_all(view.session)
    shown = [_show_point(view, point, calls).model_dump(mode="json") for point in points]
    return answer_json(200, {"data": shown, "next": None})


@router.get("/v1/directory/contact-points/{code}", **told.READ_POINT.route())
async def read_point(view: ReadingOnly, code: str) -> Response:
    """One contact point with the whole of its entry."""
    require_role(view.actor, *MEMBERS)
    point = view.node.directory.point(code)
    if point is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    shown = _show_point(view, point, await test_calls.latest_of_all(view.session))
    full = ContactPointInFull(**dict(shown), entry=point.model_dump(mode="json"))
    return answer_json(200, full)


@router.get("/v1/directory/changes", dependencies=[Depends(needs(*MEMBERS))], **told.CHANGES.route())
async def list_changes(view: ReadingOnly, request: Request, page: AskedPage) -> Response:
    """The versions this node has worked with; the digest is that of the file, which the auditor may compare."""
    # Versions are numbers: a cursor holds the last one shown in the place of an id.
    before = None if page.before is None else page.before.int
    seen = await directories.versions_seen(view.session, limit=page.fetch, before=before)
    return listed(request, page, seen, key=lambda one: UUID(int=one.version), show=DirectoryVersion.model_validate)


@router.post("/v1/directory/contact-points/{code}/test-calls", **told.PLACE_CALL.route())
async def place_call(command: Commanding, code: str) -> Response:
    """Call another contact point: a person there should answer within fifteen minutes, in a drill within an hour."""

    async def make() -> Answer:
        require_role(command.actor, *MEMBERS)
        point = command.node.directory.point(code)
        if point is None or code == command.node.code:
            raise Unknown("not_found", "There is no such thing, or it is not yours.")
        new = parse_model(NewCall, command.body.json())
        # Far beyond what is allowed there may be no next day; that it is too far ahead is said by whoever takes it.
        at = min(new.planned_at or command.now, command.now + 2 * MOST_AHEAD)
        if new.at_night:
            zone = ZoneInfo(point.time_zone)
            draw = int.from_bytes(command.node.random(4)) / DRAWN_FROM
            day = max(at, command.now).astimezone(zone).date() + timedelta(days=1)
            at = night_moment(day, zone, draw=draw)
        made = await call_to_test(command.acting, Planned(code, new.kind, at, new.note))
        return Answer(201, _show_call(made), {"Location": "/v1/test-calls"})

    return await once(command, make)


@router.get("/v1/test-calls", dependencies=[Depends(needs(*MEMBERS))], **told.CALLS.route())
async def list_calls(view: ReadingOnly, request: Request, page: AskedTimedPage) -> Response:
    """Test calls to and from this contact point; one from abroad waits for a person here to answer it."""
    found = await test_calls.page(view.session, limit=page.fetch, before=page.before)
    return listed_by_time(request, page, found, at=lambda one: one.planned_at, show=_show_call)


@router.post("/v1/test-calls/{call_id}/actions", **told.ANSWER_CALL.route())
async def act_on_call(command: Commanding, call_id: str) -> Response:
    """Answer: somebody is awake at this desk."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        call = await waiting_call(command.acting, parse_id(call_id))
        parse_model(CallAct, command.body.json())
        return Answer(200, _show_call(await answer_test_call(command.acting, call)))

    return await once(command, make)


@router.post("/v1/incidents", **told.REPORT.route())
async def report(command: Commanding) -> Response:
    """Tell the contact points concerned that data were exposed, altered or lost here, and what was done about it."""

    async def make() -> Answer:
        require_role(command.actor, Role.SUPERVISOR)
        new = parse_model(NewIncident, command.body.json())
        reported = Reported(**{name: getattr(new, name) for name in NewIncident.model_fields})
        shown = [_show_incident(one).model_dump(mode="json") for one in await report_incident(command.acting, reported)]
        return Answer(201, {"data": shown, "next": None})

    return await once(command, make)


@router.get("/v1/incidents", dependencies=[Depends(needs(*DESK))], **told.INCIDENTS.route())
async def list_incidents(view: ReadingOnly, request: Request, page: AskedTimedPage) -> Response:
    """Incidents that this contact point told of, and that it was told of."""
    found = await incidents.page(view.session, limit=page.fetch, before=page.before)
    return listed_by_time(request, page, found, at=lambda one: one.told_at, show=_show_incident)


@router.post("/v1/incidents/{incident_id}/actions", **told.END_INCIDENT.route())
async def act_on_incident(command: Commanding, incident_id: str) -> Response:
    """End it, with the reason: its exchanges lose the mark, and the other side is told of what happened here."""

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        found = await find_incident(command.acting, parse_id(incident_id))
        require_role(command.actor, Role.SUPERVISOR)
        await refuse_over(command.acting, found)
        act = parse_model(IncidentAct, command.body.json())
        return Answer(200, _show_incident(await end_incident(command.acting, found, note=act.text)))

    return await once(command, make)


def _show_point(view: Reading, point: ContactPoint, calls: Calls) -> ContactPointView:
    reach = how_to_reach(point, now=view.now)
    today = view.now.date()
    last, answered = calls.get(point.code, (None, []))
    mended = Standing.STALE if point.is_stale(view.now) else Standing.VERIFIED
    return ContactPointView(
        code=point.code,
        country=point.country,
        party_kind=point.party_kind,
        agency=reach.agency,
        networks=[str(one.network) for one in point.networks if point.is_member(one.network, on=today)],
        languages=[one.tag for one in point.languages],
        time_zone=point.time_zone,
        attendance=reach.attendance,
        local_time=reach.local_time.isoformat(timespec="minutes"),
        capabilities={name: str(level) for name, level in point.capabilities},
        standing=Standing.UNVERIFIED if is_unverified(answered) else mended,
        verified_at=point.last_verified_at,
        last_call=None if last is None else _show_last(last),
    )


def _show_last(call: CallRecord) -> LastCallView:
    waited = None if call.answered_at is None or call.called_at is None else call.answered_at - call.called_at
    return LastCallView(
        kind=call.kind,
        called_at=call.called_at,
        answered_at=call.answered_at,
        answered_after_seconds=None if waited is None else int(waited.total_seconds()),
    )


def _show_call(call: CallRecord) -> CallView:
    waits = call.direction is Direction.INCOMING and call.answered_at is None
    members = {name: getattr(call, name) for name in CallView.model_fields if hasattr(call, name)}
    return CallView(**members, allowed_actions=["answer"] if waits else [])


def _show_incident(record: IncidentRecord) -> IncidentView:
    members = {name: getattr(record, name) for name in IncidentView.model_fields if hasattr(record, name)}
    return IncidentView(**members, allowed_actions=["end"] if record.over_at is None else [])
