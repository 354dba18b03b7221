"""Couriers that do with what they are given what a test tells them; to a relay each is a broker."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.bus.broker import NotTaken, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from app.domain.codes import Lane


@dataclass
class Courier:
    """Takes everything, or ends every publication in `fault`. `before`, if given, happens during each publication.

    What is for one of `dead` is never taken. `addressees` says for whom each publication was, taken or not.
    """

    fault: Exception | None = None
    before: Callable[[], Awaitable[object]] | None = None
    dead: frozenset[str] = frozenset()
    addressees: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    async def publish(self, _lane: Lane, to: str, body: bytes) -> None:
        """Let the others begin, then take it or fail."""
        self.addressees.append(to)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0)
        if self.before is not None:
            await self.before()
        self.under_way -= 1
        if self.fault is not None:
            raise self.fault
        if to in self.dead:
            raise NotTaken("its queue is full")
        self.bodies.append(body)


@dataclass(frozen=True, slots=True)
class Parcel:
    """Something under way."""

    to: str
    lane: Lane
    body: bytes


@dataclass
class LossyCourier:
    """Confirms what it loses, denies what it delivers, repeats and reorders, by the dice; until it is `honest`."""

    dice: Random
    honest: bool = False
    under_way: list[Parcel] = field(default_factory=list)

    async def publish(self, lane: Lane, to: str, body: bytes) -> None:
        """Keep it for `take`, or one of the other things."""
        thrown = 1.0 if self.honest else self.dice.random()
        copies = 0 if thrown < 0.25 else 2 if thrown < 0.4 else 1
        self.under_way += [Parcel(to, lane, body)] * copies
        if not self.honest and self.dice.random() < 0.15:
            raise OutcomeUnknown("the dice")

    def take(self, most: int) -> list[Parcel]:
        """Hand out up to `most` of what is under way, any of it first."""
        if not self.honest:
            self.dice.shuffle(self.under_way)
        taken, self.under_way = self.under_way[:most], self.under_way[most:]
        return taken
