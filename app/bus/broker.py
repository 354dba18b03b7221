"""What a node may ask of a broker, whichever it is, and the four ways a publication can end.

    publish returns    RabbitMQ: the queue has it on disk. In-process: the receiver has committed it.
    Unroutable         there is no such contact point at the broker; nothing was kept
    NotTaken           refused or not sent (queue full, no connection, receiver not consuming); nothing was kept
    OutcomeUnknown     it may or may not arrive; only the receiver's signed receipt settles it

A broker is a courier that may lose, repeat and reorder everything. None of these outcomes changes what is true:
a publisher that gets one of them backs off and publishes the same text again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from app.errors import CounterpartError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from datetime import datetime

    from app.domain.codes import Lane

PUBLISH_TIMEOUT_S = 3.0
"""Longest wait of one publication, the wait for a connection included. A stalled broker is felt no longer than this."""

WINDOW = 50
"""Publications under way at once per lane; more gain nothing, and a lost channel makes that many outcomes unknown."""

BATCH = 50
"""Most deliveries in hand per lane, and so the most that one call of `Handle` gets."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One arrival. Everything but `body` is the broker's word: good for sorting, never for trust.

    `delivery_count` says how often the broker has had it back from a consumer that failed; a receiver quarantines what
    keeps coming back before touching it. `dead` marks what came back more often than the broker's limit allows:
    it is handed over once more through the dead-letter queue, to be quarantined.
    """

    body: bytes
    routing_key: str
    sender: str
    lane: Lane
    redelivered: bool = False
    delivery_count: int = 0
    dead: bool = False


Handle = Callable[[Sequence[Delivery]], Awaitable[None]]
"""Takes 1 to `BATCH` deliveries in order of arrival and returns only after its commit: then the bus acknowledges them.

It raises `TryLater` for trouble of its own (its database is away, the node is recovering): the same deliveries come
again after a pause, which counts against none of them. Any other exception is taken for a fault of one of the
deliveries: they go back to the broker, are counted, and come again one by one. `LogBroken` ends the consumption.
"""


class TryLater(CounterpartError):
    """Raised by a `Handle`: nothing is wrong with these deliveries, this node cannot store them now."""

    def __init__(self, detail: str, *, code: str = "try_later") -> None:
        super().__init__(code, detail)


class Unroutable(CounterpartError):
    """No queue at the broker is bound for this contact point and lane."""

    def __init__(self, detail: str, *, code: str = "bus_unroutable") -> None:
        super().__init__(code, detail)


class NotTaken(CounterpartError):
    """The broker did not take it: it answered no, or nothing was sent to it."""

    def __init__(self, detail: str, *, code: str = "bus_not_taken") -> None:
        super().__init__(code, detail)


class OutcomeUnknown(CounterpartError):
    """The answer did not come in time or the connection broke: it may still arrive, now or in an hour."""

    def __init__(self, detail: str, *, code: str = "bus_outcome_unknown") -> None:
        super().__init__(code, detail)


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    """How things stand at this moment.

    `connected`: both lanes can publish. `consuming`: the broker has registered our consumer of that lane, and no
    close or cancel has come since. `dead_letters`: the same of the dead-letter queue. `last_error` is the class of the
    last fault, kept after recovery; its text is not kept: it may quote an address or a row. `since`: when `connected`
    last changed.
    """

    connected: bool
    consuming: Mapping[Lane, bool]
    dead_letters: bool
    reconnects: int
    last_error: str | None
    since: datetime


class Broker(Protocol):
    """One contact point's way to its counterparts. Two implementations: `rabbit.py`, `memory.py`."""

    async def publish(self, lane: Lane, to: str, body: bytes) -> None:
        """Return once confirmed; raise `Unroutable`, `NotTaken` or `OutcomeUnknown` within `PUBLISH_TIMEOUT_S`.

        Up to `WINDOW` calls per lane may be under way at once. The lanes share nothing: one never waits for the other.
        """
        ...

    async def consume(self, lane: Lane, handle: Handle, stopping: asyncio.Event) -> None:
        """Hand over what arrives until `stopping` is set, outliving every fault of the broker.

        One call of `handle` at a time per lane; the batch in hand is finished and acknowledged before it returns. The
        routine lane also hands over dead letters, in calls of their own that may run beside a live one.
        """
        ...

    def status(self) -> BrokerStatus:
        """Read from memory; never waits, never asks the broker."""
        ...

    async def aclose(self) -> None:
        """Drop all connections; leaves no task behind. `consume` must have been stopped before."""
        ...
