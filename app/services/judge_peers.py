"""How each counterpart is doing as far as this node can tell: pulse, clock, keys, and what stands between us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from app.db import overview, pulses, quarantine, recoveries, waiting
from app.db.passages import Way
from app.domain.calling import how_to_call
from app.domain.codes import Lane
from app.domain.key_records import KeyStatus, KeyUse
from app.services.advise_on_quarantine import Advice, Words
from app.services.heartbeat import PERIOD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.db.engine import ReadSession
    from app.db.pulses import Pulse
    from app.domain.contact_points import ContactPoint
    from app.domain.directory import Directory
    from app.services.node import Node

SILENT_AFTER = 2 * PERIOD
"""Without a sign of life on a lane for so long, a peer counts as silent: two heartbeats in a row did not come."""

MAX_SKEW = timedelta(seconds=5)
"""Between two clocks, beyond what the way there and back explains; from here on times in evidence are in doubt."""

KEY_ENDS_SOON = timedelta(days=30)
"""Before the end of a key without successor, somebody has to begin to replace it."""


class Vitality(StrEnum):
    """In this order the worst is told first; `unknown` is a peer of which nothing was ever heard."""

    CLOSED = "closed"
    SILENT = "silent"
    UNKNOWN = "unknown"
    CLOCK_WRONG = "clock_wrong"
    KEY_ENDS = "key_ends"
    UP = "up"


@dataclass(frozen=True, slots=True)
class PeerState:
    """One counterpart.

    `signs`: when each lane last showed that it is there: its heartbeat came, or a receipt of its. `key_ends` says per
    use when its last usable key ends, None where it has none.
    """

    code: str
    vitality: Vitality
    advice: Advice
    last_seen: datetime | None
    pending: int
    gaps: int
    quarantined: int
    ways: Mapping[Lane, Pulse | None]
    signs: Mapping[Lane, datetime | None]
    key_ends: Mapping[KeyUse, datetime | None]


_WORDS: Mapping[Vitality, Words] = {
    Vitality.CLOSED: Words(
        "This node was restored and waits for {peer} to say what it holds of us; its threads stay closed until then.",
        "Nobody has to do anything while their node answers; `counterpart recovery show` tells how far it is. Is "
        "something urgent, telephone {call}.",
    ),
    Vitality.SILENT: Words(
        "Nothing was heard of {peer} on at least one lane for ten minutes, neither a heartbeat nor a receipt.",
        "Look at `/v1/monitoring/bus` first: is our own connection up? Then telephone {call}: is their node running? "
        "Nothing is lost; everything urgent needs the telephone until they are back.",
    ),
    Vitality.UNKNOWN: Words(
        "Nothing was ever heard of {peer}.",
        "Is it new in the network, nobody has to do anything before its first heartbeat. Else telephone {call}.",
    ),
    Vitality.CLOCK_WRONG: Words(
        "The clocks of {peer} and of this node differ by more than five seconds.",
        "The operator compares ours with its time server. Is ours right, telephone {call}: theirs is wrong. Beyond "
        "five minutes its messages wait in quarantine.",
    ),
    Vitality.KEY_ENDS: Words(
        "A key of {peer} ends within thirty days and no other one is published.",
        "The registrar reminds {call} to publish the next one. When it has ended, nothing can be closed for {peer}, or "
        "nothing of theirs is believed.",
    ),
    Vitality.UP: Words("It is there, its clock is right and its keys are valid.", "Nobody has to do anything."),
}


async def judge_peers(session: ReadSession, node: Node, *, now: datetime) -> list[PeerState]:
    """Return the state of every other contact point of the directory, by code."""
    points = {point.code: point for point in node.directory.contact_points if point.code != node.code}
    closed = await recoveries.closed_peers(session)
    heard, receipted = await pulses.pulses(session), await waiting.heard_on(session)
    gaps = [gap.key.peer for gap in await waiting.gaps(session, passing_over=closed)]
    aside = await quarantine.count_ways(session)
    states = []
    for seen in await overview.peers_seen(session, points):
        ways = {lane: heard.get(Way(seen.code, lane)) for lane in Lane}
        ends = {use: key_end(points[seen.code], use, now=now) for use in (KeyUse.SIG, KeyUse.ENC)}
        signs = {lane: _last_sign(ways[lane], receipted.get(Way(seen.code, lane))) for lane in Lane}
        vitality = Vitality.CLOSED if seen.code in closed else _judge(ways, signs, ends=ends, now=now)
        state = PeerState(
            code=seen.code,
            vitality=vitality,
            advice=_advise(node.directory, seen.code, vitality),
            last_seen=seen.last_seen,
            pending=seen.pending,
            gaps=gaps.count(seen.code),
            quarantined=sum(one.count for one in aside if one.peer == seen.code),
            ways=ways,
            signs=signs,
            key_ends=ends,
        )
        states.append(state)
    return states


def key_end(point: ContactPoint, use: KeyUse, *, now: datetime) -> datetime | None:
    """When the last usable key of that use ends; None when there is none now, nor later."""
    usable = [key for key in point.keys if key.use is use and key.status is not KeyStatus.REVOKED]
    ends = [min(key.exp, key.retired_at or key.exp) for key in usable]
    return max((end for end in ends if end > now), default=None)


def is_clock_wrong(pulse: Pulse) -> bool:
    """Whether the two clocks differ by more than `MAX_SKEW`, whatever the way there and back took."""
    if pulse.skew_ms is None or pulse.round_trip_ms is None:
        return False
    return abs(pulse.skew_ms) - pulse.round_trip_ms / 2 > MAX_SKEW.total_seconds() * 1000


def _last_sign(pulse: Pulse | None, receipted_at: datetime | None) -> datetime | None:
    beats = (None, None) if pulse is None else (pulse.heard_at, pulse.answered_at)
    return max((at for at in (*beats, receipted_at) if at is not None), default=None)


def _judge(
    ways: Mapping[Lane, Pulse | None],
    signs: Mapping[Lane, datetime | None],
    *,
    ends: Mapping[KeyUse, datetime | None],
    now: datetime,
) -> Vitality:
    heard = [sign for sign in signs.values() if sign is not None]
    if not heard:
        return Vitality.UNKNOWN
    # A lane of which nothing was heard yet is given the time that the other one has been heard for.
    if min(heard) < now - SILENT_AFTER:
        return Vitality.SILENT
    if any(pulse is not None and is_clock_wrong(pulse) for pulse in ways.values()):
        return Vitality.CLOCK_WRONG
    if any(end is None or end - now < KEY_ENDS_SOON for end in ends.values()):
        return Vitality.KEY_ENDS
    return Vitality.UP


def _advise(directory: Directory, code: str, vitality: Vitality) -> Advice:
    return _WORDS[vitality].about(vitality.value, peer=code, call=how_to_call(directory, code))
