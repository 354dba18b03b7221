"""Test calls: planned, made, answered or missed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert

from app.db.placing import Place, newest_first
from app.db.tables_directory import test_call as table
from app.domain.codes import Direction
from app.domain.service_messages import CallKind
from app.domain.test_calls import MISSED_BEFORE_UNVERIFIED

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session

PLANNING = int.from_bytes(b"testcall")
"""Key of the advisory lock under which calls are planned: the word `testcall` in ASCII."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call. Not `called_at`: it is still planned."""

    id: UUID
    peer: str
    direction: Direction
    kind: CallKind
    note: str | None
    planned_at: datetime
    called_at: datetime | None = None
    due_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: UUID | None = None
    missed_at: datetime | None = None


async def add(session: Session, call: CallRecord) -> bool:
    """Note a call; False, and nothing changed, if it is known."""
    one = insert(table).values(**asdict(call)).on_conflict_do_nothing().returning(table.c.id)
    return (await session.execute(one)).one_or_none() is not None


async def plan(session: Session, call: CallRecord) -> None:
    """Note a call of ours that is still to be made."""
    await session.execute(plain_insert(table).values(**asdict(call)))


async def load(
    session: ReadSession, call_id: UUID, *, direction: Direction, peer: str | None = None, for_update: bool = False
) -> CallRecord | None:
    """One call by its id; two peers may have chosen the same one, then the newest."""
    query = select(table).where(table.c.id == call_id, table.c.direction == direction)
    if peer is not None:
        query = query.where(table.c.peer == peer)
    query = query.order_by(table.c.planned_at.desc()).limit(1)
    row = (await session.execute(query.with_for_update() if for_update else query)).one_or_none()
    return None if row is None else _record(row)


async def save(session: Session, call: CallRecord) -> None:
    """Write back what was loaded for update."""
    columns = asdict(call)
    mine = (table.c.peer == call.peer) & (table.c.direction == call.direction) & (table.c.id == call.id)
    for name in ("id", "peer", "direction"):
        del columns[name]
    await session.execute(update(table).where(mine).values(**columns))


async def page(session: ReadSession, *, limit: int, before: Place | None = None) -> list[CallRecord]:
    """Calls of both directions, those planned last first."""
    query = newest_first(select(table), table, at=table.c.planned_at, before=before).limit(limit)
    return [_record(row) for row in await session.execute(query)]


async def lock_due(session: Session, *, now: datetime) -> list[CallRecord]:
    """Lock our calls that are to be made or have run out by now; those another process has in hand are passed over."""
    mine = (table.c.direction == Direction.OUTGOING) & table.c.answered_at.is_(None) & table.c.missed_at.is_(None)
    to_make = table.c.called_at.is_(None) & (table.c.planned_at <= now)
    query = select(table).where(mine, or_(to_make, table.c.due_at <= now)).order_by(table.c.planned_at)
    return [_record(row) for row in await session.execute(query.with_for_update(skip_locked=True))]


async def latest_over(session: ReadSession, peer: str) -> list[bool]:
    """Whether the latest calls to a peer that are over were answered, the newest first."""
    over = or_(table.c.answered_at.is_not(None), table.c.missed_at.is_not(None))
    query = (
        select(table.c.answered_at.is_not(None))
        .where(table.c.peer == peer, table.c.direction == Direction.OUTGOING, over)
        .order_by(table.c.called_at.desc().nulls_last())
        .limit(MISSED_BEFORE_UNVERIFIED)
    )
    return list((await session.scalars(query)).all())


async def latest_of_all(session: ReadSession) -> dict[str, tuple[CallRecord | None, list[bool]]]:
    """For each peer our latest call, and whether the latest ones that are over were answered, the newest first."""
    over = or_(table.c.answered_at.is_not(None), table.c.missed_at.is_not(None))
    place = func.row_number().over(partition_by=(table.c.peer, over), order_by=table.c.called_at.desc())
    made = (table.c.direction == Direction.OUTGOING) & table.c.called_at.is_not(None)
    ranked = select(table, place.label("place")).where(made).subquery()
    query = select(ranked).where(ranked.c.place <= MISSED_BEFORE_UNVERIFIED).order_by(ranked.c.called_at.desc())
    found: dict[str, tuple[CallRecord | None, list[bool]]] = {}
    for call in map(_record, await session.execute(query)):
        newest, answered = found.get(call.peer, (None, []))
        ended = call.answered_at is not None or call.missed_at is not None
        found[call.peer] = (newest or call, [*answered, call.answered_at is not None] if ended else answered)
    return found


async def hold_planning(session: Session) -> bool:
    """Take planning in hand until the end of the transaction; False if another process has it: it plans for both."""
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(PLANNING))))


async def last_planned(session: ReadSession) -> dict[str, datetime]:
    """For each peer the moment of our latest call to it, made or planned."""
    latest = func.max(table.c.planned_at).label("planned_at")
    query = select(table.c.peer, latest).where(table.c.direction == Direction.OUTGOING).group_by(table.c.peer)
    return {row.peer: row.planned_at for row in await session.execute(query)}


def _record(row: Any) -> CallRecord:  # noqa: ANN401 - a row of the queries above
    columns = {name: getattr(row, name) for name in CallRecord.__dataclass_fields__}
    return CallRecord(**(columns | {"direction": Direction(row.direction), "kind": CallKind(row.kind)}))
