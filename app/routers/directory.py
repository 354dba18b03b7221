"""The contact points of the directory, whether they answer, and incidents that one tells another of."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Response

from app.db import directories, incidents, test_calls
from app.db.engine import ReadSession
from app.db.test_calls import CallRecord
from app.domain.codes import Direction, Role
from app.domain.contact_points import ContactPoint
from app.domain.fallback import how_to_reach
from app.domain.test_calls import MOST_AHEAD, Standing, is_unverified, night_moment
from app.errors import Unknown
from app.routers import directory_operations as told
from app.routers.answers import Answer, answer_json
from app.routers.bodies import parse_model
from app.routers.deps import DESK, Command, Commanding, Reading, ReadingOnly, needs, require_role
from app.routers.directory_operations import (
    CallAct,
    CallView,
    ContactPointInFull,
    ContactPointView,
    DirectoryVersion,
    IncidentView,
    NewCall,
    NewIncident,
)
from app.routers.idempotency import once
from app.routers.listing import parse_id
from app.services.answer_test_call import answer_test_call, waiting_call
from app.services.call_to_test import Planned, call_to_test
from app.services.report_incident import Reported, report_incident

router = APIRouter()

MEMBERS = DESK | {Role.REGISTRAR}
MOST = 200
"""Versions, calls and incidents that a list shows; older ones are in the audit log."""

DRAWN_FROM = 2**32


@router.get("/v1/directory/contact-points", dependencies=[Depends(needs(*MEMBERS))], **told.POINTS.route())
async def list_points(view: ReadingOnly) -> Response:
    """Every contact point of the directory: its networks, languages, hours, and whether it has answered lately."""
    points = sorted(view.node.directory.contact_points, key=lambda point: point.code)
    shown = [(await _show_point(view, point)).model_dump(mode="json") for point in points]
    return answer_json(200, {"data": shown, "next": None})


@router.get("/v1/directory/contact-points/{code}", **told.READ_POINT.route())
async def read_point(view: ReadingOnly, code: str) -> Response:
    """One contact point with the whole of its entry."""
    require_role(view.actor, *MEMBERS)
    point = view.node.directory.point(code)
    if point is None:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    shown = await _show_point(view, point)
    full = ContactPointInFull(**dict(shown), entry=point.model_dump(mode="json"))
    return answer_json(200, full)


@router.get("/v1/directory/changes", dependencies=[Depends(needs(*MEMBERS))], **told.CHANGES.route())
async def list_changes(view: ReadingOnly) -> Response:
    """The versions this node has worked with; the digest is that of the file, which the auditor may compare."""
    seen = await directories.versions_seen(view.session, limit=MOST)
    shown = [DirectoryVersion.model_validate(one).model_dump(mode="json") for one in seen]
    return answer_json(200, {"data": shown, "next": None})


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
async def list_calls(view: ReadingOnly) -> Response:
    """Test calls to and from this contact point; one from abroad waits for a person here to answer it."""
    found = await test_calls.newest(view.session, limit=MOST)
    return answer_json(200, {"data": [_show_call(one).model_dump(mode="json") for one in found], "next": None})


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
        shown = [
            IncidentView.model_validate(one).model_dump(mode="json")
            for one in await report_incident(command.acting, reported)
        ]
        return Answer(201, {"data": shown, "next": None})

    return await once(command, make)


@router.get("/v1/incidents", dependencies=[Depends(needs(*DESK))], **told.INCIDENTS.route())
async def list_incidents(view: ReadingOnly) -> Response:
    """Incidents that this contact point told of, and that it was told of."""
    found = await incidents.newest(view.session, limit=MOST)
    shown = [IncidentView.model_validate(one).model_dump(mode="json") for one in found]
    return answer_json(200, {"data": shown, "next": None})


async def _show_point(view: Reading | Command, point: ContactPoint) -> ContactPointView:
    reach = how_to_reach(point, now=view.now)
    return ContactPointView(
        code=point.code,
        country=point.country,
        party_kind=point.party_kind,
        agency=reach.agency,
        networks=[str(one.network) for one in point.networks],
        languages=[one.tag for one in point.languages],
        time_zone=point.time_zone,
        attendance=reach.attendance,
        local_time=reach.local_time.isoformat(timespec="minutes"),
        capabilities={name: str(level) for name, level in point.capabilities},
        standing=await _standing(view.session, point, view),
        verified_at=point.last_verified_at,
    )


async def _standing(session: ReadSession, point: ContactPoint, view: Reading | Command) -> Standing:
    if is_unverified(await test_calls.latest_over(session, point.code)):
        return Standing.UNVERIFIED
    return Standing.STALE if point.is_stale(view.now) else Standing.VERIFIED


def _show_call(call: CallRecord) -> CallView:
    waits = call.direction is Direction.INCOMING and call.answered_at is None
    members = {name: getattr(call, name) for name in CallView.model_fields if hasattr(call, name)}
    return CallView(**members, allowed_actions=["answer"] if waits else [])
