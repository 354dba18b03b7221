"""The broker of the rehearsal: all contact points in one process, and nothing on disk.

Since nothing is kept here, `publish` returns only once the receiver's handle has returned, which is after its commit:
what was confirmed is safe without any queue. What this bus holds is bounded by the publishers that wait for it.

The faults are part of the rehearsal: a desk that has never seen a counterpart fall silent would learn it on the first
bad night. `pause` cuts a contact point off, `drop` confirms and loses, `duplicate` delivers twice, `reorder` hands a
batch over backwards, `purge` empties the queues. The protocol above must hold against each, as against RabbitMQ.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from app.bus import topology
from app.bus.broker import (
    BATCH,
    PUBLISH_TIMEOUT_S,
    WINDOW,
    BrokerStatus,
    Delivery,
    Handle,
    NotTaken,
    OutcomeUnknown,
    Unroutable,
)
from app.bus.parcels import PRESENT, Box, Parcel, Place
from app.bus.supervise import Pauses, Standing, any_set, hand_over, run_together, supervise
from app.domain.codes import Lane

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@dataclass(slots=True)
class Faults:
    """How many of the next publications, or batches, meet with which mishap."""

    drop: int = 0
    duplicate: int = 0
    reorder: int = 0


class MemoryBus:
    """What the nodes of one process share. A contact point exists on it from its first `connect` on."""

    def __init__(self, *, clock: Callable[[], datetime], pauses: Pauses) -> None:
        self.clock = clock
        self.pauses = pauses
        self.places: dict[str, Place] = {}
        self.faults = Faults()

    def connect(self, code: str, *, publish_timeout_s: float = PUBLISH_TIMEOUT_S) -> MemoryBroker:
        """Return a view of the bus for this contact point; several views share its queues, as several nodes would."""
        self.places.setdefault(topology.check_code(code), Place())
        return MemoryBroker(self, code, publish_timeout_s=publish_timeout_s)

    def pause(self, code: str) -> None:
        """Cut a contact point off: it neither publishes nor receives, and who publishes to it learns nothing."""
        self.places[code].cut_off()

    def resume(self, code: str) -> None:
        """Join it again."""
        self.places[code].reopen()

    def drop(self, number: int) -> None:
        """Confirm the next publications and lose them, as a broker does whose disk was put back in time."""
        self.faults.drop += number

    def duplicate(self, number: int) -> None:
        """Deliver the next publications twice."""
        self.faults.duplicate += number

    def reorder(self, number: int) -> None:
        """Hand over the next batches of two or more backwards."""
        self.faults.reorder += number

    def purge(self, code: str) -> int:
        """Empty a contact point's queues, dead letters included; return how many deliveries were lost."""
        place = self.places[code]
        fault = OutcomeUnknown("the queue was emptied")
        return sum(box.empty(fault, handed=True) for box in (*place.boxes.values(), place.dead))


