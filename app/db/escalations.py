"""What is due, and how far it was escalated: rows behind the lists and counts of the clocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_clocks import deadline, deadline_outcome, escalation
from app.domain.codes import Tier
from app.domain.deadlines import Deadline, Level, Step, Subject, Whose

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class Listed:
    """A deadline as a row: its id orders what is due at one instant."""

    id: UUID
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class Counted:
    """How many steps of one kind are waited for, and how soon the nearest is due."""

    step: Step
    tier: Tier
    whose: Whose
    open: int
    overdue: int
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How often a step was done in its time, and how often after it."""

    step: Step
    tier: Tier
    whose: Whose
    met: int
    missed: int


async def replace_all(
    session: Session, subject: UUID, new: Sequence[Deadline], *, ids: Sequence[UUID]
) -> list[Deadline]:
    """Make `new`, under these ids, what is due of `subject`; returns what was. What has not changed keeps its row."""
    before = {one.deadline: one.id for one in await _of_subject(session, subject)}
    after = dict(zip(new, ids, strict=True))
    gone = [id_ for one, id_ in before.items() if one not in after]
    if gone:
        await session.execute(delete(deadline).where(deadline.c.id.in_(gone)))
    rows = [_values(id_, one) for one, id_ in after.items() if one not in before]
    if rows:
        await session.execute(insert(deadline).values(rows))
    return list(before)


async def told_level(session: ReadSession, one: Deadline) -> Level | None:
    """The highest level of this deadline that somebody was told of."""
    query = select(func.max(escalation.c.level)).where(
        escalation.c.subject == one.subject, escalation.c.step == one.step, escalation.c.due_at == one.due_at
    )
    found = (await session.execute(query)).scalar_one()
    return None if found is None else Level(found)


async def remember(session: Session, one: Deadline, level: Level, *, now: datetime) -> bool:
    """Note that this level is being told; False if it was before, by whomever."""
    new = insert(escalation).values(subject=one.subject, step=one.step, due_at=one.due_at, level=int(level), at=now)
    found = await session.execute(new.on_conflict_do_nothing().returning(escalation.c.level))
    return found.one_or_none() is not None


async def page(
    session: ReadSession,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
    whose: Whose | None = None,
) -> list[Listed]:
    """What is due next, soonest first: at most `limit`, behind `after`."""
    place = tuple_(deadline.c.due_at, deadline.c.id)
    query = select(deadline).order_by(deadline.c.due_at, deadline.c.id).limit(limit)
    if after is not None:
        query = query.where(place > after)
    if whose is not None:
        query = query.where(deadline.c.whose.in_([whose, Whose.BOTH]))
    return [_listed(row) for row in await session.execute(query)]


async def told_levels(session: ReadSession, shown: Collection[Deadline]) -> dict[tuple[UUID, Step, datetime], Level]:
    """The highest level told of each of these deadlines, where any was."""
    query = (
        select(escalation.c.subject, escalation.c.step, escalation.c.due_at, func.max(escalation.c.level).label("told"))
        .where(escalation.c.subject.in_({one.subject for one in shown}))
        .group_by(escalation.c.subject, escalation.c.step, escalation.c.due_at)
    )
    rows = await session.execute(query) if shown else ()
    return {(row.subject, Step(row.step), row.due_at): Level(row.told) for row in rows}


async def counts(session: ReadSession, *, now: datetime) -> list[Counted]:
    """Per step, tier and side: how many are waited for, how many of them should be done, and the next one due."""
    columns = (deadline.c.step, deadline.c.tier, deadline.c.whose)
    overdue = deadline.c.due_at <= now
    query = (
        select(
            *columns,
            func.count().label("open"),
            func.count().filter(overdue).label("overdue"),
            func.min(deadline.c.due_at).filter(~overdue).label("next_due_at"),
        )
        .group_by(*columns)
        .order_by(*columns)
    )
    return [
        Counted(Step(row.step), Tier(row.tier), Whose(row.whose), row.open, row.overdue, row.next_due_at)
        for row in await session.execute(query)
    ]


async def due_within(session: ReadSession, steps: Collection[Step], instants: Sequence[datetime]) -> list[int]:
    """How many deadlines of these steps are due up to each of these instants, those that are late included."""
    query = select(*(func.count().filter(deadline.c.due_at <= instant) for instant in instants))
    row = (await session.execute(query.where(deadline.c.step.in_([str(step) for step in steps])))).one()
    return list(row)


async def count_ended(session: Session, ended: Sequence[Deadline], *, at: datetime) -> None:
    """Count what is waited for no more: done at `at`, in its time or after it. In one order, so that nobody waits."""
    rows = sorted((str(one.step), str(one.tier), str(one.whose), one.due_at >= at) for one in ended)
    for step, tier, whose, in_time in rows:
        met, missed = int(in_time), int(not in_time)
        new = insert(deadline_outcome).values(step=step, tier=tier, whose=whose, met=met, missed=missed)
        add = {"met": deadline_outcome.c.met + met, "missed": deadline_outcome.c.missed + missed}
        keys = [deadline_outcome.c.step, deadline_outcome.c.tier, deadline_outcome.c.whose]
        await session.execute(new.on_conflict_do_update(index_elements=keys, set_=add))


async def outcomes(session: ReadSession) -> list[Outcome]:
    """Per step, tier and side: how many were done in their time, and how many after it."""
    columns = deadline_outcome.c
    rows = await session.execute(select(deadline_outcome).order_by(columns.step, columns.tier, columns.whose))
    return [Outcome(Step(row.step), Tier(row.tier), Whose(row.whose), row.met, row.missed) for row in rows]


async def told_since(session: ReadSession, since: datetime) -> dict[Level, int]:
    """How often each level was told of since then."""
    query = select(escalation.c.level, func.count()).where(escalation.c.at > since).group_by(escalation.c.level)
    found = {Level(level): count for level, count in await session.execute(query)}
    return {level: found.get(level, 0) for level in Level}


async def _of_subject(session: ReadSession, subject: UUID) -> list[Listed]:
    return [_listed(row) for row in await session.execute(select(deadline).where(deadline.c.subject == subject))]


def _values(id_: UUID, one: Deadline) -> dict[str, Any]:
    return {
        "id": id_,
        "kind": one.kind,
        "subject": one.subject,
        "hold": one.hold,
        "step": one.step,
        "tier": one.tier,
        "whose": one.whose,
        "started_at": one.started_at,
        "due_at": one.due_at,
    }


def _listed(row: Row[Any]) -> Listed:
    return Listed(
        row.id,
        Deadline(
            kind=Subject(row.kind),
            subject=row.subject,
            step=Step(row.step),
            tier=Tier(row.tier),
            whose=Whose(row.whose),
            started_at=row.started_at,
            due_at=row.due_at,
            hold=row.hold,
        ),
    )
