"""The broker: lists, one per queue. It confirms, and then loses, doubles, delays and, if it is that kind, reorders."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from app.db.tables_delivery import Trouble

if TYPE_CHECKING:
    from app.domain.codes import Lane
    from tests.model.values import Parcel


class Outcome(StrEnum):
    """What becomes of one publication. The last three look alike to the publisher."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNKNOWN_TAKEN = "unknown, taken"
    UNKNOWN_LOST = "unknown, lost"
    UNKNOWN_LATE = "unknown, taken later"


@dataclass(slots=True)
class Courier:
    """Queues by receiver and lane. `fifo`: within one queue nothing overtakes; losses happen all the same.

    `lost` are the numbers of parcels that will never arrive, for the checks; no node may look at it.
    """

    fifo: bool
    queues: defaultdict[tuple[str, Lane], list[Parcel]] = field(default_factory=lambda: defaultdict(list))
    late: list[Parcel] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)
    published: int = 0

    def publish(self, parcel: Parcel, outcome: Outcome) -> Trouble | None:
        """What the publisher learns; None is a confirmation."""
        self.published += 1
        if outcome is Outcome.REFUSED or outcome is Outcome.UNKNOWN_LOST:
            self.lost.add(parcel.number)
            return Trouble.NOT_TAKEN if outcome is Outcome.REFUSED else Trouble.OUTCOME_UNKNOWN
        if outcome is Outcome.UNKNOWN_LATE:
            self.late.append(parcel)
            return Trouble.OUTCOME_UNKNOWN
        self.queues[parcel.to, parcel.lane].append(parcel)
        return None if outcome is Outcome.TAKEN else Trouble.OUTCOME_UNKNOWN

    def bring_late(self) -> None:
        """What was taken without an answer gets into its queue."""
        for parcel in self.late:
            self.queues[parcel.to, parcel.lane].append(parcel)
        self.late.clear()

    def take(self, to: str, lane: Lane, most: int) -> list[Parcel]:
        """Hand over the head of a queue."""
        queue = self.queues[to, lane]
        taken, queue[:] = queue[:most], queue[most:]
        return taken

    def give_back(self, to: str, lane: Lane, parcels: list[Parcel]) -> None:
        """What was handed over and not acknowledged is at the head again."""
        self.queues[to, lane][:0] = parcels

    def lose(self, to: str, lane: Lane, most: int) -> None:
        """Lose the head of a queue, which may be all of it."""
        queue = self.queues[to, lane]
        self._forget(queue[:most])
        queue[:] = queue[most:]

    def lose_one(self, to: str, lane: Lane, place: int) -> None:
        """Lose one from the middle."""
        queue = self.queues[to, lane]
        if queue:
            self._forget([queue.pop(place % len(queue))])

    def double(self, to: str, lane: Lane, place: int) -> None:
        """Deliver one twice, the second time after everything that waits now."""
        queue = self.queues[to, lane]
        if queue:
            queue.append(queue[place % len(queue)])

    def reorder(self, to: str, lane: Lane, place: int) -> None:
        """Let one go last."""
        queue = self.queues[to, lane]
        if queue:
            queue.append(queue.pop(place % len(queue)))

    def holds(self, number: int) -> bool:
        """Whether a parcel of that number will still arrive."""
        waiting = (parcel for queue in (*self.queues.values(), self.late) for parcel in queue)
        return any(parcel.number == number for parcel in waiting)

    def is_empty(self) -> bool:
        """Whether nothing is under way."""
        return not self.late and not any(self.queues.values())

    def _forget(self, parcels: list[Parcel]) -> None:
        self.lost.update(parcel.number for parcel in parcels)
