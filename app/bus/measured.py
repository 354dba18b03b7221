"""Any broker, counted and timed: what it confirmed, refused or left open, and how long our own commits took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.bus.broker import NotTaken, OutcomeUnknown, TryLater, Unroutable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from app.bus.broker import Broker, BrokerStatus, Delivery, Handle
    from app.domain.codes import Lane
    from app.metrics import Metrics


@dataclass(frozen=True, slots=True)
class MeasuredBroker:
    """Does what `broker` does, and nothing else, and feeds the instruments of its node."""

    broker: Broker
    metrics: Metrics

    async def publish(self, lane: Lane, to: str, body: bytes) -> None:
        """See `Broker.publish`. Only confirmed ones are timed: a time-out says more of the limit than of the bus."""
        began = time.perf_counter()
        outcome = "failed"
        try:
            await self.broker.publish(lane, to, body)
            outcome = "confirmed"
            self.metrics.bus_confirm_duration.labels(str(lane)).observe(time.perf_counter() - began)
        except Unroutable:
            outcome = "unroutable"
            raise
        except NotTaken:
            outcome = "not_taken"
            raise
        except (OutcomeUnknown, TimeoutError):
            outcome = "outcome_unknown"
            raise
        finally:
            self.metrics.bus_published.labels(to, str(lane), outcome).inc()

    async def consume(self, lane: Lane, handle: Handle, stopping: asyncio.Event) -> None:
        """See `Broker.consume`."""

        async def measured(deliveries: Sequence[Delivery]) -> None:
            await self._handle(lane, handle, deliveries)

        await self.broker.consume(lane, measured, stopping)

    def status(self) -> BrokerStatus:
        """See `Broker.status`."""
        return self.broker.status()

    async def aclose(self) -> None:
        """See `Broker.aclose`."""
        await self.broker.aclose()

    async def _handle(self, lane: Lane, handle: Handle, deliveries: Sequence[Delivery]) -> None:
        began = time.perf_counter()
        outcome = "failed"
        try:
            await handle(deliveries)
            outcome = "taken"
            self.metrics.bus_handle_duration.labels(str(lane)).observe(time.perf_counter() - began)
        except TryLater:
            outcome = "later"
            raise
        finally:
            self.metrics.bus_consumed.labels(str(lane), outcome).inc(len(deliveries))
