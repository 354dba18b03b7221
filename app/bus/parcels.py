"""What is under way inside the in-process bus: parcels, the boxes they wait in, and the places they go to."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.bus.topology import DELIVERY_LIMIT
from app.domain.codes import Lane

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.bus.broker import Delivery
    from app.bus.supervise import Standing

PRESENT = "bus"
"""The link of a contact point to the bus in its own process: up unless cut off or closed."""


@dataclass(slots=True, eq=False)
class Parcel:
    """One delivery on its way. Once it has been handed over it stays until it is taken, whoever still waits for it."""

    delivery: Delivery
    outcome: asyncio.Future[None] | None = None
    handed: bool = False

    def settle(self, fault: Exception | None = None) -> None:
        """Tell the publisher, if one still waits."""
        if self.outcome is None or self.outcome.done():
            return
        if fault is None:
            self.outcome.set_result(None)
        else:
            self.outcome.set_exception(fault)


@dataclass(slots=True)
class Box:
    """One queue. As on RabbitMQ it serves one consumer at a time; `free` is set while it serves none."""

    waiting: deque[Parcel] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    consumers: int = 0

    def __post_init__(self) -> None:
        self.free.set()

    def put(self, parcel: Parcel) -> None:
        """Append."""
        self.waiting.append(parcel)
        self.arrived.set()

    def take(self, most: int) -> list[Parcel]:
        """Take what waits, in order. What had been returned before comes alone: its neighbours shall not be counted."""
        batch: list[Parcel] = []
        while self.waiting and len(batch) < most:
            if batch and (batch[0].delivery.redelivered or self.waiting[0].delivery.redelivered):
                break
            batch.append(self.waiting.popleft())
            batch[-1].handed = True
        if not self.waiting:
            self.arrived.clear()
        return batch

    def put_back(self, batch: Iterable[Parcel]) -> list[Parcel]:
        """Return a batch to the head, in order and counted; what came back too often is left out and given back."""
        kept: list[Parcel] = []
        dead: list[Parcel] = []
        for parcel in batch:
            count = parcel.delivery.delivery_count + 1
            parcel.delivery = replace(parcel.delivery, redelivered=True, delivery_count=count)
            too_often = count > DELIVERY_LIMIT and not parcel.delivery.dead
            (dead if too_often else kept).append(parcel)
        self.waiting.extendleft(reversed(kept))
        if self.waiting:
            self.arrived.set()
        return dead

    def withdraw(self, parcel: Parcel) -> None:
        """Forget a parcel whose publisher has given up, unless it has been in somebody's hand."""
        if not parcel.handed and parcel in self.waiting:
            self.waiting.remove(parcel)

    def empty(self, fault: Exception, *, handed: bool) -> int:
        """Throw away what waits, telling the publishers `fault`; what was handed over before only if `handed`."""
        gone = [parcel for parcel in self.waiting if handed or not parcel.handed]
        self.waiting = deque(parcel for parcel in self.waiting if parcel not in gone)
        for parcel in gone:
            parcel.settle(fault)
        return len(gone)


@dataclass(slots=True)
class Place:
    """One contact point on the bus, and every view of it that is open. Exactly one of `open` and `cut` is set."""

    boxes: dict[Lane, Box] = field(default_factory=lambda: {lane: Box() for lane in Lane})
    dead: Box = field(default_factory=Box)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    cut: asyncio.Event = field(default_factory=asyncio.Event)
    views: list[Standing] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open.set()

    def cut_off(self) -> None:
        """Break every view's link."""
        self.open.clear()
        self.cut.set()
        for standing in self.views:
            standing.closed(PRESENT)

    def reopen(self) -> None:
        """Join every view's link again."""
        self.cut.clear()
        self.open.set()
        for standing in self.views:
            standing.opened(PRESENT)
