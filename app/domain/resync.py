"""What a restored node and its peer compare (ruling 22): numbers told, numbers lacking, holes, and states replayed.

Pure. What a peer tells is never expanded further than our own knowledge and `MAX_BELIEVED` allow: it may name any
number up to two thousand millions in a few bytes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.codes import Lane
from app.domain.delivery_messages import MAX_LOOSE, MAX_RESYNC_THREADS, NumbersBody
from app.domain.snapshot import adopt, read_snapshot
from app.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from app.domain.delivery_messages import ResyncThreadBody
    from app.domain.exchange.values import Asked, Exchange
    from app.domain.snapshot_bodies import SnapshotBody

MAX_BELIEVED = 1_000
"""How far above the highest number that we know ourselves a peer's word alone counts: what it can make us waste."""

MAX_PART_LOOSE = 8_000
"""Loose numbers in one part: with `MAX_RESYNC_THREADS` threads it still fits into a body."""


class Proof(StrEnum):
    """Why a node knows that its database is older than its word: each is under its own signature."""

    ANCHOR = "anchor"
    TEXT = "text"


class Lost(StrEnum):
    """What a recovery lists for people, since nobody or nobody but a peer has it any more."""

    VOIDED = "voided"
    """A number of ours of which nobody has a text; a `void/1` fills it."""

    SUPERSEDED = "superseded"
    """A message made after the restore, in a place that an earlier text of ours has: it was never taken."""

    KEY_REVOKED = "key_revoked"
    """A text of ours came back that was signed under a key since revoked: two officers have to look at it."""

    KEPT_BACK = "kept_back"
    """The peer says that it has a text of ours and has not returned it."""

    RETURNED_LATE = "returned_late"
    """A text came back only after the recovery in which the peer should have returned it."""

    REQUEST_UNKNOWN = "request_unknown"
    """Of an exchange that we opened nothing is left of the request at home but what its opening says."""

    FILE = "file"
    """A text of ours came back that names a file which is not here any more; the peer may have all of it, or a part."""

    NOT_UNDERSTOOD = "not_understood"
    """A text of ours came back whose body this release cannot read: its place is kept, its effect is not."""


def tell_numbers(numbers: Iterable[int], *, upto: int = 0) -> NumbersBody:
    """All numbers from 1 to `upto`, and these besides. More than `MAX_LOOSE` above a gap: the highest are left out.

    What is left out counts as not there, which costs copies and loses nothing.
    """
    above = sorted({number for number in numbers if number > upto})
    while above and above[0] == upto + 1:
        run = next((at for at, number in enumerate(above) if number != upto + 1 + at), len(above))
        upto, above = above[run - 1], above[run:]
    return NumbersBody(upto=upto, also=tuple(above[:MAX_LOOSE]))


def lacking(told: NumbersBody, numbers: Iterable[int]) -> list[int]:
    """Those of `numbers` that a listing does not have, ascending."""
    loose = set(told.also)
    return sorted(number for number in set(numbers) if number > told.upto and number not in loose)


def believed(told: NumbersBody, *, known_top: int) -> list[int]:
    """The numbers of a listing as far as they are believed: up to `MAX_BELIEVED` above what we know ourselves."""
    top = known_top + MAX_BELIEVED
    return sorted({*range(1, min(told.upto, top) + 1), *(number for number in told.also if number <= top)})


def awaited(told: NumbersBody, *, known_top: int, held: Collection[int]) -> list[int]:
    """Our numbers that the peer says it has and that we cannot account for: their texts must still come back."""
    return [number for number in believed(told, known_top=known_top) if number not in held]


def holes(present: Collection[int], *, below: int = 0) -> list[int]:
    """The numbers under the highest of `present`, and under `below`, that are not there: `void/1` has to fill them."""
    there = set(present)
    return [number for number in range(1, max(below, *there, 0)) if number not in there]


def split_parts(threads: Iterable[ResyncThreadBody]) -> list[tuple[ResyncThreadBody, ...]]:
    """Distribute a listing over parts that fit into a message each; there is always one, be it empty."""
    parts: list[list[ResyncThreadBody]] = [[]]
    loose = 0
    for one in threads:
        its_own = len(one.out.also) + len(one.in_.also)
        is_full = len(parts[-1]) >= MAX_RESYNC_THREADS or loose + its_own > MAX_PART_LOOSE
        if is_full and parts[-1]:
            parts.append([])
            loose = 0
        parts[-1].append(one)
        loose += its_own
    return [tuple(part) for part in parts]


def are_complete(arrived: Collection[tuple[Lane, int, int]]) -> bool:
    """Tell whether of a list that came as (lane, part, parts) every part has come on both lanes."""
    totals = {parts for _, _, parts in arrived}
    if len(totals) != 1:
        return False
    wanted = {(lane, part) for lane in Lane for part in range(1, max(totals) + 1)}
    return wanted == {(lane, part) for lane, part, _ in arrived}


def replay(snapshots: Sequence[SnapshotBody], *, asked: Asked) -> Exchange:
    """The exchange after our own states, in the order of their numbers: exactly what the peer's replica became by them.

    `snapshots` is not empty. One that speaks of another exchange changes nothing here, as it changes nothing there.
    """
    first, *later = snapshots
    shown = read_snapshot(first, asked=asked)
    for snapshot in later:
        try:
            shown = adopt(shown, snapshot)
        except Conflict:
            continue
    return shown
