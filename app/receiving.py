"""Deliveries of the bus, opened and taken: the edge where an envelope meets a transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.bus.broker import TryLater
from app.crashing import CrashPoint
from app.db.engine import begin, is_passing
from app.envelope.open import open_envelope
from app.envelope.reasons import Rejected
from app.errors import LogBroken
from app.services.inbound import Arrived
from app.services.keep import keep
from app.services.quarantine import quarantine_crashed, quarantine_unopened
from app.services.receive import receive
from app.services.settle import settle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.bus.broker import Delivery
    from app.runtime import Runtime
    from app.services.inbound import Due, Effects

TRIED_OFTEN = 3
"""Deliveries that came back this often are quarantined unopened: whoever opened them did not live to tell."""


@dataclass(frozen=True, slots=True)
class Intake:
    """One lane's way in: a database pool of its own, and the effects of this release."""

    runtime: Runtime
    engine: AsyncEngine
    effects: Effects

    async def handle(self, deliveries: Sequence[Delivery]) -> None:
        """Take what was delivered; returns after the commit, and only then may the broker forget it.

        Raises TryLater when the database cannot take it now.
        """
        now = self.runtime.clock()
        try:
            await self._take(deliveries, now)
        except LogBroken:
            raise
        except Exception as fault:
            if is_passing(fault):
                raise TryLater(f"the database is away: {type(fault).__name__}") from fault
            raise
        # Commit point. A crash here leaves the batch with the broker: it comes again, all duplicates, receipted again.
        self.runtime.crash.here(CrashPoint.INTAKE_BEFORE_ACK)
        self.runtime.wake.ring()

    async def _take(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        hopeless = [one for one in deliveries if one.dead or one.delivery_count >= TRIED_OFTEN]
        for one in hopeless:
            async with begin(self.engine) as session:
                await quarantine_unopened(session, self.runtime.node, one.body, lane=one.lane, now=now)
        batch = [self._open(one, now) for one in deliveries if one not in hopeless]
        if not batch:
            return
        try:
            async with begin(self.engine) as session:
                taken = await receive(session, self.runtime.node, batch, effects=self.effects, now=now)
                self.runtime.crash.here(CrashPoint.INTAKE_BEFORE_COMMIT)
        except LogBroken:
            raise
        except Exception as fault:
            if is_passing(fault):
                raise
            self.runtime.log.warning("effect_raised", error=type(fault).__name__)
            await self._one_by_one(batch, now)
            return
        self.runtime.log.debug("batch_taken", count=taken.tally.new)

    def _open(self, delivery: Delivery, now: datetime) -> Arrived:
        try:
            opened = open_envelope(
                delivery.body,
                me=self.runtime.node.code,
                keyring=self.runtime.keys.keyring,
                directory=self.runtime.node.directory,
                now=now,
            )
        except Rejected as rejected:
            if not rejected.authenticated:
                known = self.runtime.node.directory.point(delivery.sender) is not None
                peer = delivery.sender if known else "unknown"
                self.runtime.metrics.bus_rejected.labels(peer, str(rejected.reason)).inc()
            return Arrived(delivery.body, delivery.lane, rejected)
        return Arrived(delivery.body, delivery.lane, opened)

    async def _one_by_one(self, batch: Sequence[Arrived], now: datetime) -> None:
        """An effect raised: store the whole batch without effects, then let each message stand or fall alone."""
        async with begin(self.engine) as session:
            kept = await keep(session, self.runtime.node, batch, effects=self.effects, now=now)
            for waiting in kept.waiting:
                await self.effects.wait(session, self.runtime.node, waiting, now)
        # Commit point. A crash here leaves messages that are held and receipted: the sweep gives them their effect.
        self.runtime.crash.here(CrashPoint.INTAKE_BEFORE_SETTLING)
        for due in kept.due:
            await self.settle_one(due, now)

    async def settle_one(self, due: Due, now: datetime) -> None:
        """Give one stored message its effect; one that raises is stopped, visibly, with its own thread only."""
        try:
            async with begin(self.engine) as session:
                await settle(session, self.runtime.node, [due], effects=self.effects, now=now)
                self.runtime.crash.here(CrashPoint.SETTLING_BEFORE_COMMIT)
        except LogBroken:
            raise
        except Exception as fault:
            if is_passing(fault):
                raise
            self.runtime.log.exception("message_quarantined", type=due.row.type)
            async with begin(self.engine) as session:
                await quarantine_crashed(session, self.runtime.node, due, now=now)
        # Commit point. A crash here leaves nothing undone: the next message of the thread is the sweep's.
        self.runtime.crash.here(CrashPoint.SETTLING_AFTER_COMMIT)
