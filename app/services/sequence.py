"""Pending facts get their index and a checkpoint is signed over them: the only place where the log grows.

The order of the commit points, and what a crash between them leaves:

1. `sequence_once` appends and signs inside the caller's transaction. Before its commit nothing has happened: the facts
   are still pending, and the signature has left neither process nor database.
2. The caller commits. A crash now leaves a signed head that nobody outside has seen; the next `sequence_once` returns
   it again although nothing is pending, and the steps below are done then.
3. The caller writes the anchor (`app/anchor.py`), durably. A crash now leaves an anchor equal to the database; again
   the next `sequence_once` returns the head.
4. `mark_published`. From here on the head may be served, sent and cosigned, and can never be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.audit.checkpoint import Checkpoint, sign_checkpoint
from app.audit.facts import JSON, Fact, FactType, carry_over, seal_fact
from app.audit.merkle import Node, fold, grow, leaf_hash, places
from app.audit.strict import to_base64
from app.db import audit_log, audit_reading, recoveries
from app.db.audit_log import PendingLeaf, Tree
from app.errors import LogBroken
from app.services.node import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from app.db.engine import ReadSession, Session

BEHIND = "log_behind_anchor"
"""The database holds less of the log than left the node: it was restored from a backup, no fault of the log."""

BY_PROOF = "own_text"
"""The anchor fits, yet a text under our own signature came that this database lacks."""

BATCH = 2_000
"""Leaves per transaction: long enough to drain a backlog fast, short enough to hold the tree row for a blink."""


@dataclass(frozen=True, slots=True)
class LogWriter:
    """Who extends the log of this node: its origin, and the key that signs its heads and nothing else.

    `role` is the database role that may insert leaves; without one the session's own user has to have those rights.
    """

    origin: str
    key: Ed25519PrivateKey
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Sequenced:
    """A head that is not published yet, and how many leaves this step added below it (0 when it repairs a crash)."""

    checkpoint: Checkpoint
    note: str
    appended: int


async def open_log(
    session: Session,
    writer: LogWriter,
    *,
    random: Callable[[int], bytes],
    anchored: Checkpoint | None,
    now: datetime,
) -> Sequenced | None:
    """Begin the log `writer.origin` with its first leaf; None when it is open already.

    The leaf is `log.opened`. It is `log.restarted`, with what the anchor last said, when the operator named a new
    epoch and this database does not hold all that this node's word was given for: what is lost is then seen to be lost.
    A recovery that waited for the new epoch has it then, and commands are taken again. Raises `LogBroken` when the
    anchor is of this very log and no recovery is under way: a node that lost it has to be recovered, not opened again.
    """
    if not await audit_log.try_lock(session):
        return None
    if await audit_log.load_tree(session, writer.origin) is not None:
        return None
    fault = None if anchored is None else await find_loss(session, anchored)
    is_shut = await recoveries.is_shut(session)
    if fault is not None and anchored is not None and anchored.origin == writer.origin:
        if is_shut:
            return None
        raise fault
    fact = _first_fact(anchored, fault.code if fault is not None else BY_PROOF if is_shut else None)
    if is_shut:
        await recoveries.reopen(session, now=now)
    first = seal_fact(fact, origin=writer.origin, actor=SYSTEM.pseudonym, at=now, random=random)
    await audit_log.add_openings(session, first)
    await _act_as(session, writer.role)
    tree = await audit_log.create_tree(session, writer.origin, now=now)
    leaves = [PendingLeaf(0, first.event_id, first.subject, first.leaf, writer.origin)]
    return await _extend(session, writer, tree, leaves=leaves, now=now)


async def finish_former(session: Session, writer: LogWriter, *, anchored: Checkpoint | None) -> Sequenced | None:
    """The newest head of the epoch before `writer.origin` that a crash kept from being published; usually None.

    To be anchored and published like any other before the new epoch is opened: afterwards nobody would, and what stands
    in those leaves could never be proved. None as well where that log is not whole, for then its tail proves nothing.
    """
    if anchored is None or anchored.origin == writer.origin or await recoveries.is_shut(session):
        return None
    tree = await audit_log.load_tree(session, anchored.origin)
    if tree is None or tree.size == tree.published_size or await find_loss(session, anchored) is not None:
        return None
    return await _unpublished(session, tree)


async def sequence_once(
    session: Session, writer: LogWriter, *, anchored: Checkpoint | None, now: datetime, limit: int = BATCH
) -> Sequenced | None:
    """Give at most `limit` pending facts their place and sign the new head; None when there is nothing to do.

    Read `anchored` before the transaction begins. While a recovery waits for its new epoch nothing is signed: facts
    wait, and go into the log of that epoch, as do those that an earlier epoch has left. Raises `LogBroken` when anchor,
    tree and nodes contradict each other; nothing is signed then, and the process has to stop.
    """
    if anchored is not None and anchored.origin == writer.origin and await audit_log.is_at_rest(session, anchored):
        # Nearly every look of a quiet night: one statement tells that anchor and tree agree and that nothing waits.
        return None
    if not await audit_log.try_lock(session) or await recoveries.is_shut(session):
        return None
    await _act_as(session, writer.role)
    tree = await audit_log.load_tree(session, writer.origin, for_update=True)
    await _check_anchor(session, writer.origin, tree, anchored)
    if tree is None:
        raise LogBroken("log_not_opened", f"the log {writer.origin} has not been opened in this database")
    if not await audit_log.is_newest(session, tree):
        raise LogBroken("log_superseded", f"a later epoch than {writer.origin} has been opened: COUNTERPART_LOG_EPOCH")
    leaves = await audit_log.take_batch(session, limit=limit)
    if leaves:
        ours = [_for_this_log(leaf, writer.origin) for leaf in leaves]
        done = await _extend(session, writer, tree, leaves=ours, now=now)
        await audit_log.drop_pending(session, leaves)
        return done
    return None if tree.size == tree.published_size else await _unpublished(session, tree)


async def mark_published(session: Session, writer: LogWriter, checkpoint: Checkpoint) -> None:
    """Allow this head to leave the node. Call it only after the anchor holds the head, durably."""
    await _act_as(session, writer.role)
    await audit_log.mark_published(session, checkpoint)


async def _extend(
    session: Session, writer: LogWriter, tree: Tree, *, leaves: Sequence[PendingLeaf], now: datetime
) -> Sequenced:
    edge = await _right_edge(session, tree)
    nodes: list[Node] = []
    for index, leaf in enumerate(leaves, start=tree.size):
        nodes += grow(edge, index, leaf_hash(leaf.leaf))
    size = tree.size + len(leaves)
    checkpoint = Checkpoint(writer.origin, size, fold([hashed for _, _, hashed in edge]))
    note = sign_checkpoint(checkpoint, writer.key)
    await audit_log.add_leaves(session, tree, leaves=leaves, nodes=nodes)
    await audit_log.add_checkpoint(session, tree, checkpoint=checkpoint, note=note, now=now)
    await audit_log.advance_tree(session, tree, size=size)
    return Sequenced(checkpoint, note, len(leaves))


def _first_fact(anchored: Checkpoint | None, found: str | None) -> Fact:
    if found is None:
        return Fact(FactType.LOG_OPENED)
    last: JSON = None
    if anchored is not None:
        last = {"origin": anchored.origin, "size": anchored.size, "root": to_base64(anchored.root)}
    return Fact(FactType.LOG_RESTARTED, contents={"last_known": last, "found": found})


def _for_this_log(leaf: PendingLeaf, origin: str) -> PendingLeaf:
    """What an earlier epoch left waiting, or a gateway that still runs under it has stated, is a fact of this one."""
    return leaf if leaf.origin == origin else replace(leaf, leaf=carry_over(leaf.leaf, origin=origin), origin=origin)


async def _right_edge(session: Session, tree: Tree) -> list[Node]:
    """The complete subtrees at the right edge; refused unless they lead to the head that was signed last."""
    if tree.size == 0:
        return []
    wanted = places(0, tree.size)
    stored = await audit_reading.nodes(session, tree.epoch, wanted)
    if len(stored) != len(wanted):
        raise LogBroken("log_nodes_missing", "nodes of the audit tree are missing")
    head = await audit_reading.checkpoint_of(session, tree.epoch, tree.size)
    if head is None or head.root != fold([stored[place] for place in wanted]):
        raise LogBroken("log_root_differs", "the audit tree does not lead to the head that was signed last")
    return [(level, index, stored[level, index]) for level, index in wanted]


async def _check_anchor(session: Session, origin: str, tree: Tree | None, anchored: Checkpoint | None) -> None:
    """Nothing is signed unless this database holds everything that this node's word was given for (F1, F2).

    An anchor of another epoch is right only until the first head of this one is published.
    """
    published = tree is not None and tree.published_size > 0
    if anchored is None:
        if published:
            raise LogBroken("anchor_missing", "this log has been published, yet there is no anchor to compare it with")
    elif anchored.origin != origin:
        if published:
            raise LogBroken("anchor_of_other_log", "the anchor belongs to another log than the one that was published")
    elif (fault := await find_loss(session, anchored)) is not None:
        raise fault


async def find_loss(session: ReadSession, anchored: Checkpoint) -> LogBroken | None:
    """What keeps this database from being the one that the anchor was written for."""
    tree = await audit_log.load_tree(session, anchored.origin)
    if tree is None or tree.size < anchored.size:
        return LogBroken(BEHIND, "the audit log in this database is older than its anchor: restored?")
    head = await audit_reading.checkpoint_of(session, tree.epoch, anchored.size)
    if head is None or head.root != anchored.root:
        return LogBroken("log_contradicts_anchor", "the audit log in this database is not the one of the anchor")
    return None


async def _unpublished(session: Session, tree: Tree) -> Sequenced:
    head = await audit_reading.checkpoint_of(session, tree.epoch, tree.size)
    if head is None:
        raise LogBroken("log_head_missing", "the newest head of the audit log is missing")
    return Sequenced(Checkpoint(tree.origin, head.size, head.root), head.note, 0)


async def _act_as(session: Session, role: str | None) -> None:
    if role is not None:
        await audit_log.take_role(session, role)
