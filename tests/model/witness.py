"""Who sees all nodes at once and remembers what none of them may know; each claim that it finds broken has a name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.codes import State
from app.domain.exchange.values import TERMINAL
from app.domain.passage import SETTLING
from app.domain.snapshot import public_view
from app.domain.transitions import BLOCKED_BY_WITHDRAWAL, EXCHANGE_ROWS, X28

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime
    from uuid import UUID

    from app.domain.exchange.values import Exchange
    from tests.model.ground import Node
    from tests.model.values import Kept, Letter, MessageKey, Publication, Record, Text


class BrokenError(AssertionError):
    """A claim of the protocol does not hold; `claim` is its name in `model.py`."""

    def __init__(self, claim: str, what: str) -> None:
        super().__init__(f"{claim}: {what}")
        self.claim = claim


def _pairs() -> frozenset[tuple[State, State]]:
    """From which state to which one write may lead: a row, and X28 before or after it."""
    pairs = {(source, target) for row in EXCHANGE_ROWS for source in row.sources for target in row.targets or (source,)}
    pairs |= {(source, State.CLOSED) for source, target in pairs if target in X28.sources}
    return frozenset(pairs | {(state, state) for state in State})


WALKS = _pairs()


@dataclass(slots=True)
class Seen:
    """What one transaction did to parcels: those it answered and when, and those it dropped without a word."""

    receipts: dict[int, datetime] = field(default_factory=dict)
    unanswered: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Witness:
    """What all nodes have done, and nobody may look at.

    `said` is what requested nodes have written, by exchange; `draft` what an open transaction has done so far; `first`
    the first text that a node took of a message; `watched` the claims that count, all if there are none.
    """

    said: dict[UUID, set[Hashable]] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    draft: Seen = field(default_factory=Seen)
    committed: set[str] = field(default_factory=set)
    first: dict[tuple[str, MessageKey], Text] = field(default_factory=dict)
    watched: frozenset[str] = frozenset()
    evidence_used: int = 0
    unknown_receipts: int = 0

    def require(self, holds: object, claim: str, what: str) -> None:
        """Raise BrokenError unless it holds, or unless only other claims are watched."""
        if not holds and (not self.watched or claim in self.watched):
            raise BrokenError(claim, what)

    def begin(self) -> None:
        """A transaction begins; what an earlier one did without committing never happened."""
        self.draft = Seen()

    def commit(self, code: str) -> None:
        """What it did is done."""
        for number, at in self.draft.receipts.items():
            self.seen.receipts.setdefault(number, at)
        self.seen.unanswered |= self.draft.unanswered
        self.committed.add(code)

    def forget(self, code: str, inbox: dict[MessageKey, Kept]) -> None:
        """The node is put back to an old backup: what that does not hold it will take for the first time."""
        self.first = {name: text for name, text in self.first.items() if name[0] != code or name[1] in inbox}
        self.committed.add(code)

    def answered(self, number: int, at: datetime) -> None:
        """A receipt for this parcel is queued."""
        self.draft.receipts.setdefault(number, at)

    def dropped(self, number: int) -> None:
        """This parcel is rightly not receipted: its sender keeps the message."""
        self.draft.unanswered.add(number)

    def written(self, node: Node, before: Record | None, after: Record) -> None:
        """An exchange is stored."""
        value = after.value
        shown = _shown(value)
        if after.is_incoming:
            self.said.setdefault(value.id, set()).add(shown)
            if before is not None and not node.was_restored:
                self._require_walk(before.value, value)
            return
        known = value.generation == 0 or shown in self.said.get(value.id, ())
        self.require(known, "replica", f"{node.code} shows {value.state} {value.generation}, which nobody has said")
        if before is not None:
            self.require(value.generation >= before.value.generation, "generation", f"{node.code} went back")

    def acted(self, action: str, *, saw_it: bool, withdrawal_waits: bool) -> None:
        """An officer of the requested side has acted."""
        self.require(saw_it, "seen", f"{action} was done on an exchange that its officer had not read")
        blocked = withdrawal_waits and action in BLOCKED_BY_WITHDRAWAL
        self.require(not blocked, "withdrawal", f"{action} was done while a verified withdrawal was waiting")

    def evidence(self, node: Node, row: Letter, publication: Publication) -> None:
        """A confirmed row is due because of a receipt. On a first-in-first-out queue that is never for nothing."""
        self.evidence_used += 1
        ground = node.ground
        number = publication.number
        if not ground.fifo or number in ground.courier.lost or number in self.seen.unanswered:
            return
        answered_at = self.seen.receipts.get(number)
        self.require(
            answered_at is not None, "needless copy", f"copy {row.copy} of {row.type} is neither lost nor receipted"
        )
        age = ground.now - answered_at if answered_at is not None else timedelta(0)
        self.require(age >= SETTLING, "needless copy", f"the receipt of {row.type} is only {age} old")

    def _require_walk(self, before: Exchange, after: Exchange) -> None:
        steps = after.generation - before.generation
        self.require(steps in {0, 1}, "generation", f"from {before.generation} to {after.generation} in one write")
        if steps:
            self.require(
                (before.state, after.state) in WALKS, "rows", f"no row leads from {before.state} to {after.state}"
            )
        ended = before.state in TERMINAL and after.state is not before.state
        self.require(not ended, "rows", f"{before.state} is an end, and became {after.state}")


def _shown(value: Exchange) -> Hashable:
    seen = public_view(value)
    return (seen.generation, seen.state, seen.tier, seen.flags, seen.holds, seen.question, seen.condition)
