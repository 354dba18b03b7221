"""From the outbox to the broker. Knows bytes and addresses; what it publishes it can neither read nor make.

One round has two transactions and the network between them:

    lease, sign, count the copy   committed before the first byte leaves
    publish                       up to `ROUND` at once, each with a deadline
    settle                        confirmed or in trouble, and when to try again

A row leaves the outbox by its peer's signed receipt, not here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from app.bus.attempts import Attempt, leaves_by, next_attempt
from app.bus.broker import PUBLISH_TIMEOUT_S, WINDOW, NotTaken, OutcomeUnknown, Unroutable
from app.db import outbox, publications
from app.db.engine import begin
from app.db.outbox import Settlement
from app.db.publications import Ended
from app.db.tables_delivery import Trouble
from app.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.db.outbox import Begun, Letter, SignedText
    from app.domain.codes import Lane

ROUND = WINDOW
"""Most messages of one round, and so the most under way at once per lane."""

DEADLINE_S = 2 * PUBLISH_TIMEOUT_S
"""Longest wait for one publication: twice what a broker promises."""

LEASE = timedelta(seconds=30)
"""How long a claimed row is nobody else's. Several times `DEADLINE_S`; if it runs out, a copy too many is sent."""


class Seal(Protocol):
    """The means to publish, given to the relay from outside."""

    def obstacle(self, peer: str, now: datetime) -> Trouble | None:
        """Return why nothing can be closed for this peer now, or None."""
        ...

    def sign(self, letter: Letter, now: datetime) -> SignedText:
        """Make the one text of a message."""
        ...

    def close(self, jws: str, peer: str, *, copy: int, now: datetime) -> bytes:
        """Close a stored text for its peer; new bytes for each copy."""
        ...


class Courier(Protocol):
    """The one thing a relay asks of a `Broker`."""

    async def publish(self, lane: Lane, to: str, body: bytes) -> None:
        """See `Broker.publish`."""
        ...


@dataclass(frozen=True, slots=True)
class Relay:
    """What a relay of one lane works with. `random` gives numbers in [0, 1); `engine` is its lane's own.

    `deadline_s` bounds each publication should the broker not keep its own promise.
    """

    engine: AsyncEngine
    broker: Courier
    seal: Seal
    clock: Callable[[], datetime]
    random: Callable[[], float]
    deadline_s: float = DEADLINE_S


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. A full one (`claimed == ROUND`) means there may be more: go on without waiting."""

    claimed: int
    confirmed: int
    troubles: tuple[Trouble, ...]


async def relay_once(relay: Relay, lane: Lane) -> Round:
    """Publish what is due on one lane; any number of relays may do so at once, in any number of processes.

    Raises what the database raises, and nothing for the broker: its faults are settled row by row.
    """
    now = relay.clock()
    lease_until = now + LEASE
    async with begin(relay.engine) as session:
        letters = await outbox.claim(session, lane, limit=ROUND, now=now, lease_until=lease_until)
        drafts, settled = _draft_texts(relay, letters, now)
        begun = await outbox.begin_copies(session, drafts, now=now)
        await publications.begin(session, begun, lane, now=now)
        await outbox.settle(session, settled, lease_until=lease_until, now=now)
    # Commit point. A crash from here on leaves rows that are leased, signed and counted: when the lease has run out any
    # relay publishes the same text as the next copy. The receiver drops whichever copy comes second. Publishing before
    # this commit could show the peer a text that our database has never heard of.
    async with asyncio.TaskGroup() as group:
        publishing = [group.create_task(_publish(relay, lane, one, now)) for one in begun]
    ended = [task.result() for task in publishing]
    at = relay.clock()
    async with begin(relay.engine) as session:
        await publications.end(session, ended)
        published = [_settlement(relay, one.letter, end.trouble, at) for one, end in zip(begun, ended, strict=True)]
        await outbox.settle(session, published, lease_until=lease_until, now=at)
    # Commit point. A crash before it forgets that the broker confirmed: one copy too many, dropped by the receiver.
    troubles = [one.trouble for one in (*settled, *published) if one.trouble is not None]
    return Round(len(letters), sum(end.trouble is None for end in ended), tuple(troubles))


def _draft_texts(
    relay: Relay, letters: Sequence[Letter], now: datetime
) -> tuple[list[tuple[Letter, SignedText | None]], list[Settlement]]:
    """Sign what has no text yet. What cannot be signed or closed waits and shows why, and delays nobody."""
    obstacles = {peer: relay.seal.obstacle(peer, now) for peer in {letter.peer for letter in letters}}
    drafts: list[tuple[Letter, SignedText | None]] = []
    waiting: list[Settlement] = []
    for letter in letters:
        trouble = obstacles[letter.peer]
        if trouble is not None:
            waiting.append(_settlement(relay, letter, trouble, now))
            continue
        try:
            drafts.append((letter, relay.seal.sign(letter, now) if letter.jws is None else None))
        except Malformed:
            waiting.append(_settlement(relay, letter, Trouble.UNSEALABLE, now))
    return drafts, waiting


async def _publish(relay: Relay, lane: Lane, begun: Begun, now: datetime) -> Ended:
    letter = begun.letter
    trouble: Trouble | None = None
    try:
        body = relay.seal.close(begun.jws, letter.peer, copy=begun.copy, now=now)
        async with asyncio.timeout(relay.deadline_s):
            await relay.broker.publish(lane, letter.peer, body)
    except Unroutable:
        trouble = Trouble.UNROUTABLE
    except NotTaken:
        trouble = Trouble.NOT_TAKEN
    except (OutcomeUnknown, TimeoutError):
        trouble = Trouble.OUTCOME_UNKNOWN
    except Malformed:
        trouble = Trouble.UNSEALABLE
    return Ended(letter.id, begun.copy, relay.clock() if trouble is None else None, trouble)


def _settlement(relay: Relay, letter: Letter, trouble: Trouble | None, now: datetime) -> Settlement:
    attempt = Attempt(letter.type, letter.tries, trouble)
    left_by = leaves_by(attempt)
    due = next_attempt(attempt, now=now, jitter=relay.random()) if left_by is None else None
    return Settlement(letter.id, due, trouble, left_by)
