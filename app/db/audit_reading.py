"""Reading the audit log: nodes for proofs, signed heads, and leaves page by page.

What people and machines outside are shown ends at `published_size`; the functions that go further say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import BigInteger, SmallInteger, bindparam, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from app.audit.leaf import Opening
from app.db.audit_log import Tree
from app.db.tables_audit import audit_checkpoint, audit_leaf, audit_pending, audit_tree, commitment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from typing import Any
    from uuid import UUID

    from sqlalchemy import RowMapping, Select

    from app.audit.merkle import Place
    from app.db.engine import ReadSession


class Position(NamedTuple):
    """The place of a leaf among all leaves of all epochs."""

    epoch: int
    leaf_index: int


START = Position(0, -1)
"""Before the first leaf."""


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """A leaf at its place, byte for byte, with the two columns by which it is found."""

    position: Position
    event_id: UUID
    subject: UUID | None
    leaf: bytes


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A head as signed, and the root it was stored under."""

    size: int
    root: bytes
    note: str


_NODES = text("""
    SELECT level, idx, hash FROM audit_node
    WHERE epoch = :epoch AND (level, idx) IN (SELECT * FROM unnest(:levels, :indexes))
""").bindparams(
    bindparam("epoch", type_=SmallInteger),
    bindparam("levels", type_=ARRAY(SmallInteger)),
    bindparam("indexes", type_=ARRAY(BigInteger)),
)

_NODES_UNDER = text("""
    SELECT n.level, n.idx, n.hash
    FROM unnest(:levels, :starts, :ends) AS w (level, low, high)
    JOIN audit_node n ON n.epoch = :epoch AND n.level = w.level AND n.idx >= w.low AND n.idx < w.high
""").bindparams(
    bindparam("epoch", type_=SmallInteger),
    bindparam("levels", type_=ARRAY(SmallInteger)),
    bindparam("starts", type_=ARRAY(BigInteger)),
    bindparam("ends", type_=ARRAY(BigInteger)),
)

MAX_LEVEL = 62


async def nodes(session: ReadSession, epoch: int, wanted: Iterable[Place]) -> dict[Place, bytes]:
    """The hashes of these complete subtrees, all in one query; those that are not stored are absent."""
    listed = list(wanted)
    values = {"epoch": epoch, "levels": [level for level, _ in listed], "indexes": [index for _, index in listed]}
    rows = await session.execute(_NODES, values)
    return {(row.level, row.idx): row.hash for row in rows}


async def nodes_completed(session: ReadSession, epoch: int, *, start: int, end: int) -> dict[Place, bytes]:
    """The nodes that leaves from `start` up to but not including `end` complete, at every level."""
    spans = [(level, start >> level, end >> level) for level in range(MAX_LEVEL + 1)]
    spans = [span for span in spans if span[1] < span[2]]
    levels, starts, ends = (list(column) for column in zip(*spans, strict=True))
    rows = await session.execute(_NODES_UNDER, {"epoch": epoch, "levels": levels, "starts": starts, "ends": ends})
    return {(row.level, row.idx): row.hash for row in rows}


async def checkpoint_of(session: ReadSession, epoch: int, size: int) -> StoredCheckpoint | None:
    """The head signed for exactly this size, published or not."""
    query = select(audit_checkpoint).where(audit_checkpoint.c.epoch == epoch, audit_checkpoint.c.size == size)
    row = (await session.execute(query)).mappings().first()
    return None if row is None else StoredCheckpoint(row["size"], row["root"], row["note"])


async def checkpoints_between(
    session: ReadSession, epoch: int, *, above: int, up_to: int | None
) -> list[StoredCheckpoint]:
    """Heads of sizes from above `above` to `up_to` (without it: all that follow), by size, published or not."""
    query = select(audit_checkpoint).where(audit_checkpoint.c.epoch == epoch, audit_checkpoint.c.size > above)
    if up_to is not None:
        query = query.where(audit_checkpoint.c.size <= up_to)
    rows = (await session.execute(query.order_by(audit_checkpoint.c.size))).mappings()
    return [StoredCheckpoint(row["size"], row["root"], row["note"]) for row in rows]


async def leaves_from(session: ReadSession, tree: Tree, *, start: int, limit: int) -> list[StoredLeaf]:
    """Leaves of one tree from index `start` on, published or not: for those who check the log, not for lists."""
    query = select(audit_leaf).where(audit_leaf.c.epoch == tree.epoch, audit_leaf.c.leaf_index >= start)
    return _leaves((await session.execute(query.order_by(audit_leaf.c.leaf_index).limit(limit))).mappings())


async def leaf_of_event(session: ReadSession, event_id: UUID) -> StoredLeaf | None:
    """The leaf of one event, if it has got its index, published or not."""
    found = _leaves((await session.execute(select(audit_leaf).where(audit_leaf.c.event_id == event_id))).mappings())
    return found[0] if found else None


async def is_pending(session: ReadSession, event_id: UUID) -> bool:
    """Whether the event is on record and still waits for its index."""
    query = select(audit_pending.c.id).where(audit_pending.c.event_id == event_id)
    return await session.scalar(query) is not None


async def tree_of_epoch(session: ReadSession, epoch: int) -> Tree:
    """The tree that has this number; a leaf is never without one."""
    row = (await session.execute(select(audit_tree).where(audit_tree.c.epoch == epoch))).mappings().one()
    return Tree(row["epoch"], row["origin"], row["size"], row["published_size"])


async def published_leaves(
    session: ReadSession, *, after: Position, limit: int, subjects: Collection[UUID] | None = None
) -> list[StoredLeaf]:
    """The next leaves behind `after` in order of the log, of all cases or of these; nothing unpublished."""
    query: Select[Any] = (
        select(audit_leaf)
        .join(audit_tree, audit_tree.c.epoch == audit_leaf.c.epoch)
        .where(audit_leaf.c.leaf_index < audit_tree.c.published_size)
        .where(tuple_(audit_leaf.c.epoch, audit_leaf.c.leaf_index) > tuple_(*after))
        .order_by(audit_leaf.c.epoch, audit_leaf.c.leaf_index)
        .limit(limit)
    )
    if subjects is not None:
        query = query.where(audit_leaf.c.subject.in_(subjects))
    return _leaves((await session.execute(query)).mappings())


async def openings(session: ReadSession, event_ids: Sequence[UUID]) -> dict[UUID, list[Opening]]:
    """What is still there to open the commitments of these events; erased ones are absent."""
    query = select(commitment).where(commitment.c.event_id == func.any(bindparam("ids", list(event_ids))))
    found: dict[UUID, list[Opening]] = {}
    for row in (await session.execute(query.order_by(commitment.c.field))).mappings():
        found.setdefault(row["event_id"], []).append(Opening(row["field"], row["salt"], row["body"]))
    return found


def _leaves(rows: Iterable[RowMapping]) -> list[StoredLeaf]:
    return [
        StoredLeaf(Position(row["epoch"], row["leaf_index"]), row["event_id"], row["subject"], row["leaf"])
        for row in rows
    ]
