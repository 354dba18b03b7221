"""Marks of what requests and exchanges look for, and who else looks for the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, insert, select

from app.db.tables_holds import target_fingerprint as table
from app.domain.fingerprints import Mark, is_same_data

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from app.db.engine import ReadSession, Session

SubjectKind = Literal["request", "exchange"]
"""Whose targets are marked: a request of our own agency, or an exchange opened towards us."""


async def replace_marks(session: Session, kind: SubjectKind, subject_id: UUID, marks: Collection[Mark]) -> None:
    """What the subject looks for from now on."""
    await session.execute(delete(table).where(table.c.subject_kind == kind, table.c.subject_id == subject_id))
    if marks:
        rows = [
            {
                "subject_kind": kind,
                "subject_id": subject_id,
                "target": mark.target,
                "fingerprint": mark.fingerprint,
                "starts_at": mark.starts_at,
                "ends_at": mark.ends_at,
            }
            for mark in marks
        ]
        await session.execute(insert(table), rows)


async def marks_of(session: ReadSession, kind: SubjectKind, subject_id: UUID) -> list[Mark]:
    """What the subject looks for, by target."""
    query = select(table).where(table.c.subject_kind == kind, table.c.subject_id == subject_id)
    rows = await session.execute(query.order_by(table.c.target))
    return [Mark(row.target, row.fingerprint, row.starts_at, row.ends_at) for row in rows]


async def who_else(
    session: ReadSession, kind: SubjectKind, marks: Collection[Mark], *, but: UUID, at_most: int | None = None
) -> dict[UUID, set[tuple[int, int]]]:
    """Other subjects of this kind that look for the same data: for each, pairs of our target and theirs.

    With `at_most`, no more than so many marks are looked at, whichever are found first.
    """
    if not marks:
        return {}
    wanted = {mark.fingerprint for mark in marks}
    query = (
        select(table)
        .where(table.c.fingerprint.in_(wanted), table.c.subject_kind == kind, table.c.subject_id != but)
        .limit(at_most)
    )
    found: dict[UUID, set[tuple[int, int]]] = {}
    for row in await session.execute(query):
        theirs = Mark(row.target, row.fingerprint, row.starts_at, row.ends_at)
        pairs = {(ours.target, theirs.target) for ours in marks if is_same_data(ours, theirs)}
        if pairs:
            found.setdefault(row.subject_id, set()).update(pairs)
    return found
