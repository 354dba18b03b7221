"""Publishing on one lane of RabbitMQ: a connection and channel of its own, confirms, and a deadline for everything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aio_pika import DeliveryMode, Message
from aio_pika.exceptions import ChannelInvalidStateError, DeliveryError, PublishError

from app.bus import topology
from app.bus.broker import WINDOW, NotTaken, OutcomeUnknown, Unroutable
from app.bus.connection import BROKER_FAULTS, SET_UP_TIMEOUT_S, open_wire
from app.bus.supervise import any_set, is_being_cancelled, unless

if TYPE_CHECKING:
    from aiormq.abc import AbstractChannel

    from app.bus.connection import Access, Wire
    from app.bus.supervise import Standing
    from app.domain.codes import Lane

CONTENT_TYPE: Final = "application/jose"


@dataclass(slots=True)
class Letter:
    """One publication; `sent` from the moment at which bytes of it may have left."""

    key: str
    message: Message
    sent: bool = False


class Outflow:
    """One lane's way out. `session` keeps it open; `publish` may be called at any time, by many at once."""

    def __init__(self, access: Access, lane: Lane, *, standing: Standing, timeout_s: float) -> None:
        self.link = f"publish {lane}"
        self._access = access
        self._lane = lane
        self._standing = standing
        self._timeout_s = timeout_s
        self._window = asyncio.Semaphore(WINDOW)
        self._opened = asyncio.Event()
        self._channel: AbstractChannel | None = None

    async def session(self, stopping: asyncio.Event) -> None:
        """Hold one connection open until it is lost or we stop."""
        async with open_wire(self._access, self.link, standing=self._standing, stopping=stopping) as wire:
            async with asyncio.timeout(SET_UP_TIMEOUT_S):
                self._channel = await unless(stopping, self._set_up(wire))
            self._opened.set()
            self._standing.opened(self.link)
            try:
                await any_set(wire.lost, stopping)
            finally:
                self._forget(self._channel)

    async def _set_up(self, wire: Wire) -> AbstractChannel:
        channel = await wire.open_channel(confirms=True)
        await channel.exchange_declare(topology.POST, passive=True)
        return channel

    async def publish(self, to: str, body: bytes) -> None:
        """Return once the queue has it on disk; see `Broker.publish`."""
        letter = self._address(to, body)
        try:
            async with asyncio.timeout(self._timeout_s), self._window:
                await self._publish(letter)
        except PublishError as fault:
            raise Unroutable(f"no queue of {to} is bound for lane {self._lane}") from fault
        except DeliveryError as fault:
            raise NotTaken(f"the broker refused it for {to}: the queue is full or unavailable") from fault
        except (TimeoutError, *BROKER_FAULTS) as fault:
            raise _unfinished(fault, sent=letter.sent) from fault
        except asyncio.CancelledError as fault:
            if is_being_cancelled():
                raise
            raise _unfinished(fault, sent=letter.sent) from fault

    async def _open_channel(self) -> AbstractChannel:
        while self._channel is None:
            await self._opened.wait()
        return self._channel

    def _forget(self, channel: AbstractChannel | None) -> None:
        if self._channel is channel:
            self._opened.clear()
            self._channel = None

    def _address(self, to: str, body: bytes) -> Letter:
        me, persistent = self._access.code, DeliveryMode.PERSISTENT
        try:
            key = topology.routing_key(self._lane, to=to, sender=me)
        except topology.NotAContactPoint as fault:
            raise Unroutable(str(fault)) from fault
        return Letter(key, Message(body, content_type=CONTENT_TYPE, delivery_mode=persistent, user_id=me))

    async def _publish(self, letter: Letter) -> None:
        properties = letter.message.properties
        while not letter.sent:
            channel = await self._open_channel()
            letter.sent = True
            try:
                await channel.basic_publish(
                    letter.message.body,
                    exchange=topology.POST,
                    routing_key=letter.key,
                    properties=properties,
                    mandatory=True,
                )
            except ChannelInvalidStateError:  # found closed before anything was written: wait for the next one
                letter.sent = False
                self._forget(channel)


def _unfinished(fault: BaseException, *, sent: bool) -> NotTaken | OutcomeUnknown:
    kind = type(fault).__name__
    if sent:
        return OutcomeUnknown(f"no confirmation ({kind}): it may have arrived")
    return NotTaken(f"nothing was sent ({kind}): there is no connection, or the window is full")
