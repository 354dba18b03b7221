"""The roster as people see it: with names, and with private numbers for the desk alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from app.db import people, rosters
from app.db.people import Person
from app.db.rosters import KnownRecord, ShiftRecord
from app.domain.codes import RequestType, Role, Tier
from app.domain.roster import DutyRecord, Finding, Mode, Rule, Severity, Shift, Training
from app.routers.deps import DESK, Command, Reading
from app.routers.models import Moment, View
from app.services.roster.hand_over import Handover, can_confirm

Position = Literal["primary", "secondary", "supervisor", "call_back"]
SECONDS_IN_HOUR = 3600


class OnDutyView(View):
    """One person of a shift. `phone` and `mail` are private and shown to the desk alone."""

    position: Position
    person_id: UUID
    name: str
    reads: list[str]
    qualified_until: Moment | None
    phone: str | None
    mail: str | None


class ShiftView(View):
    """A shift. `local_start` and `local_end` are by the clock of its zone, `hours` by a stopwatch.

    `qualified_until`: until when, from its beginning on, one of its two officers has a valid training without a break;
    null if none has when it begins. `reason` is why it was last changed.
    """

    id: UUID
    generation: int
    starts_at: Moment
    ends_at: Moment
    time_zone: str
    local_start: str
    local_end: str
    hours: float
    mode: Mode
    people: list[OnDutyView]
    languages: list[str]
    qualified_until: Moment | None
    withdrawn: bool
    reason: str | None
    entered_at: Moment
    entered_by: UUID
    allowed_actions: list[str]


class ShiftInFull(ShiftView):
    """The same with every version it had, the newest first."""

    versions: list[ShiftView]


class FindingView(View):
    """What is wrong with the roster, from when to when, and of which shift."""

    rule: Rule
    severity: Severity
    starts_at: Moment
    ends_at: Moment
    shift: UUID | None


class SecondContactView(View):
    """Who is called when half of a term is over.

    `person` from the roster, and `default`, the first escalation contact of our own directory entry, where there is
    nobody or the rule in `because` is broken.
    """

    person_id: UUID | None
    name: str | None
    default: str | None
    because: Rule | None


class PressingView(View):
    """A case that is handed over."""

    kind: Literal["request", "exchange", "hold"]
    id: UUID
    exchange_id: UUID | None
    reference: str
    type: RequestType
    direction: Literal["incoming", "outgoing"] | None
    peer: str
    tier: Tier
    state: str
    ends_at: Moment | None


class NoteView(View):
    """What somebody left for the next shift."""

    at: Moment
    person_id: UUID
    name: str
    text: str


class HandoverView(View):
    """The handover to a shift. Once confirmed, `listed` is what was confirmed; before, what is open now.

    `digest` names the list; whoever confirms repeats it.
    """

    shift_id: UUID
    needed: bool
    listed: list[PressingView]
    digest: str
    notes: list[NoteView]
    confirmed_at: Moment | None
    confirmed_by: str | None
    remark: str | None


class RosterView(View):
    """The roster at this moment. `kept` is false while no shift was ever entered here."""

    time: Moment
    kept: bool
    covered_until: Moment | None
    on_duty: ShiftView | None
    next: ShiftView | None
    second_contact: SecondContactView
    handover_needed: bool
    handover_confirmed: bool
    findings: list[FindingView]


class DutyPersonView(View):
    """A person who can be on the roster, and what is known of them. Private: for the desk alone."""

    person_id: UUID
    name: str
    role: Role
    generation: int
    reads: list[str]
    training: list[Training]
    phone: str | None
    mail: str | None
    allowed_actions: list[str]


async def show_shifts(
    view: Reading | Command, found: Sequence[ShiftRecord], *, at: datetime | None = None
) -> list[ShiftView]:
    """These shifts, each with its people as they are known now or, with `at`, as they were then."""
    ids = {person for one in found for person in _positions(one.shift).values()}
    names = await people.find_people(view.session, ids)
    known = await rosters.records_of(view.session, ids, at=at)
    confirmed = await rosters.confirmed_among(view.session, [one.shift for one in found])
    return [_show(view, one, names, known=known, taken=one.shift.id in confirmed) for one in found]


def show_finding(one: Finding) -> FindingView:
    """One finding."""
    return FindingView.model_validate(one)


def show_person(person: Person, known: KnownRecord | None, *, role: Role | None) -> DutyPersonView:
    """A person as the desk sees them; a supervisor may describe them."""
    record = DutyRecord() if known is None else known.record
    return DutyPersonView(
        person_id=person.id,
        name=person.name,
        role=person.role,
        generation=rosters.NEVER_DESCRIBED if known is None else known.version,
        reads=list(record.reads),
        training=list(record.training),
        phone=record.phone,
        mail=record.mail,
        allowed_actions=["describe"] if role is Role.SUPERVISOR else [],
    )


async def show_handover(view: Reading | Command, shift: Shift, found: Handover, *, needed: bool) -> HandoverView:
    """The handover to a shift, with the names of those who wrote."""
    entries = [*found.notes, *([] if found.confirmation is None else [found.confirmation])]
    names = await people.find_people(view.session, {one.person_id for one in entries})
    done = found.confirmation
    return HandoverView(
        shift_id=shift.id,
        needed=needed,
        listed=[PressingView.model_validate(one) for one in found.listed],
        digest=found.digest,
        notes=[
            NoteView(at=one.at, person_id=one.person_id, name=names[one.person_id].name, text=one.text or "")
            for one in found.notes
        ],
        confirmed_at=None if done is None else done.at,
        confirmed_by=None if done is None else names[done.person_id].name,
        remark=None if done is None else done.text,
    )


def _show(
    view: Reading | Command,
    one: ShiftRecord,
    names: Mapping[UUID, Person],
    *,
    known: Mapping[UUID, KnownRecord],
    taken: bool,
) -> ShiftView:
    shift = one.shift
    zone = ZoneInfo(shift.time_zone)
    records = {person: known[person].record for person in known}
    officers = [records.get(person, DutyRecord()) for person in shift.officers]
    valid = [_valid_until(record, shift) for record in officers]
    return ShiftView(
        id=shift.id,
        generation=one.version,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
        time_zone=shift.time_zone,
        local_start=shift.starts_at.astimezone(zone).isoformat(timespec="minutes"),
        local_end=shift.ends_at.astimezone(zone).isoformat(timespec="minutes"),
        hours=(shift.ends_at - shift.starts_at).total_seconds() / SECONDS_IN_HOUR,
        mode=shift.mode,
        people=[
            _show_on_duty(position, names[person], records.get(person, DutyRecord()), of=(view, shift))
            for position, person in _positions(shift).items()
        ],
        languages=sorted({tag for record in officers for tag in record.reads}),
        qualified_until=max((end for end in valid if end is not None), default=None),
        withdrawn=one.withdrawn,
        reason=one.reason,
        entered_at=one.entered_at,
        entered_by=one.entered_by,
        allowed_actions=_allowed(view, one, taken=taken),
    )


def _positions(shift: Shift) -> dict[Position, UUID]:
    found: dict[Position, UUID] = {
        "primary": shift.primary,
        "secondary": shift.secondary,
        "supervisor": shift.supervisor,
    }
    return found if shift.call_back is None else {**found, "call_back": shift.call_back}


def _show_on_duty(
    position: Position, person: Person, record: DutyRecord, *, of: tuple[Reading | Command, Shift]
) -> OnDutyView:
    view, shift = of
    private = view.actor.role in DESK
    return OnDutyView(
        position=position,
        person_id=person.id,
        name=person.name,
        reads=list(record.reads),
        qualified_until=_valid_until(record, shift),
        phone=record.phone if private else None,
        mail=record.mail if private else None,
    )


def _valid_until(record: DutyRecord, shift: Shift) -> datetime | None:
    spans = record.qualified(ZoneInfo(shift.time_zone))
    return next((end for begin, end in spans if begin <= shift.starts_at < end), None)


def _allowed(view: Reading | Command, one: ShiftRecord, *, taken: bool) -> list[str]:
    if one.withdrawn or one.shift.ends_at <= view.now:
        return []
    allowed = ["change", "withdraw"] if view.actor.role is Role.SUPERVISOR else []
    allowed += ["note"] if view.actor.role in DESK else []
    return allowed + (["confirm"] if not taken and can_confirm(view.actor, one.shift, now=view.now) else [])
