"""From the outbox to the broker. Knows bytes and addresses; what it publishes it can neither read nor make.

One round has two transactions and the network between them:

    look out, lease, sign, count   what is lost or a probe joins what is due; committed before the first byte leaves
    publish                        up to `ROUND` at once, each with a deadline
    settle                         confirmed, or in trouble and when to try again; what got out of which way

A row leaves the outbox by its peer's signed receipt, not here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from app.bus.attempts import Attempt, leaves_by, next_attempt
from app.bus.broker import PUBLISH_TIMEOUT_S, WINDOW, NotTaken, OutcomeUnknown, Unroutable
from app.bus.lookout import Lookout, note_round
from app.crashing import Crash, CrashPoint
from app.db import outbox, publications, receipts
from app.db.engine import begin
from app.db.outbox import Settlement
from app.db.passages import Way
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

    `deadline_s` bounds each publication should the broker not keep its own promise. `crash` is for rehearsals.
    `lookout` is this relay's own.
    """

    engine: AsyncEngine
    broker: Courier
    seal: Seal
    clock: Callable[[], datetime]
    random: Callable[[], float]
    deadline_s: float = DEADLINE_S
    crash: Crash = field(default_factory=Crash)
    lookout: Lookout = field(default_factory=Lookout)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. A full one (`claimed == ROUND`) means there may be more: go on without waiting."""

    claimed: int
    confirmed: int
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What one round has in hand: its moments, what is published, and what cannot be."""

    lane: Lane
    now: datetime
    lease_until: datetime
    letters: Sequence[Letter]
    begun: Sequence[Begun]
    waiting: Sequence[tuple[Letter, Trouble]]


async def relay_once(relay: Relay, lane: Lane) -> Round:
    """Publish what is due on one lane; any number of relays may do so at once, in any number of processes.

    Raises what the database raises, and nothing for the broker: its faults are settled row by row.
    """
    drawn = await _draw(relay, lane)
    if not drawn.letters:
        return Round(0, 0, ())
    # Commit point. A crash from here on leaves rows that are leased, signed and counted: when the lease has run out any
    # relay publishes the same text as the next copy. The receiver drops whichever copy comes second. Publishing before
    # this commit could show the peer a text that our database has never heard of.
    _pass(relay, drawn.begun, CrashPoint.RELAY_BEFORE_PUBLISHING)
    async with asyncio.TaskGroup() as group:
        publishing = [group.create_task(_publish(relay, lane, one, drawn.now)) for one in drawn.begun]
    ended = [task.result() for task in publishing]
    _pass(relay, drawn.begun, CrashPoint.RELAY_BEFORE_SETTLING)
    freed = await _settle(relay, drawn, ended)
    # Commit point. A crash before it forgets that the broker confirmed: one copy too many, dropped by the receiver.
    _pass(relay, drawn.begun, CrashPoint.RELAY_AFTER_SETTLING)
    for way in freed:
        # In a transaction of its own, since these rows may be locked by whoever waits for the ones just settled. A
        # crash before it leaves them to their own pauses.
        async with begin(relay.engine) as session:
            await receipts.hasten_troubled(session, lane=way.lane, peer=way.peer, now=relay.clock())
    troubles = [one.trouble for one in ended if one.trouble is not None]
    confirmed = len(ended) - len(troubles)
    return Round(len(drawn.letters), confirmed, (*(trouble for _, trouble in drawn.waiting), *troubles))


async def _draw(relay: Relay, lane: Lane) -> _Drawn:
    now = relay.clock()
    lease_until = now + LEASE
    async with begin(relay.engine) as session:
        if await relay.lookout.may_rest(session, lane, now=now):
            return _Drawn(lane, now, lease_until, (), (), ())
        await relay.lookout.look(session, lane, random=relay.random, now=now)
        letters = await outbox.claim(session, lane, limit=ROUND, now=now, lease_until=lease_until)
        relay.lookout.note_claim(lane, found=bool(letters))
        drafts, waiting = _draft_texts(relay, letters, now)
        begun = await outbox.begin_copies(session, drafts, now=now)
        await publications.begin(session, begun, lane, now=now)
        _pass(relay, begun, CrashPoint.RELAY_BEFORE_COMMIT)
    return _Drawn(lane, now, lease_until, letters, begun, waiting)


async def _settle(relay: Relay, drawn: _Drawn, ended: Sequence[Ended]) -> list[Way]:
    """Note how the round went; returns the ways that were stuck and are no longer."""
    at = relay.clock()
    settlements = [_settlement(relay, letter, trouble, at) for letter, trouble in drawn.waiting]
    outcomes: dict[Way, list[Trouble | None]] = {}
    for letter, trouble in drawn.waiting:
        outcomes.setdefault(Way(letter.peer, drawn.lane), []).append(trouble)
    for one, end in zip(drawn.begun, ended, strict=True):
        settled = _settlement(relay, one.letter, end.trouble, at)
        settlements.append(replace(settled, confirmed_at=end.confirmed_at))
        outcomes.setdefault(Way(one.letter.peer, drawn.lane), []).append(end.trouble)
    known = relay.lookout.ways.get(drawn.lane, {})
    async with begin(relay.engine) as session:
        # The outbox first, as those do who take receipts: publications are locked under its rows, ways after all.
        await outbox.settle(session, settlements, lane=drawn.lane, lease_until=drawn.lease_until, now=at)
        await publications.end(session, ended)
        return await note_round(session, outcomes, known, random=relay.random, now=at)


def _pass(relay: Relay, begun: Sequence[Begun], point: CrashPoint) -> None:
    """Die here in a rehearsal of it; a round with nothing in hand would show nothing."""
    if begun:
        relay.crash.here(point)


def _draft_texts(
    relay: Relay, letters: Sequence[Letter], now: datetime
) -> tuple[list[tuple[Letter, SignedText | None]], list[tuple[Letter, Trouble]]]:
    """Sign what has no text yet. What cannot be signed or closed waits and shows why, and delays nobody."""
    obstacles = {peer: relay.seal.obstacle(peer, now) for peer in {letter.peer for letter in letters}}
    drafts: list[tuple[Letter, SignedText | None]] = []
    waiting: list[tuple[Letter, Trouble]] = []
    for letter in letters:
        trouble = obstacles[letter.peer]
        if trouble is not None:
            waiting.append((letter, trouble))
            continue
        try:
            drafts.append((letter, relay.seal.sign(letter, now) if letter.jws is None else None))
        except Malformed:
            waiting.append((letter, Trouble.UNSEALABLE))
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
