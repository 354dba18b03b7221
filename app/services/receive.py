"""One batch of arrivals, in one transaction: stored, receipted, and given its effects.

The edge opens the envelopes and the transaction; when this returns and the commit went through, the broker may be told.
What raises here rolls everything back, and the same batch may simply be received again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.services.keep import keep
from app.services.settle import apply_in_turn, end_receipted, lock_outbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.db.engine import Session
    from app.services.inbound import Arrived, Due, Effects
    from app.services.keep import Tally
    from app.services.node import Node


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch came to: how it was made up, and which messages had their effect (some were held since earlier)."""

    tally: Tally
    applied: tuple[Due, ...]


async def receive(session: Session, node: Node, batch: Sequence[Arrived], *, effects: Effects, now: datetime) -> Taken:
    """Take a batch of any size and origin; each message has its effect once, in the order of its thread.

    If an effect raises, the caller stores the batch with `keep` alone and settles what is due message by message, each
    in a transaction of its own (`settle`); the one that raises again is stopped by `quarantine_crashed`.
    """
    kept = await keep(session, node, batch, effects=effects, now=now)
    # The thread rows are locked from before the first insert until the commit: whoever else has messages of these
    # threads in hand, on the other lane or in another process, waits here and then finds the counters moved.
    await lock_outbox(session, kept.due)
    applied = await apply_in_turn(session, node, (kept.threads, kept.due), effects=effects, now=now)
    for waiting in kept.waiting:
        await effects.wait(session, node, waiting, now)
    applied += await end_receipted(session, node, kept.due, now=now)
    # Commit point of the caller. A crash before it leaves nothing, and the broker still has the batch. A crash after it
    # but before the acknowledgement brings the batch again: all duplicates, receipted again, without effect.
    return Taken(kept.tally, tuple(applied))
