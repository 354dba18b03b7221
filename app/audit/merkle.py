"""The Merkle tree of RFC 6962 section 2.1: growing it, proving with it, checking proofs. Nothing else.

A node is named (level, index): the complete subtree over the leaves from index << level up to (index + 1) << level.
Whoever stores nodes stores complete subtrees only; they never change. Every other hash is folded from them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias

from app.audit.strict import require

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Place: TypeAlias = tuple[int, int]
Range: TypeAlias = tuple[int, int]
Node: TypeAlias = tuple[int, int, bytes]

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash with the prefix that keeps a leaf from ever passing for a node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash with the prefix that keeps a node from ever passing for a leaf."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def places(start: int, end: int) -> list[Place]:
    """The complete subtrees, largest first, that make up the leaves [start, end) of a range RFC 6962 splits off."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over neighbouring complete subtrees, given largest first; of none at all, the root of nothing."""
    root = hashes[-1] if hashes else EMPTY_ROOT
    for left in hashes[-2::-1]:
        root = node_hash(left, root)
    return root


def range_hash(span: Range, lookup: Callable[[int, int], bytes]) -> bytes:
    """The hash RFC 6962 calls MTH(D[start:end])."""
    return fold([lookup(level, index) for level, index in places(*span)])


def grow(edge: list[Node], index: int, entry: bytes) -> list[Node]:
    """Append the leaf hash `entry` at `index`; returns the nodes now complete, lowest first.

    `edge` holds the complete subtrees of the tree so far, largest first, and is brought up to date in place.
    """
    level, hashed = 0, entry
    complete = [(0, index, hashed)]
    while edge and edge[-1][0] == level:
        hashed = node_hash(edge.pop()[2], hashed)
        level += 1
        index >>= 1
        complete.append((level, index, hashed))
    edge.append(complete[-1])
    return complete


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Whose hashes prove that leaf `index` is in the tree of `size` leaves: sibling of the leaf first."""
    require(0 <= index < size, "proof_range", "no such leaf in a tree of this size")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + (1 << ((end - start - 1).bit_length() - 1))
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Whose hashes prove that the tree of `new` leaves begins with the tree of `old` leaves."""
    require(0 < old <= new, "proof_range", "sizes must be 0 < old <= new")
    start, end, path = 0, new, []
    while end != old:
        middle = start + (1 << ((end - start - 1).bit_length() - 1))
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return ([(start, end)] if start else []) + path[::-1]


def verify_inclusion(entry: bytes, index: int, *, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2: return only if `entry` (a leaf hash) stands at `index` below `root`."""
    require(0 <= index < size, "proof_range", "no such leaf in a tree of this size")
    require(all(len(part) == HASH_BYTES for part in (entry, root, *proof)), "proof_hash", "a hash of the wrong length")
    at, last, hashed = index, size - 1, entry
    for part in proof:
        require(last > 0, "proof_length", "the proof is too long")
        if at & 1 or at == last:
            hashed = node_hash(part, hashed)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            hashed = node_hash(hashed, part)
        at, last = at >> 1, last >> 1
    require(last == 0, "proof_length", "the proof is too short")
    require(hashed == root, "proof_root", "the proof leads to another root")


def verify_consistency(old: int, new: int, *, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """RFC 9162 section 2.1.4.2: return only if the tree below `new_root` begins with the one below `old_root`.

    An old size of 0 is refused: there is nothing to prove, and a caller that means it has to say so itself.
    """
    require(0 < old <= new, "proof_range", "sizes must be 0 < old <= new")
    require(all(len(part) == HASH_BYTES for part in (old_root, new_root, *proof)), "proof_hash", "wrong hash length")
    if old == new:
        require(not proof and old_root == new_root, "proof_root", "one size, two roots")
        return
    require(proof, "proof_length", "the proof is too short")
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for part in path[1:]:
        require(last > 0, "proof_length", "the proof is too long")
        if at & 1 or at == last:
            before, after = node_hash(part, before), node_hash(part, after)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, part)
        at, last = at >> 1, last >> 1
    require(last == 0, "proof_length", "the proof is too short")
    require((before, after) == (old_root, new_root), "proof_root", "the proof leads to other roots")
