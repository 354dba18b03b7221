"""The audit trail of one case: its leaves, and what still opens them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.audit.leaf import Leaf, commitment_of, read_leaf
from app.db import audit_reading

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from app.audit.leaf import Opening
    from app.db.audit_reading import Position, StoredLeaf
    from app.db.engine import ReadSession


@dataclass(frozen=True, slots=True)
class Entry:
    """One leaf with its contents. A commitment is in exactly one of the three: open, lawfully erased, or altered."""

    stored: StoredLeaf
    leaf: Leaf
    contents: Mapping[str, Any]
    erased: Sequence[str]
    altered: Sequence[str]


async def read_entries(session: ReadSession, cases: Collection[UUID], *, after: Position, limit: int) -> list[Entry]:
    """The next leaves of these cases behind `after`, opened; what opens nothing any more is named, never guessed."""
    leaves = await audit_reading.published_leaves(session, after=after, limit=limit, subjects=cases)
    opened = await audit_reading.openings(session, [leaf.event_id for leaf in leaves])
    return [_entry(stored, opened.get(stored.event_id, [])) for stored in leaves]


def _entry(stored: StoredLeaf, openings: Sequence[Opening]) -> Entry:
    leaf = read_leaf(stored.leaf)
    fitting = {
        opening.field: opening for opening in openings if leaf.commitments.get(opening.field) == commitment_of(opening)
    }
    held = {opening.field for opening in openings}
    return Entry(
        stored,
        leaf,
        contents={name: json.loads(opening.body) for name, opening in fitting.items()},
        erased=sorted(leaf.commitments.keys() - held),
        altered=sorted(held - fitting.keys()),
    )
