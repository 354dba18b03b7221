"""Writing the audit log: facts wait in `audit_pending`, the sequencer moves them into the tree.

Nothing here decides an order or a root; that is `services/sequence.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, Text, Uuid, bindparam, delete, exists, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from app.db.tables_audit import (
    audit_checkpoint,
    audit_leaf,
    audit_node,
    audit_pending,
    audit_tree,
    commitment,
    read_fact,
)
from app.errors import LogBroken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.audit.checkpoint import Checkpoint
    from app.audit.facts import SealedFact
    from app.audit.merkle import Node
    from app.db.engine import ReadSession, Session

ONE_SEQUENCER = 0x61756469746C6F67
"""Key of the advisory lock: the word `auditlog` in ASCII."""

ONE_SITTING = timedelta(minutes=15)
"""Opening a case again within this time is the same reading of it (design ruling 23)."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One epoch of the log. Leaves up to `published_size` are behind a checkpoint that may have left the node."""

    epoch: int
    origin: str
    size: int
    published_size: int


@dataclass(frozen=True, slots=True)
class PendingLeaf:
    """A fact that has no index yet. `id` is the order of arrival and no more; `origin`: the log it was sealed for."""

    id: int
    event_id: UUID
    subject: UUID | None
    leaf: bytes
    origin: str


# Both inserts are one statement however many facts there are: recording is part of every business transaction.
_APPEND = text("""
    WITH fact AS (
        INSERT INTO audit_pending (event_id, origin, subject, leaf)
        SELECT event_id, :origin, subject, leaf
        FROM unnest(:event_ids, :subjects, :leaves) WITH ORDINALITY AS f (event_id, subject, leaf, place)
        ORDER BY place
    )
    INSERT INTO commitment (event_id, field, salt, body)
    SELECT * FROM unnest(:opened, :fields, :salts, :bodies)
""").bindparams(
    bindparam("origin", type_=Text),
    *(bindparam(name, type_=ARRAY(Uuid)) for name in ("event_ids", "subjects", "opened")),
    *(bindparam(name, type_=ARRAY(LargeBinary)) for name in ("leaves", "salts", "bodies")),
    bindparam("fields", type_=ARRAY(Text)),
)


async def append(session: Session, facts: Sequence[SealedFact], *, origin: str) -> None:
    """Store facts for the sequencer of `origin`, and their openings; they become real when the caller commits."""
    openings = [(fact.event_id, opening) for fact in facts for opening in fact.openings]
    await session.execute(
        _APPEND,
        {
            "origin": origin,
            "event_ids": [fact.event_id for fact in facts],
            "subjects": [fact.subject for fact in facts],
            "leaves": [fact.leaf for fact in facts],
            "opened": [event_id for event_id, _ in openings],
            "fields": [opening.field for _, opening in openings],
            "salts": [opening.salt for _, opening in openings],
            "bodies": [opening.body for _, opening in openings],
        },
    )


async def add_openings(session: Session, fact: SealedFact) -> None:
    """Store the openings of a fact that goes into the tree without waiting: the first leaf of a log."""
    rows = [
        {"event_id": fact.event_id, "field": opening.field, "salt": opening.salt, "body": opening.body}
        for opening in fact.openings
    ]
    if rows:
        await session.execute(insert(commitment), rows)


async def try_lock(session: Session) -> bool:
    """Become the only sequencer of this database until the transaction ends, or learn that another one is at work."""
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(ONE_SEQUENCER))))


async def take_role(session: Session, role: str) -> None:
    """Act as `role` until the transaction ends."""
    quoted = role.replace('"', '""')
    await session.execute(text(f'SET LOCAL ROLE "{quoted}"'))


async def load_tree(session: ReadSession, origin: str, *, for_update: bool = False) -> Tree | None:
    """The tree of one origin. `for_update` holds the row, which alone stops a second writer that ignores the lock."""
    query = select(audit_tree).where(audit_tree.c.origin == origin)
    row = (await session.execute(query.with_for_update() if for_update else query)).mappings().first()
    return None if row is None else Tree(row["epoch"], row["origin"], row["size"], row["published_size"])


async def is_newest(session: ReadSession, tree: Tree) -> bool:
    """Whether no later epoch has been opened."""
    return bool(await session.scalar(select(func.max(audit_tree.c.epoch) == tree.epoch)))


async def is_at_rest(session: ReadSession, head: Checkpoint) -> bool:
    """Whether `head` is that of the newest tree, in this database too, it was published, and no fact waits."""
    newest = select(func.max(audit_tree.c.epoch)).scalar_subquery()
    query = select(audit_tree.c.epoch).where(
        audit_tree.c.origin == head.origin,
        audit_tree.c.epoch == newest,
        audit_tree.c.size == head.size,
        audit_tree.c.published_size == head.size,
        audit_checkpoint.c.epoch == audit_tree.c.epoch,
        audit_checkpoint.c.size == head.size,
        audit_checkpoint.c.root == head.root,
        ~exists(select(audit_pending.c.id)),
    )
    return (await session.execute(query)).first() is not None