class MemoryBroker:
    """`Broker` on a `MemoryBus`."""

    def __init__(self, bus: MemoryBus, code: str, *, publish_timeout_s: float) -> None:
        self._bus = bus
        self._code = code
        self._place = place = bus.places[code]
        self._timeout_s = publish_timeout_s
        self._windows = {lane: asyncio.Semaphore(WINDOW) for lane in Lane}
        self._closed = False
        self._standing = Standing(code, bus.clock, required=frozenset({PRESENT}))
        place.views.append(self._standing)
        if place.open.is_set():
            self._standing.opened(PRESENT)

    async def publish(self, lane: Lane, to: str, body: bytes) -> None:
        """See `Broker.publish`; confirmed means committed by the receiver. `NotTaken` when it is not consuming."""
        place = self._bus.places.get(to)
        if place is None:
            raise Unroutable(f"no contact point {to} is on this bus")
        if self._closed:
            raise NotTaken("this view of the bus was closed")
        box = place.boxes[lane]
        parcel: Parcel | None = None
        try:
            async with asyncio.timeout(self._timeout_s), self._windows[lane]:
                await self._place.open.wait()
                parcel = self._post(box, lane, to=to, body=body)
                if parcel.outcome is not None:
                    await parcel.outcome
        except TimeoutError as fault:
            if parcel is None:
                raise NotTaken("nothing was sent: we are cut off, or the window is full") from fault
            raise OutcomeUnknown(f"{to} has not committed it in time: it may yet") from fault
        finally:
            if parcel is not None:
                box.withdraw(parcel)

    async def consume(self, lane: Lane, handle: Handle, stopping: asyncio.Event) -> None:
        """See `Broker.consume`. What nobody has had in hand when the last consumer stops is refused to its sender."""
        box = self._place.boxes[lane]
        serving = [self._serve(box, handle, link=f"consume {lane}", stopping=stopping)]
        if lane is Lane.ROUTINE:
            serving.append(self._serve(self._place.dead, handle, link="consume dead letters", stopping=stopping))
        box.consumers += 1
        try:
            await run_together(*serving)
        finally:
            box.consumers -= 1
            if not box.consumers:
                box.empty(NotTaken(f"{self._code} has stopped consuming"), handed=False)

    def status(self) -> BrokerStatus:
        """See `Broker.status`."""
        standing = self._standing
        return BrokerStatus(
            connected=standing.connected,
            consuming={lane: standing.is_up(f"consume {lane}") for lane in Lane},
            dead_letters=standing.is_up("consume dead letters"),
            reconnects=standing.reconnects,
            last_error=standing.last_error,
            since=standing.since,
        )

    async def aclose(self) -> None:
        """See `Broker.aclose`. The contact point stays known: who publishes to it gets `NotTaken`."""
        if not self._closed:
            self._closed = True
            self._place.views.remove(self._standing)
            self._standing.closed(PRESENT)

    def _post(self, box: Box, lane: Lane, *, to: str, body: bytes) -> Parcel:
        key = topology.routing_key(lane, to=to, sender=self._code)
        delivery = Delivery(body, key, self._code, lane)
        faults = self._bus.faults
        if faults.drop:
            faults.drop -= 1
            return Parcel(delivery)
        if not box.consumers:
            raise NotTaken(f"{to} is not consuming")
        parcel = Parcel(delivery, asyncio.get_running_loop().create_future())
        box.put(parcel)
        if faults.duplicate:
            faults.duplicate -= 1
            box.put(Parcel(delivery))
        return parcel

    async def _serve(self, box: Box, handle: Handle, *, link: str, stopping: asyncio.Event) -> None:
        session = partial(self._session, box, handle, link=link, stopping=stopping)
        await supervise(link, session, standing=self._standing, pauses=self._bus.pauses, stopping=stopping)

    async def _session(self, box: Box, handle: Handle, *, link: str, stopping: asyncio.Event) -> None:
        """Hand over batches until cut off or stopped, after waiting to be connected and for the box to be free."""
        for needed in (self._place.open, box.free):
            while not needed.is_set() and not stopping.is_set():
                await any_set(needed, stopping)
        if stopping.is_set():
            return
        box.free.clear()
        self._standing.opened(link)
        leaving = (self._place.cut, stopping)
        try:
            while True:
                await any_set(box.arrived, *leaving)
                if any(event.is_set() for event in leaving):
                    return
                await self._hand_over(box, handle, leaving=leaving)
        finally:
            self._standing.closed(link)
            box.free.set()

    async def _hand_over(self, box: Box, handle: Handle, *, leaving: tuple[asyncio.Event, ...]) -> None:
        batch = box.take(BATCH)
        if self._bus.faults.reorder and len(batch) > 1:
            self._bus.faults.reorder -= 1
            batch.reverse()
        taken = False
        try:
            deliveries = [parcel.delivery for parcel in batch]
            taken = await hand_over(deliveries, handle, pauses=self._bus.pauses, leaving=leaving)
        finally:
            # Cut off after the commit: the confirmation is lost and the receiver will see these a second time.
            if taken and self._place.open.is_set():
                for parcel in batch:
                    parcel.settle()
            else:
                self._bury(box.put_back(batch))

    def _bury(self, parcels: list[Parcel]) -> None:
        for parcel in parcels:
            key = f"{self._code}.{parcel.delivery.lane}"
            parcel.delivery = replace(parcel.delivery, routing_key=key, dead=True, delivery_count=0)
            self._place.dead.put(parcel)
