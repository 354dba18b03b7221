"""What a relay looks out for around its rounds: messages proven lost, peers that are silent, ways that are stuck.

Decides nothing: `attempts.py` and `domain/passage.py` do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from app.bus.attempts import BACK_OFF, after_probe, after_round, is_quiet, probe_due
from app.db import outbox, passages
from app.db.passages import Way
from app.domain.passage import Passage, proof_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.tables_delivery import Trouble
    from app.domain.codes import Lane


LOOK_PAUSE = timedelta(milliseconds=500)
"""Between two looks of one relay: none of the moments that it looks out for is finer than seconds."""

LONGEST_REST = timedelta(seconds=5)
"""How long a relay with an empty outbox goes without a look, so that what it knows of the ways does not grow old."""


@dataclass(slots=True)
class Lookout:
    """One relay's knowledge of the ways of each lane, by peer, and since when it has it.

    `idle`: the lanes on which the last round found nothing to publish.
    """

    ways: dict[Lane, dict[str, Passage]] = field(default_factory=dict)
    learnt_at: dict[Lane, datetime] = field(default_factory=dict)
    looked_at: dict[Lane, datetime] = field(default_factory=dict)
    idle: set[Lane] = field(default_factory=set)

    async def may_rest(self, session: ReadSession, lane: Lane, *, now: datetime) -> bool:
        """Whether nothing is there that a round could publish or look out for: what nearly every round of a night is.

        Costs one statement instead of four, and only on a lane that was idle before.
        """
        learnt_at = self.learnt_at.get(lane)
        if lane not in self.idle or learnt_at is None or abs(now - learnt_at) >= LONGEST_REST:
            return False
        if not await outbox.is_empty(session):
            return False
        self.looked_at[lane] = now
        return True

    def note_claim(self, lane: Lane, *, found: bool) -> None:
        """Remember whether there was anything to publish: after that the next round does not ask first."""
        if found:
            self.idle.discard(lane)
        else:
            self.idle.add(lane)

    async def look(self, session: Session, lane: Lane, *, random: Callable[[], float], now: datetime) -> None:
        """Make due what this lane has to publish again, on evidence or as a probe, unless it was just done.

        Waits for nobody's lock.
        """
        looked_at = self.looked_at.get(lane)
        if looked_at is not None and abs(now - looked_at) < LOOK_PAUSE:
            return
        self.ways[lane] = known = await passages.load(session, lane)
        self.looked_at[lane] = self.learnt_at[lane] = now
        proofs = {peer: proof_of(passage, now=now) for peer, passage in known.items()}
        proven = {peer: proof for peer, proof in proofs.items() if proof is not None}
        await passages.hasten_lost(session, lane, proven, pauses=BACK_OFF, now=now)
        quiet = {peer: proofs[peer] for peer, passage in known.items() if is_quiet(passage, now=now)}
        waiting = await passages.oldest_waiting(session, lane, quiet)
        due = [Way(peer, lane) for peer, since in waiting.items() if probe_due(known[peer], since) <= now]
        for way, passage in (await passages.lock(session, due, skip_locked=True)).items():
            # Another relay may have probed, or a receipt have come, since we looked.
            if is_quiet(passage, now=now):
                await _probe(session, way, passage, random=random, now=now)


async def _probe(session: Session, way: Way, passage: Passage, *, random: Callable[[], float], now: datetime) -> None:
    proof = proof_of(passage, now=now)
    probed = await passages.hasten_probe(session, way, proof=proof, after=passage.probed_id, now=now)
    if probed is not None:
        await passages.store(session, {way: after_probe(passage, probed, now=now, jitter=random())})


async def note_round(
    session: Session,
    ended: Mapping[Way, Collection[Trouble | None]],
    known: Mapping[str, Passage],
    *,
    random: Callable[[], float],
    now: datetime,
) -> list[Way]:
    """Note what a round says of its ways; returns those that were stuck and are no longer.

    `known` are the ways of that lane as they were before the round. Steady ways cost nothing.
    """
    moved = {way for way, ends in ended.items() if _says_something(known.get(way.peer), ends)}
    await passages.ensure(session, [way for way in moved if way.peer not in known])
    before = await passages.lock(session, moved)
    after = {way: after_round(before[way], ended[way], now=now, jitter=random()) for way in sorted(before)}
    await passages.store(session, {way: passage for way, passage in after.items() if passage != before[way]})
    return [way for way in sorted(before) if before[way].stuck and not after[way].stuck]


def _says_something(passage: Passage | None, ended: Collection[Trouble | None]) -> bool:
    return passage is None or passage.stuck > 0 or None not in ended