async def create_tree(session: Session, origin: str, *, now: datetime) -> Tree:
    """Add the next epoch, still empty; the caller appends its first leaf in the same transaction."""
    epoch = select(func.coalesce(func.max(audit_tree.c.epoch), 0) + 1).scalar_subquery()
    values = {"epoch": epoch, "origin": origin, "size": 0, "published_size": 0, "opened_at": now}
    created = await session.scalar(insert(audit_tree).values(values).returning(audit_tree.c.epoch))
    return Tree(created or 0, origin, 0, 0)


async def take_batch(session: ReadSession, *, limit: int) -> list[PendingLeaf]:
    """The oldest waiting facts, whichever epoch they were sealed for.

    Always what is still there, never "id above the last one seen": ids are drawn before commit, so a slow transaction
    appears later with a smaller id.
    """
    query = select(audit_pending).order_by(audit_pending.c.id).limit(limit)
    rows = (await session.execute(query)).mappings()
    return [PendingLeaf(row["id"], row["event_id"], row["subject"], row["leaf"], row["origin"]) for row in rows]


async def add_leaves(session: Session, tree: Tree, *, leaves: Sequence[PendingLeaf], nodes: Sequence[Node]) -> None:
    """Append leaves from index `tree.size` on, and the nodes they complete, by COPY.

    COPY is the driver's own: it runs inside this transaction because the session has already executed a statement.
    """
    connection: Any = (await session.get_raw_connection()).driver_connection
    await connection.copy_records_to_table(
        audit_leaf.name,
        columns=("epoch", "leaf_index", "event_id", "subject", "leaf"),
        records=[
            (tree.epoch, index, leaf.event_id, leaf.subject, leaf.leaf)
            for index, leaf in enumerate(leaves, start=tree.size)
        ],
    )
    await connection.copy_records_to_table(
        audit_node.name,
        columns=("epoch", "level", "idx", "hash"),
        records=[(tree.epoch, level, index, hashed) for level, index, hashed in nodes],
    )


async def add_checkpoint(session: Session, tree: Tree, *, checkpoint: Checkpoint, note: str, now: datetime) -> None:
    """Store a signed head. A second one for the same size breaks the primary key, and the transaction with it."""
    values = {"epoch": tree.epoch, "size": checkpoint.size, "root": checkpoint.root, "note": note, "at": now}
    await session.execute(insert(audit_checkpoint).values(values))


async def advance_tree(session: Session, tree: Tree, *, size: int) -> None:
    """Compare and swap: raises `LogBroken` when the tree no longer has the size that was read."""
    moved = await session.execute(
        update(audit_tree).where(audit_tree.c.epoch == tree.epoch, audit_tree.c.size == tree.size).values(size=size)
    )
    if moved.rowcount != 1:
        raise LogBroken("log_moved", "another writer extended the audit log at the same time")


async def drop_pending(session: Session, leaves: Sequence[PendingLeaf]) -> None:
    """Take away what now stands in the tree."""
    ids = [leaf.id for leaf in leaves]
    await session.execute(delete(audit_pending).where(audit_pending.c.id == func.any(bindparam("ids", ids))))


async def mark_published(session: Session, checkpoint: Checkpoint) -> None:
    """Allow checkpoints up to this one to leave the node; never takes a permission back."""
    moved = await session.execute(
        update(audit_tree)
        .where(audit_tree.c.origin == checkpoint.origin, audit_tree.c.size >= checkpoint.size)
        .values(published_size=func.greatest(audit_tree.c.published_size, checkpoint.size))
    )
    if moved.rowcount != 1:
        raise LogBroken("log_behind_anchor", "a checkpoint was to be published that this database does not hold")


async def remember_read(session: Session, person_id: UUID, *, subject: UUID, now: datetime) -> bool:
    """True when this reading of the case needs a fact of its own: once per person, case and `ONE_SITTING`.

    Two readings at the same moment agree on one of them being first.
    """
    first = upsert(read_fact).values(person_id=person_id, subject=subject, at=now)
    again = first.on_conflict_do_update(
        index_elements=[read_fact.c.person_id, read_fact.c.subject],
        set_={"at": now},
        # Both ways: a clock that was once far ahead must not silence the facts of the days until then.
        where=or_(read_fact.c.at <= now - ONE_SITTING, read_fact.c.at >= now + ONE_SITTING),
    )
    return await session.scalar(again.returning(read_fact.c.person_id)) is not None
