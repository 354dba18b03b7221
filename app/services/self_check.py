"""The whole log counted again from its rows: every leaf, node, checkpoint and content that is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.checkpoint import Checkpoint, open_checkpoint
from app.audit.recount import BadLeaves, Recount
from app.audit.strict import NotVerified, require
from app.audit.verify import Report, Verdict, invalid, judge
from app.db import audit_log, audit_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app.audit.leaf import Leaf
    from app.audit.merkle import Node, Place
    from app.audit.note import VerifierKey
    from app.db.audit_log import Tree
    from app.db.audit_reading import StoredLeaf
    from app.db.engine import ReadSession

PAGE = 2_000
"""Leaves per round of four queries."""


async def check_log(
    session: ReadSession,
    log: VerifierKey,
    *,
    anchored: Checkpoint | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Recompute the log `log.name` from its leaves and compare everything stored about it; changes nothing.

    The first index that is not as it was signed is named in the report. `anchored` is held against the log like a
    checkpoint. `progress` is told (leaves done, leaves in all) after each page. The session has to be one snapshot
    (`app.db.engine.reading`): the log may grow meanwhile.
    """
    recount = Recount(log.name)
    heads: list[Checkpoint] = []
    tree = await audit_log.load_tree(session, log.name)
    if tree is None:
        return Report(Verdict.INCOMPLETE, log.name, problem="this database holds no such log")
    try:
        while recount.size < tree.size:
            heads += await _check_page(session, tree, recount=recount, log=log, anchored=anchored)
            if progress is not None:
                progress(recount.size, tree.size)
        if anchored is not None and anchored.origin == log.name:
            require(anchored.size <= tree.size, "log_behind_anchor", "the log is shorter than the anchor says")
        later = await audit_reading.checkpoints_between(session, tree.epoch, above=tree.size, up_to=None)
        require(not later, "log_shrunk", "a checkpoint was signed for more leaves than the log has")
    except NotVerified as fault:
        return invalid(recount, fault, checkpoints=len(heads))
    return judge(recount, heads, contents=True)


async def _check_page(
    session: ReadSession, tree: Tree, *, recount: Recount, log: VerifierKey, anchored: Checkpoint | None
) -> Sequence[Checkpoint]:
    start = recount.size
    end = min(start + PAGE, tree.size)
    leaves = await audit_reading.leaves_from(session, tree, start=start, limit=end - start)
    nodes = await audit_reading.nodes_completed(session, tree.epoch, start=start, end=end)
    opened = await audit_reading.openings(session, [leaf.event_id for leaf in leaves])
    heads = await _heads(session, tree, log=log, above=start, up_to=end)
    due = [*heads, *([anchored] if anchored is not None and anchored.origin == log.name else [])]
    for stored in leaves:
        index = recount.size
        if stored.position.leaf_index != index:
            break
        leaf, complete = recount.add(stored.leaf, opened.get(stored.event_id, []))
        _check_columns(stored, leaf)
        _check_nodes(complete, nodes)
        for head in due:
            if head.size == recount.size:
                recount.compare(head)
    if recount.size < end:
        raise BadLeaves("leaf_missing", f"leaf {recount.size} is missing", first=recount.size, last=recount.size)
    return heads


async def _heads(session: ReadSession, tree: Tree, *, log: VerifierKey, above: int, up_to: int) -> Sequence[Checkpoint]:
    found = []
    for stored in await audit_reading.checkpoints_between(session, tree.epoch, above=above, up_to=up_to):
        checkpoint = open_checkpoint(stored.note, log).checkpoint
        same = (checkpoint.size, checkpoint.root) == (stored.size, stored.root)
        require(same, "checkpoint_differs", f"checkpoint {stored.size} is stored under another size or root")
        found.append(checkpoint)
    return found


def _check_columns(stored: StoredLeaf, leaf: Leaf) -> None:
    """A leaf filed under another event or case would be missing where people look for it."""
    index = stored.position.leaf_index
    subject = None if leaf.thread is None else leaf.thread.removeprefix("att:")
    filed = None if stored.subject is None else str(stored.subject)
    if (str(stored.event_id), filed) != (leaf.id, subject):
        raise BadLeaves("leaf_misfiled", f"leaf {index} is filed under another event or case", first=index, last=index)


def _check_nodes(complete: Sequence[Node], stored: dict[Place, bytes]) -> None:
    for level, index, hashed in complete:
        if stored.get((level, index)) != hashed:
            first, last = index << level, ((index + 1) << level) - 1
            raise BadLeaves("node_differs", f"the node over leaves {first} to {last} differs", first=first, last=last)
