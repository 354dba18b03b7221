"""Trees, keys and whole logs for the tests of this room, built from counters instead of chance."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.checkpoint import Checkpoint, sign_checkpoint
from app.audit.facts import JSON, Fact, FactType, seal_fact
from app.audit.merkle import Node, fold, grow, leaf_hash
from app.audit.note import VerifierKey, verifier_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.audit.leaf import Opening

ORIGIN = "counterpart.example/xa/2026"
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
LOG = verifier_key(ORIGIN, KEY)
THREAD = "0193523a-7a00-7000-8000-000000000001"


def repeatable(seed: str = "") -> Callable[[int], bytes]:
    """Bytes that differ at each call and are the same in each run."""
    calls = iter(range(1 << 32))

    def draw(length: int) -> bytes:
        return hashlib.shake_256(f"{seed}/{next(calls)}".encode()).digest(length)

    return draw


@dataclass
class Tree:
    """All complete subtrees over some leaf hashes."""

    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    edge: list[Node] = field(default_factory=list)
    roots: list[bytes] = field(default_factory=lambda: [fold([])])

    def lookup(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


def tree_of(entries: Sequence[bytes]) -> Tree:
    """The tree over these leaf contents, with the root of every size on the way."""
    tree = Tree()
    for index, entry in enumerate(entries):
        for level, at, hashed in grow(tree.edge, index, leaf_hash(entry)):
            tree.nodes[level, at] = hashed
        tree.roots.append(fold([hashed for _, _, hashed in tree.edge]))
    return tree


@dataclass
class Log:
    """A small log of sealed facts, with what an export of it would hold."""

    leaves: list[bytes]
    openings: list[tuple[int, Opening]]
    tree: Tree

    def checkpoint(self, size: int) -> Checkpoint:
        return Checkpoint(ORIGIN, size, self.tree.roots[size])

    def note(self, size: int, key: Ed25519PrivateKey = KEY) -> str:
        return sign_checkpoint(self.checkpoint(size), key)


def log_of(count: int, contents: Mapping[str, JSON] | None = None) -> Log:
    """A log of `count` facts one second apart, each with the same contents under different salts."""
    random = repeatable("log")
    fact = Fact(FactType.CASE_CHANGED, thread=THREAD, contents=contents or {})
    sealed = [
        seal_fact(fact, origin=ORIGIN, actor="u:9f3c", at=NOW + timedelta(seconds=index), random=random)
        for index in range(count)
    ]
    leaves = [one.leaf for one in sealed]
    openings = [(index, opening) for index, one in enumerate(sealed) for opening in one.openings]
    return Log(leaves, openings, tree_of(leaves))


def public(key: Ed25519PrivateKey, name: str = ORIGIN) -> VerifierKey:
    """The plain verifier key of a private key."""
    return verifier_key(name, key)
