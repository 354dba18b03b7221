"""A dishonest courier: it stands at the broker between everybody and one contact point, as an administrator could.

What is meant for that contact point goes through our hands and on to its queues as a test decides: repeated, out of
order, or not at all. Who published it has had its confirmation long before.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import aio_pika
from aio_pika import DeliveryMode, ExchangeType, Message

from app.bus import topology
from app.bus.definitions import VHOST
from app.domain.codes import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage

    from app.bus.topology import Queues
    from tests.e2e.ground import Ground

    Treat = Callable[[list["Parcel"]], Sequence["Parcel"]]

WINDOW_SECONDS = 0.2
"""How long it gathers before it hands on."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What somebody published."""

    key: str
    body: bytes


def hand_on(parcels: list[Parcel]) -> list[Parcel]:
    """What an honest courier does."""
    return parcels


@dataclass
class Shim:
    """In place for the time of the block. `treat` says what becomes of what has gathered; it may be changed."""

    ground: Ground
    queues: Queues
    treat: Treat = hand_on
    seen: list[Parcel] = field(default_factory=list)
    _gathered: list[Parcel] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        who = self.ground.rabbit.administrator
        address = self.ground.rabbit.amqp_url(who.name, who.password, vhost=VHOST)
        self._connection: AbstractConnection = await aio_pika.connect(address, timeout=5)
        self._channel: AbstractChannel = await self._connection.channel()
        self._onwards: AbstractExchange = await self._channel.declare_exchange(
            f"shim.{self.queues.code}", ExchangeType.TOPIC, auto_delete=True
        )
        for lane in Lane:
            await self._redirect(lane, key=f"{self.queues.code}.*.{lane}")
        self._handing_on = asyncio.create_task(self._hand_on())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: object, trace: TracebackType | None) -> None:
        for lane in Lane:
            key = f"{self.queues.code}.*.{lane}"
            queue = await self._channel.get_queue(self.queues.inbound(lane), ensure=False)
            await queue.bind(topology.POST, key)
            gathering = await self._channel.get_queue(f"shim.{self.queues.code}.{lane}", ensure=False)
            await gathering.unbind(topology.POST, key)
        self._handing_on.cancel()
        await asyncio.gather(self._handing_on, return_exceptions=True)
        self.treat = hand_on
        await self.flush()
        for lane in Lane:
            queue = await self._channel.get_queue(self.queues.inbound(lane), ensure=False)
            await queue.unbind(self._onwards, f"{self.queues.code}.*.{lane}")
        await self._connection.close()

    async def flush(self) -> None:
        """Hand on now what has gathered."""
        gathered, self._gathered = self._gathered, []
        for parcel in self.treat(gathered) if gathered else ():
            message = Message(parcel.body, delivery_mode=DeliveryMode.PERSISTENT)
            await self._onwards.publish(message, parcel.key)

    async def _redirect(self, lane: Lane, *, key: str) -> None:
        """Put our queue into the place of theirs; for a moment both get everything, so that nothing is lost by us."""
        gathering = await self._channel.declare_queue(f"shim.{self.queues.code}.{lane}", exclusive=True)
        queue = await self._channel.get_queue(self.queues.inbound(lane), ensure=False)
        await queue.bind(self._onwards, key)
        await gathering.bind(topology.POST, key)
        await queue.unbind(topology.POST, key)
        await gathering.consume(self._gather, no_ack=True)

    async def _gather(self, message: AbstractIncomingMessage) -> None:
        parcel = Parcel(message.routing_key or "", message.body)
        self.seen.append(parcel)
        self._gathered.append(parcel)

    async def _hand_on(self) -> None:
        while True:
            await asyncio.sleep(WINDOW_SECONDS)
            await self.flush()
