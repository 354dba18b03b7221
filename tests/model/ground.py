"""What all nodes stand on: the clock, the names, the directory, the courier, and the rules that are in force.

And a node: what it has committed, and what it would lose if it died now.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from app.domain.codes import Lane
from tests.model.courier import Courier
from tests.model.values import CODES, KEYS, START, Store
from tests.model.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from app.db.tables_delivery import Trouble
    from tests.model.rules import Rule
    from tests.model.values import Parcel, Text

LANES = (Lane.URGENT, Lane.ROUTINE)


class DiedError(Exception):
    """The process is gone; what it had not committed never happened."""


@dataclass(slots=True)
class Ground:
    """The world around the nodes. `revoked` is the directory as its keepers have it, one version after the other."""

    without: frozenset[Rule] = frozenset()
    fifo: bool = True
    now: datetime = START
    courier: Courier = field(init=False)
    nodes: dict[str, Node] = field(init=False)
    witness: Witness = field(default_factory=Witness)
    versions: list[dict[str, datetime]] = field(default_factory=lambda: [{}])
    texts: dict[str, Text] = field(default_factory=dict)
    named: int = 0
    numbered: int = 0

    def __post_init__(self) -> None:
        self.courier = Courier(self.fifo)
        self.nodes = {code: Node(code, self) for code in CODES}

    def keeps(self, rule: Rule) -> bool:
        """Whether the nodes of this world know the rule."""
        return rule not in self.without

    def new_id(self) -> UUID:
        """A name nobody has; later ones are greater, as UUIDv7 are."""
        self.named += 1
        return UUID(int=(0x019AAB1C << 96) + (7 << 76) + (8 << 60) + self.named)

    def new_number(self) -> int:
        """The courier's number for one publication."""
        self.numbered += 1
        return self.numbered

    def jitter(self) -> float:
        """A number in [0, 1), another each time and the same in each run."""
        return (self.numbered * 0.618) % 1


@dataclass(slots=True)
class Handed:
    """Parcels of one lane that a process has in hand; acknowledged together."""

    lane: Lane
    parcels: list[Parcel]


@dataclass(slots=True)
class Round:
    """A round of the relay between its two commits: what is still to be published, and what became of the rest."""

    lane: Lane
    lease_until: datetime
    pending: list[tuple[int, Parcel]]
    ended: list[tuple[int, int, Trouble | None]] = field(default_factory=list)


@dataclass(slots=True)
class Node:
    """A contact point. `store` and `past` are on disk; `version` and `reads` are its files; the rest is memory."""

    code: str
    ground: Ground
    store: Store = field(default_factory=Store)
    past: list[Store] = field(default_factory=list)
    version: int = 0
    reads_all: bool = False
    rounds: list[Round] = field(default_factory=list)
    hands: list[Handed] = field(default_factory=list)
    was_restored: bool = False

    @property
    def now(self) -> datetime:
        """Its clock."""
        return self.ground.now

    @property
    def directory(self) -> dict[str, datetime]:
        """Revoked keys and since when, as far as this node has heard."""
        return self.ground.versions[self.version]

    @property
    def key(self) -> str:
        """The key it signs with."""
        keys = (f"{self.code}-{number}" for number in range(1, KEYS + 1))
        return next(key for key in keys if key not in self.directory)

    @property
    def peers(self) -> tuple[str, ...]:
        """The other contact points."""
        return tuple(code for code in CODES if code != self.code)

    def keeps(self, rule: Rule) -> bool:
        """Whether the rule is in force."""
        return self.ground.keeps(rule)

    @contextmanager
    def transaction(self) -> Iterator[Store]:
        """A copy to work on; committed at the end, or gone with whatever was raised."""
        work = self.store.copy()
        self.ground.witness.begin()
        yield work
        before, self.store = self.store, work
        self.past.append(before)
        self.ground.witness.commit(self.code)

    def die(self) -> None:
        """Lose everything that is not on disk; what was in hand goes back to the courier."""
        self.rounds.clear()
        for handed in reversed(self.hands):
            self.ground.courier.give_back(self.code, handed.lane, handed.parcels)
        self.hands.clear()
