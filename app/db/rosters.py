"""Shifts, what is known of the people on them, and handovers. Rows are added and never changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from app.db.tables_roster import HandoverEntry, duty_record, duty_shift, handover, roster_notice
from app.domain.roster import HORIZON, DutyRecord, Mode, Roster, Severity, Shift, Training

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Select

    from app.db.engine import ReadSession, Session

BEFORE = timedelta(days=31)
"""How far back shifts are loaded for the rules: none lasts longer, so that the one before the present one is there."""

NEVER_DESCRIBED = 0
"""Version of the record of a person whom nobody has described."""


@dataclass(frozen=True, slots=True)
class ShiftRecord:
    """One version of a shift, who entered it and when."""

    shift: Shift
    version: int
    entered_at: datetime
    entered_by: UUID
    withdrawn: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """The version of what is known of a person."""

    record: DutyRecord
    version: int


@dataclass(frozen=True, slots=True)
class HandoverRecord:
    """What somebody wrote at a handover; `listed` are the cases as they were confirmed, empty for a note."""

    id: UUID
    shift_id: UUID
    entry: HandoverEntry
    at: datetime
    person_id: UUID
    text: str | None
    listed: list[dict[str, Any]]


async def load_roster(session: ReadSession, *, now: datetime, switchboard: bool = False) -> Roster:
    """Everything the rules ask for, as it stands at `now`."""
    since = await _kept_since(session, now)
    if since is None:
        return Roster((), {}, None, switchboard=switchboard)
    found = await shifts_between(session, now - BEFORE, now + HORIZON)
    shifts = tuple(one.shift for one in found)
    people = {person for one in shifts for person in one.officers}
    records = await records_of(session, people)
    confirmed = await confirmed_among(session, [one for one in shifts if one.covers(now)])
    known = {person: one.record for person, one in records.items()}
    return Roster(shifts, known, since, switchboard=switchboard, confirmed=confirmed)


async def shifts_between(session: ReadSession, begin: datetime, end: datetime) -> list[ShiftRecord]:
    """Those in force now of which some part lies there, in the order in which they begin."""
    query = _newest().where(~duty_shift.c.withdrawn, duty_shift.c.ends_at > begin, duty_shift.c.starts_at < end)
    rows = await session.execute(query.order_by(duty_shift.c.starts_at, duty_shift.c.id))
    return [_shift(row) for row in rows]


async def shifts_at(session: ReadSession, instant: datetime) -> list[ShiftRecord]:
    """Those that were in force at this instant: what was entered later says nothing of it."""
    query = _newest(by=instant).where(
        ~duty_shift.c.withdrawn, duty_shift.c.starts_at <= instant, duty_shift.c.ends_at > instant
    )
    return [_shift(row) for row in await session.execute(query.order_by(duty_shift.c.starts_at, duty_shift.c.id))]


async def versions_of(session: ReadSession, shift_id: UUID) -> list[ShiftRecord]:
    """Every version of a shift, the newest first; none if there is no such shift."""
    query = select(duty_shift).where(duty_shift.c.id == shift_id).order_by(duty_shift.c.version.desc())
    return [_shift(row) for row in await session.execute(query)]


async def add_shifts(session: Session, new: Sequence[ShiftRecord]) -> bool:
    """Add these versions; False if one of them is there already, since somebody else was faster."""
    rows = [_columns(one) for one in new]
    added = await session.execute(
        insert(duty_shift).values(rows).on_conflict_do_nothing().returning(duty_shift.c.version)
    )
    return len(added.all()) == len(rows)


async def records_of(
    session: ReadSession, people: Collection[UUID], *, at: datetime | None = None
) -> dict[UUID, KnownRecord]:
    """What is known of these people or, with `at`, what was known then."""
    if not people:
        return {}
    query = select(duty_record).ext(distinct_on(duty_record.c.person_id)).where(duty_record.c.person_id.in_(people))
    if at is not None:
        query = query.where(duty_record.c.entered_at <= at)
    rows = await session.execute(query.order_by(duty_record.c.person_id, duty_record.c.version.desc()))
    return {row.person_id: KnownRecord(_record(row), row.version) for row in rows}


async def add_record(session: Session, person_id: UUID, known: KnownRecord, *, by: UUID, now: datetime) -> bool:
    """Add this version of what is known; False if it is there already."""
    record = known.record
    values = {
        "person_id": person_id,
        "version": known.version,
        "reads": list(record.reads),
        "training": [one.model_dump(mode="json") for one in record.training],
        "phone": record.phone,
        "mail": record.mail,
        "entered_at": now,
        "entered_by": by,
    }
    added = await session.execute(
        insert(duty_record).values(values).on_conflict_do_nothing().returning(duty_record.c.version)
    )
    return added.one_or_none() is not None


async def add_handover(session: Session, new: HandoverRecord) -> bool:
    """Add a note or a confirmation; False for a second confirmation of one shift by one person."""
    values = {name: getattr(new, name) for name in HandoverRecord.__dataclass_fields__}
    added = await session.execute(insert(handover).values(values).on_conflict_do_nothing().returning(handover.c.id))
    return added.one_or_none() is not None


async def handover_of(session: ReadSession, shift_id: UUID) -> list[HandoverRecord]:
    """What was written at the handover to this shift, in order."""
    query = select(handover).where(handover.c.shift_id == shift_id).order_by(handover.c.at, handover.c.id)
    names = HandoverRecord.__dataclass_fields__
    found = [HandoverRecord(**{name: getattr(row, name) for name in names}) for row in await session.execute(query)]
    return [replace(one, entry=HandoverEntry(one.entry)) for one in found]


async def confirmed_among(session: ReadSession, shifts: Collection[Shift]) -> frozenset[UUID]:
    """Those of these shifts that one of their officers has taken over: who has been replaced since does not count."""
    if not shifts:
        return frozenset()
    query = select(handover.c.shift_id, handover.c.person_id).where(
        handover.c.shift_id.in_([one.id for one in shifts]), handover.c.entry == HandoverEntry.CONFIRMATION
    )
    taken = {(row.shift_id, row.person_id) for row in await session.execute(query)}
    return frozenset(one.id for one in shifts if any((one.id, person) in taken for person in one.officers))


async def note_told(session: Session, about: str, severity: Severity, *, now: datetime) -> bool:
    """Note that this is being told; False if it was before, by whomever."""
    new = insert(roster_notice).values(about=about, severity=severity, at=now).on_conflict_do_nothing()
    return (await session.execute(new.returning(roster_notice.c.about))).one_or_none() is not None


async def _kept_since(session: ReadSession, now: datetime) -> datetime | None:
    first: datetime | None = await session.scalar(select(func.min(duty_shift.c.entered_at)))
    if first is None:
        return None
    over = _newest().where(~duty_shift.c.withdrawn, duty_shift.c.ends_at <= now)
    ended = over.with_only_columns(duty_shift.c.ends_at).order_by(duty_shift.c.ends_at.desc())
    last: datetime | None = await session.scalar(ended.limit(1))
    return first if last is None else last


def _newest(*, by: datetime | None = None) -> Select[Any]:
    """The highest version of each shift, of those entered by then."""
    later = duty_shift.alias("later")
    known: ColumnElement[bool] = and_(later.c.id == duty_shift.c.id, later.c.version > duty_shift.c.version)
    if by is None:
        return select(duty_shift).where(~select(later.c.id).where(known).exists())
    superseded = select(later.c.id).where(known, later.c.entered_at <= by).exists()
    return select(duty_shift).where(duty_shift.c.entered_at <= by, ~superseded)


def _columns(one: ShiftRecord) -> dict[str, Any]:
    shift = one.shift
    return {
        "id": shift.id,
        "version": one.version,
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "time_zone": shift.time_zone,
        "mode": shift.mode,
        "primary_id": shift.primary,
        "secondary_id": shift.secondary,
        "supervisor_id": shift.supervisor,
        "call_back_id": shift.call_back,
        "withdrawn": one.withdrawn,
        "reason": one.reason,
        "entered_at": one.entered_at,
        "entered_by": one.entered_by,
    }


def _shift(row: Any) -> ShiftRecord:  # noqa: ANN401 - a row of the queries above
    shift = Shift(
        id=row.id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        time_zone=row.time_zone,
        mode=Mode(row.mode),
        primary=row.primary_id,
        secondary=row.secondary_id,
        supervisor=row.supervisor_id,
        call_back=row.call_back_id,
    )
    return ShiftRecord(shift, row.version, row.entered_at, row.entered_by, row.withdrawn, row.reason)


def _record(row: Any) -> DutyRecord:  # noqa: ANN401 - a row of the queries above
    training = tuple(Training.model_validate(one, strict=False) for one in row.training)
    return DutyRecord(reads=tuple(row.reads), training=training, phone=row.phone, mail=row.mail)
