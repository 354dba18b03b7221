"""Consuming one queue of RabbitMQ: serial batches, acknowledged after the commit; a fault strikes only its cause."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.bus import topology
from app.bus.broker import BATCH, Delivery
from app.bus.connection import SET_UP_TIMEOUT_S, open_wire
from app.bus.supervise import any_set, hand_over, unless
from app.domain.codes import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiormq.abc import AbstractChannel, DeliveredMessage

    from app.bus.broker import Handle
    from app.bus.connection import Access, Wire
    from app.bus.supervise import Pauses, Standing

ONE_BY_ONE: Final = 1

TaggedDelivery = tuple[int, Delivery]


@dataclass(frozen=True, slots=True)
class Source:
    """A queue of our own, and what its deliveries are."""

    queue: str
    lane: Lane
    link: str
    dead: bool = False


def sources_of(access: Access, lane: Lane) -> tuple[Source, ...]:
    """What the consumer of a lane reads. Dead letters of both go to the routine one: urgent waits for nobody."""
    live = Source(access.queues.inbound(lane), lane, f"consume {lane}")
    return (live, dead_letters_of(access)) if lane is Lane.ROUTINE else (live,)


def dead_letters_of(access: Access) -> Source:
    """The queue of what came back too often."""
    return Source(access.queues.dead, Lane.ROUTINE, "consume dead letters", dead=True)


class Inflow:
    """One queue's way in. Each `session` begins from nothing."""

    def __init__(self, access: Access, source: Source, *, handle: Handle, standing: Standing, pauses: Pauses) -> None:
        self._access = access
        self._source = source
        self._handle = handle
        self._standing = standing
        self._pauses = pauses

    async def session(self, stopping: asyncio.Event) -> None:
        """Hand over batches until the connection is lost, the handle fails, or we stop between two batches.

        It begins with one delivery at a time, and stays so while what comes had been returned before: a delivery that
        brings the handle (or the process) down is then alone in hand, and its neighbours are not counted with it.
        """
        async with open_wire(self._access, self._source.link, standing=self._standing, stopping=stopping) as wire:
            async with asyncio.timeout(SET_UP_TIMEOUT_S):
                hand = await unless(stopping, self._set_up(wire))
            self._standing.opened(self._source.link)
            cautious = True
            while batch := await hand.take(stopping):
                deliveries = [delivery for _, delivery in batch]
                leaving = (wire.lost, stopping)
                if not await hand_over(deliveries, self._handle, pauses=self._pauses, leaving=leaving):
                    return
                if cautious and not deliveries[-1].redelivered:
                    cautious = False
                    # Before the acknowledgement: with one in hand of one allowed nothing else can be on its way, and
                    # what is on its way to a cancelled consumer is returned and counted.
                    async with asyncio.timeout(SET_UP_TIMEOUT_S):
                        await hand.open(BATCH)
                # A crash here redelivers what was committed: the receiver knows it by its jti. Never the reverse.
                await hand.acknowledge(batch)

    async def _set_up(self, wire: Wire) -> Hand:
        channel = await wire.open_channel(confirms=False)
        await channel.queue_declare(self._source.queue, passive=True)
        hand = Hand(channel, self._source, wire=wire)
        await hand.open(ONE_BY_ONE)
        return hand


class Hand:
    """What the broker has given us and we have not acknowledged, in the order of arrival."""

    def __init__(self, channel: AbstractChannel, source: Source, *, wire: Wire) -> None:
        self._channel = channel
        self._source = source
        self._wire = wire
        self._held: deque[TaggedDelivery] = deque()
        self._arrived = asyncio.Event()
        self._consumer: str | None = None
        channel.on_consumer_cancel_callbacks.add(self._on_cancel)

    async def open(self, size: int) -> None:
        """Ask for at most `size` deliveries at a time, in place of what was asked before."""
        if self._consumer is not None:
            await self._channel.basic_cancel(self._consumer)
        await self._channel.basic_qos(prefetch_count=size)
        answer = await self._channel.basic_consume(self._source.queue, self._on_delivery)
        self._consumer = answer.consumer_tag

    async def take(self, stopping: asyncio.Event) -> list[TaggedDelivery]:
        """Wait for a delivery and return all in hand; nothing when we stop or the wire is lost."""
        await any_set(self._arrived, self._wire.lost, stopping)
        if stopping.is_set() or self._wire.lost.is_set():
            return []
        batch = [self._held.popleft() for _ in range(min(BATCH, len(self._held)))]
        if not self._held:
            self._arrived.clear()
        return batch

    async def acknowledge(self, batch: list[TaggedDelivery]) -> None:
        """Tell the broker to forget this batch; its last tag stands for all before it."""
        await self._channel.basic_ack(batch[-1][0], multiple=True)

    async def _on_delivery(self, message: DeliveredMessage) -> None:
        self._held.append((message.delivery_tag or 0, _read(message, self._source)))
        self._arrived.set()

    async def _on_cancel(self, _frame: object) -> None:
        """The broker took the consumer away (its queue was deleted or moved) and left the channel open."""
        self._wire.lose(None)


def _read(message: DeliveredMessage, source: Source) -> Delivery:
    key = message.routing_key or ""
    properties = message.header.properties
    headers: Mapping[str, object] = properties.headers or {}
    count = headers.get("x-delivery-count", 0)
    return Delivery(
        body=message.body,
        routing_key=key,
        sender=topology.sender_of(key) or properties.user_id or "",
        lane=_lane_of_dead_letter(key) if source.dead else source.lane,
        redelivered=bool(message.redelivered),
        delivery_count=count if isinstance(count, int) else 0,
        dead=source.dead,
    )


def _lane_of_dead_letter(key: str) -> Lane:
    """The last word of the key; routine for one that no queue of ours wrote, which must not stop the others."""
    word = key.rpartition(".")[2]
    return Lane(word) if word in set(Lane) else Lane.ROUTINE
