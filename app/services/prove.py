"""What the log can show: its head, proofs against that head, and all of it for someone who counts again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from app.audit.merkle import consistency_ranges, inclusion_ranges, places, range_hash
from app.audit.proof import LogProof, format_proof
from app.audit.strict import to_base64
from app.db import audit_log, audit_reading
from app.errors import FieldError, LogBroken, Refused, Unavailable, Unknown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from uuid import UUID

    from app.audit.merkle import Range
    from app.db.audit_log import Tree
    from app.db.audit_reading import StoredCheckpoint, StoredLeaf
    from app.db.engine import ReadSession

EXPORT_PAGE = 2_000
"""Leaves per query of an export: about a megabyte."""

RETRY_AFTER_SECONDS = 2
"""A fact has its proof after one round of the sequencer and one write of the anchor."""


async def newest_checkpoint(session: ReadSession, origin: str) -> str:
    """The newest head that may leave the node, as signed. Raises `Unavailable` before the first one."""
    return (await _published_head(session, await _tree(session, origin))).note


async def prove_event(session: ReadSession, event_id: UUID) -> str:
    """The C2SP tlog-proof of one event against the newest published head of its log.

    Raises `Unknown` for an event this node never recorded, `Unavailable` for one that no published head covers yet
    (it will be covered within seconds).
    """
    leaf = await audit_reading.leaf_of_event(session, event_id)
    if leaf is None:
        if await audit_reading.is_pending(session, event_id):
            raise _too_early("This event is recorded and waits for the next checkpoint.")
        raise Unknown("event_unknown", "There is no such event.")
    tree = await audit_reading.tree_of_epoch(session, leaf.position.epoch)
    index = leaf.position.leaf_index
    if index >= tree.published_size:
        raise _too_early("This event is recorded and waits for the next checkpoint.")
    head = await _published_head(session, tree)
    hashes = await _hashes(session, tree, inclusion_ranges(index, head.size))
    return format_proof(LogProof(index, tuple(hashes), head.note))


async def prove_consistency(session: ReadSession, origin: str, *, old: int, new: int) -> list[bytes]:
    """The hashes by which anyone can check that the log of size `new` begins with the log of size `old`.

    Raises `Refused` unless 0 < old <= new <= the published size.
    """
    tree = await _tree(session, origin)
    if not 0 < old <= new:
        raise _sizes_refused("?from", "This must be above 0 and not above `to`.")
    if new > tree.published_size:
        raise _sizes_refused("?to", "This must not be above the size of the newest checkpoint.")
    return await _hashes(session, tree, consistency_ranges(old, new))


def _sizes_refused(parameter: str, detail: str) -> Refused:
    return Refused("sizes_out_of_range", detail, errors=(FieldError(parameter, "out_of_range", detail),))


async def export_leaves(session: ReadSession, origin: str) -> AsyncIterator[bytes]:
    """Every published leaf, one line each, exactly as hashed: the *leaves* of `app/audit/verify.py`."""
    async for page in _pages(session, await _tree(session, origin)):
        for leaf in page:
            yield leaf.leaf + b"\n"


async def export_notes(session: ReadSession, origin: str) -> AsyncIterator[bytes]:
    """Every published checkpoint, one JSON object `{"note": …}` per line."""
    tree = await _tree(session, origin)
    for head in await audit_reading.checkpoints_between(session, tree.epoch, above=0, up_to=tree.published_size):
        yield json.dumps({"note": head.note}, ensure_ascii=False).encode() + b"\n"


async def export_openings(session: ReadSession, origin: str) -> AsyncIterator[bytes]:
    """What opens the commitments of the published leaves, in their order: personal data, to be handled as such."""
    async for page in _pages(session, await _tree(session, origin)):
        opened = await audit_reading.openings(session, [leaf.event_id for leaf in page])
        for leaf in page:
            for opening in opened.get(leaf.event_id, []):
                line = {
                    "index": leaf.position.leaf_index,
                    "field": opening.field,
                    "salt": to_base64(opening.salt),
                    "body": opening.body.decode(),
                }
                yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


def _too_early(detail: str) -> Unavailable:
    return Unavailable("not_yet_published", detail, retry_after=RETRY_AFTER_SECONDS)


async def _pages(session: ReadSession, tree: Tree) -> AsyncIterator[Sequence[StoredLeaf]]:
    for start in range(0, tree.published_size, EXPORT_PAGE):
        limit = min(EXPORT_PAGE, tree.published_size - start)
        yield await audit_reading.leaves_from(session, tree, start=start, limit=limit)


async def _tree(session: ReadSession, origin: str) -> Tree:
    tree = await audit_log.load_tree(session, origin)
    if tree is None:
        raise _too_early("The log of this node has not been opened yet.")
    return tree


async def _published_head(session: ReadSession, tree: Tree) -> StoredCheckpoint:
    if tree.published_size == 0:
        raise _too_early("The log of this node has not published a checkpoint yet.")
    head = await audit_reading.checkpoint_of(session, tree.epoch, tree.published_size)
    if head is None:
        raise LogBroken("log_head_missing", "the published head of the audit log is missing")
    return head


async def _hashes(session: ReadSession, tree: Tree, ranges: Sequence[Range]) -> list[bytes]:
    """All hashes of a proof from one query."""
    wanted = {place for span in ranges for place in places(*span)}
    stored = await audit_reading.nodes(session, tree.epoch, wanted)
    if len(stored) != len(wanted):
        raise LogBroken("log_nodes_missing", "nodes of the audit tree are missing")
    return [range_hash(span, lambda level, index: stored[level, index]) for span in ranges]
