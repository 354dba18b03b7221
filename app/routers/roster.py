"""Who is on duty here, who will be, and what one shift hands over to the next (domain.md 3.7)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from app.db import people, rosters
from app.db.people import Person
from app.db.rosters import ShiftRecord
from app.domain.codes import Role
from app.domain.deadlines.clocks import later
from app.domain.moments import Instant
from app.domain.roster import (
    HORIZON,
    Roster,
    Shift,
    covered_until,
    find_faults,
    needs_handover,
    on_duty,
    second_contact,
    shift_after,
)
from app.errors import Conflict, FieldError, Refused, Unknown
from app.routers import roster_operations as told
from app.routers.answers import Answer, answer_json
from app.routers.bodies import parse_model
from app.routers.deps import DESK, Command, Commanding, Reading, ReadingOnly, needs, require_role
from app.routers.idempotency import once
from app.routers.listing import parse_id
from app.routers.roster_operations import (
    OF_SUPERVISORS,
    PERSON_ACT,
    SHIFT_ACT,
    SHIFT_ACTS,
    AnyShiftAct,
    ChangeShift,
    ConfirmHandover,
    NewShift,
    NewShifts,
    NoteHandover,
)
from app.routers.roster_views import (
    DutyPersonView,
    RosterView,
    SecondContactView,
    ShiftInFull,
    show_finding,
    show_handover,
    show_person,
    show_shifts,
)
from app.routers.wanting import read_wanted
from app.services.identifiers import new_id
from app.services.roster.change import change_shift, withdraw_shift
from app.services.roster.check import OFFICERS
from app.services.roster.describe import describe_person
from app.services.roster.enter import enter_shifts
from app.services.roster.hand_over import confirm_handover, note_handover, read_handover, refuse_others
from app.services.roster.standing import load_standing_roster

READERS = DESK | {Role.AUDITOR}
"""Who may know who was on duty; of these the auditor sees no private number."""

MOST_AT_ONCE = timedelta(days=92)

router = APIRouter()


@router.get("/v1/roster", dependencies=[Depends(needs(*sorted(READERS)))], **told.READ.route())
async def read_roster(view: ReadingOnly) -> Response:
    """Who is on duty, who is next, who is called second, and every rule that is broken in the coming 28 days."""
    roster = await load_standing_roster(view.session, view.node, now=view.now)
    now_on, following = on_duty(roster.shifts, view.now), shift_after(roster.shifts, view.now)
    wanted = [one.id for one in (now_on, following) if one is not None]
    records = [(await rosters.versions_of(view.session, one))[0] for one in wanted]
    shown = {one.id: one for one in await show_shifts(view, records)}
    standing = RosterView(
        time=view.now,
        kept=roster.since is not None,
        covered_until=covered_until(roster, view.now),
        on_duty=None if now_on is None else shown[now_on.id],
        next=None if following is None else shown[following.id],
        second_contact=await _show_second(view, roster),
        handover_needed=now_on is not None and needs_handover(roster, now_on),
        handover_confirmed=now_on is not None and now_on.id in roster.confirmed,
        findings=[show_finding(one) for one in find_faults(roster, view.now)],
    )
    return answer_json(200, standing)


@router.get("/v1/roster/on-duty", dependencies=[Depends(needs(*sorted(READERS)))], **told.ON_DUTY.route())
async def list_on_duty(
    view: ReadingOnly,
    at: Annotated[Instant | None, Query(description="The instant; without it, now.")] = None,
) -> Response:
    """Who was on duty at an instant, years ago too: by the plan that was in force then, whatever was entered later."""
    instant = view.now if at is None else at
    found = await rosters.shifts_at(view.session, instant)
    data = [one.model_dump(mode="json") for one in await show_shifts(view, found, at=instant)]
    return answer_json(200, {"data": data, "next": None})


@router.get("/v1/roster/shifts", dependencies=[Depends(needs(*sorted(READERS)))], **told.LIST.route())
async def list_shifts(
    view: ReadingOnly,
    since: Annotated[Instant | None, Query(description="From then on; without it, from now.")] = None,
    until: Annotated[
        Instant | None, Query(description="Up to then, at most 92 days later; without it, 28 days.")
    ] = None,
) -> Response:
    """Shifts of which some part lies in that time, without those that were withdrawn; all of them at once."""
    begin = view.now if since is None else since
    end = later(begin, HORIZON) if until is None else until
    if not begin <= end <= later(begin, MOST_AT_ONCE):
        fault = FieldError("?until", "out_of_range", "At most 92 days after since, and not before it.")
        raise Refused("parameters_invalid", "The query breaks the rules listed in errors.", errors=(fault,))
    found = await rosters.shifts_between(view.session, begin, end)
    data = [one.model_dump(mode="json") for one in await show_shifts(view, found)]
    return answer_json(200, {"data": data, "next": None})


@router.post("/v1/roster/shifts", **told.ENTER.route())
async def enter(command: Commanding) -> Response:
    """Enter shifts, all or none. A rule of the roster that they break is shown, not refused: somebody may be needed."""

    async def make() -> Answer:
        require_role(command.actor, Role.SUPERVISOR)
        new = parse_model(NewShifts, command.body.json())
        made = await enter_shifts(command.acting, [_shift(command, one, new_id()) for one in new.shifts])
        data = [one.model_dump(mode="json") for one in await show_shifts(command, made)]
        return Answer(201, {"data": data, "next": None}, {"Location": "/v1/roster/shifts"})

    return await once(command, make)


@router.get("/v1/roster/shifts/{shift_id}", **told.READ_SHIFT.route())
async def read_shift(view: ReadingOnly, shift_id: str) -> Response:
    """A shift with every version it had: who was planned, since when, and why that changed. Also a withdrawn one."""
    require_role(view.actor, *READERS)
    return answer_json(200, await _show_in_full(view, parse_id(shift_id)))


@router.post("/v1/roster/shifts/{shift_id}/actions", **told.ACT_ON_SHIFT.route())
async def act_on_shift(command: Commanding, shift_id: str) -> Response:
    """`change` and `withdraw` by a supervisor, until the shift is over; `note` by the desk; `confirm` by its officers.

    Nothing is overwritten. Who confirms has read `/v1/roster/shifts/{shift_id}/handover` and repeats its digest.
    """

    async def make() -> Answer:
        require_role(command.actor, *DESK)
        found = await _newest(command, parse_id(shift_id))
        try:
            await _do(command, found, _admitted(command, found))
        except Conflict as conflict:
            # Read again: another officer may have been faster since.
            (current,) = await show_shifts(command, [await _newest(command, found.shift.id)])
            conflict.extra.setdefault("current", current)
            raise
        return Answer(200, await _show_in_full(command, found.shift.id))

    return await once(command, make)


@router.get("/v1/roster/shifts/{shift_id}/handover", **told.READ_HANDOVER.route())
async def read_handover_of(view: ReadingOnly, shift_id: str) -> Response:
    """Every open request and exchange of both urgent tiers, and holds that end within seven days; notes; who took over.

    For the desk.
    """
    require_role(view.actor, *DESK)
    found = await _newest(view, parse_id(shift_id))
    roster = await load_standing_roster(view.session, view.node, now=view.now)
    standing = await read_handover(view.session, found.shift, now=view.now)
    shown = await show_handover(view, found.shift, standing, needed=needs_handover(roster, found.shift))
    return answer_json(200, shown)


@router.get("/v1/roster/people", dependencies=[Depends(needs(*sorted(DESK)))], **told.PEOPLE.route())
async def list_duty_people(view: ReadingOnly) -> Response:
    """Everybody who works at the desk, with languages, training and private reachability. For the desk alone."""
    found = [one for one in await people.list_people(view.session) if one.role in OFFICERS]
    known = await rosters.records_of(view.session, [one.id for one in found])
    shown = [show_person(one, known.get(one.id), role=view.actor.role) for one in found]
    data = [one.model_dump(mode="json") for one in sorted(shown, key=lambda one: (one.name, str(one.person_id)))]
    return answer_json(200, {"data": data, "next": None})


@router.post("/v1/roster/people/{person_id}/actions", **told.DESCRIBE.route())
async def act_on_duty_person(command: Commanding, person_id: str) -> Response:
    """Write down which languages a person reads, which courses they passed and until when, how to reach them."""

    async def make() -> Answer:
        require_role(command.actor, Role.SUPERVISOR)
        person = await people.find_person(command.session, parse_id(person_id))
        if person is None:
            raise Unknown("not_found", "There is no such thing, or it is not yours.")
        try:
            await _describe(command, person)
        except Conflict as conflict:
            # Read again: another supervisor may have been faster since.
            conflict.extra.setdefault("current", await _show_described(command, person))
            raise
        return Answer(200, await _show_described(command, person))

    return await once(command, make)


async def _describe(command: Command, person: Person) -> None:
    version = (await _show_described(command, person)).generation
    wanted = read_wanted(command.body, PERSON_ACT, known={"describe"}, generation=version)
    if wanted.generation not in {None, version}:
        raise Conflict("stale_generation", "It has changed since you read it.")
    if person.role not in OFFICERS:
        raise Conflict("action_not_allowed", "This person does not work at the desk.")
    await describe_person(command.acting, person.id, wanted.read().record, version=version)


async def _show_described(command: Command, person: Person) -> DutyPersonView:
    known = (await rosters.records_of(command.session, [person.id])).get(person.id)
    return show_person(person, known, role=command.actor.role)


def _admitted(command: Command, found: ShiftRecord) -> AnyShiftAct:
    """The act on this shift; who may not, and that it cannot be, is said before what is wrong with the act."""
    wanted = read_wanted(command.body, SHIFT_ACT, known=SHIFT_ACTS, generation=found.version)
    if wanted.action in OF_SUPERVISORS:
        require_role(command.actor, Role.SUPERVISOR)
    if wanted.action == "confirm":
        refuse_others(command.actor, found.shift)
    if wanted.generation not in {None, found.version}:
        raise Conflict("stale_generation", "It has changed since you read it.")
    if found.withdrawn or found.shift.ends_at <= command.now:
        raise Conflict("action_not_allowed", "This shift is over, or was withdrawn.")
    return wanted.read()


async def _do(command: Command, found: ShiftRecord, act: AnyShiftAct) -> None:
    if isinstance(act, ChangeShift):
        shift = _shift(command, act.shift, found.shift.id)
        await change_shift(command.acting, found, shift, reason=act.reason)
    elif isinstance(act, NoteHandover):
        await note_handover(command.acting, found.shift, act.text)
    elif isinstance(act, ConfirmHandover):
        await confirm_handover(command.acting, found.shift, digest=act.digest, text=act.text)
    else:
        await withdraw_shift(command.acting, found, reason=act.reason)


def _shift(command: Command, new: NewShift, shift_id: UUID) -> Shift:
    point = command.node.directory.point(command.node.code)
    zone = new.time_zone or ("UTC" if point is None else point.time_zone)
    members = {name: getattr(new, name) for name in NewShift.model_fields if name != "time_zone"}
    return Shift(id=shift_id, time_zone=zone, **members)


async def _newest(view: Reading | Command, shift_id: UUID) -> ShiftRecord:
    versions = await rosters.versions_of(view.session, shift_id)
    if not versions:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    return versions[0]


async def _show_in_full(view: Reading | Command, shift_id: UUID) -> ShiftInFull:
    versions = await rosters.versions_of(view.session, shift_id)
    if not versions:
        raise Unknown("not_found", "There is no such thing, or it is not yours.")
    shown = await show_shifts(view, versions)
    return ShiftInFull(**dict(shown[0]), versions=shown)


async def _show_second(view: Reading, roster: Roster) -> SecondContactView:
    second = second_contact(roster, view.now)
    named = await people.find_people(view.session, set() if second.person is None else {second.person})
    point = view.node.directory.point(view.node.code)
    contact = None if point is None else f"{point.escalation[0].role}, {point.escalation[0].phone}"
    return SecondContactView(
        person_id=second.person,
        name=None if second.person is None else named[second.person].name,
        default=contact if second.default else None,
        because=second.because,
    )
