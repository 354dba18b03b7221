"""What is known of the way to one peer on one lane: what its receipts prove lost, and whether it is silent or stuck.

Values and decisions only. The receipts that feed them arrive in `services`, what follows from them is done in `bus`:
neither knows the other, both know this. Queues are first-in-first-out, so the receipt of a copy that *began* after
another one was *confirmed* says that the other one did not arrive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

SETTLING = timedelta(seconds=5)
"""A receipt proves something once it has been known for so long: receipts of one moment overtake each other."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One way as it is remembered. All moments are our own clock's.

    `proven_began_at`: of the copies whose receipts have been known for `SETTLING`, the latest beginning.
    `fresh_began_at`: that of a later one, known only since `fresh_since`.
    `heard_at`: when the latest news about a copy on this way came, of whatever age the copy was.
    `silent` probes have found no answer since; the latest was `probed_id`, the next one waits until `probe_at`.
    `stuck` rounds in a row got nothing out; none is tried before `stuck_until`.
    """

    proven_began_at: datetime | None = None
    fresh_began_at: datetime | None = None
    fresh_since: datetime | None = None
    heard_at: datetime | None = None
    probed_id: int | None = None
    probe_at: datetime | None = None
    silent: int = 0
    stuck: int = 0
    stuck_until: datetime | None = None


def proof_of(passage: Passage, *, now: datetime) -> datetime | None:
    """Return the moment before which a confirmation without receipt means: lost. None while nothing is proven."""
    settled = passage.fresh_since is not None and passage.fresh_since + SETTLING <= now
    moments = [passage.proven_began_at, passage.fresh_began_at if settled else None]
    return max((moment for moment in moments if moment is not None), default=None)


def hear(passage: Passage, began_at: datetime, *, now: datetime) -> Passage:
    """Return the way after a first receipt for a copy that began at `began_at`; of several take the latest beginning.

    Only one moment is remembered beside the proven one. While it settles, later ones are let go: what is proven then
    is older than it might be, never newer than it may be.
    """
    proven, fresh, since = passage.proven_began_at, passage.fresh_began_at, passage.fresh_since
    if since is None or since + SETTLING <= now:
        proven = proof_of(passage, now=now)
        is_later = proven is None or began_at > proven
        fresh, since = (began_at, now) if is_later else (None, None)
    return replace(
        passage,
        proven_began_at=proven,
        fresh_began_at=fresh,
        fresh_since=since,
        heard_at=now if passage.heard_at is None else max(passage.heard_at, now),
        probed_id=None,
        probe_at=None,
        silent=0,
    )
