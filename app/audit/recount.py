"""A log counted again from its leaves, and held against what the log signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.leaf import Leaf, Opening, check_opening, read_leaf
from app.audit.merkle import HASH_BYTES, Node, fold, grow, leaf_hash
from app.audit.strict import NotVerified, require

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.audit.checkpoint import Checkpoint


class BadLeaves(NotVerified):
    """The fault lies among the leaves `first` to `last`: one where it can be pinned down."""

    def __init__(self, code: str, detail: str, *, first: int, last: int) -> None:
        super().__init__(code, detail)
        self.first = first
        self.last = last


class Recount:
    """Rebuilds the log `origin` leaf by leaf, in order; holds the right edge of the tree and some counters only.

    After a fault it is of no further use.
    """

    __slots__ = ("edge", "erased", "opened", "origin", "pruned", "size", "vouched")

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.edge: list[Node] = []
        self.size = 0
        self.vouched = 0
        self.opened = 0
        self.erased = 0
        self.pruned = 0

    def add(self, raw: bytes, openings: Iterable[Opening] | None = None) -> tuple[Leaf, list[Node]]:
        """Take the next leaf; returns it with the nodes it completes. Raises `BadLeaves` about this very leaf.

        With `openings`, every commitment that none of them opens counts as erased.
        """
        try:
            leaf = read_leaf(raw)
            require(leaf.log == self.origin, "leaf_log", "a leaf of another log")
            if openings is not None:
                self._open(leaf, openings)
        except NotVerified as fault:
            raise self._here(fault) from fault
        return leaf, self._grow(leaf_hash(raw))

    def add_pruned(self, hashed: bytes) -> list[Node]:
        """Take the next leaf where only its hash is left: its place is checked, its words cannot be."""
        try:
            require(len(hashed) == HASH_BYTES, "leaf_form", "a leaf hash of the wrong length")
        except NotVerified as fault:
            raise self._here(fault) from fault
        self.pruned += 1
        return self._grow(hashed)

    def compare(self, checkpoint: Checkpoint) -> None:
        """Return only if the leaves so far are what this checkpoint, of exactly this size, was signed over."""
        if fold([hashed for _, _, hashed in self.edge]) != checkpoint.root:
            detail = f"the leaves do not lead to the root that was signed for size {self.size}"
            raise BadLeaves("root_differs", detail, first=self.vouched, last=self.size - 1)
        self.vouched = self.size

    def _open(self, leaf: Leaf, openings: Iterable[Opening]) -> None:
        opened = set()
        for opening in openings:
            check_opening(leaf, opening)
            require(opening.field not in opened, "opening_twice", f"{opening.field} is opened twice")
            opened.add(opening.field)
        self.opened += len(opened)
        self.erased += len(leaf.commitments) - len(opened)

    def _grow(self, hashed: bytes) -> list[Node]:
        complete = grow(self.edge, self.size, hashed)
        self.size += 1
        return complete

    def _here(self, fault: NotVerified) -> BadLeaves:
        return BadLeaves(fault.code, fault.detail, first=self.size, last=self.size)
