"""Heartbeats: that a peer is there, how far away, and how its clock goes. They prove nothing and leave no fact."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app import __version__
from app.db import pulses, recoveries
from app.db.passages import Way
from app.db.pulses import Beat
from app.domain.codes import Fate, Lane, MessageType
from app.domain.delivery_messages import HeartbeatBody
from app.domain.message_reading import read_body
from app.domain.messages import write_body
from app.envelope.format import MAX_SKEW_SECONDS
from app.errors import Malformed
from app.services.inbound import Applied
from app.services.send import Outgoing, put

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from app.db.engine import Session
    from app.db.pulses import Answer
    from app.services.inbound import Received
    from app.services.node import Node

PERIOD = timedelta(minutes=5)
"""Between two heartbeats on one lane to one peer."""

KEPT = timedelta(days=1)
"""How long heartbeats and the receipts for them stay in the tables."""

KEPT_UNANSWERED = timedelta(days=30)
"""How long heartbeats that nobody has receipted stay: a peer may have been away, and receipt them late."""

CLEARED_AT_ONCE = 1_000
MALFORMED = "malformed"


async def send_heartbeats(session: Session, node: Node, *, reads: Sequence[str], now: datetime) -> int:
    """Queue a heartbeat on each lane to each peer that had none for `PERIOD`; returns how many.

    One that has not left yet is replaced. While we wait for a peer's resync it gets none (ruling 22).
    """
    closed = await recoveries.closed_peers(session)
    peers = [one.code for one in node.directory.contact_points if one.code != node.code and one.code not in closed]
    ways = [Way(peer, lane) for peer in sorted(peers) for lane in Lane]
    due = await pulses.begin_beats(session, ways, not_since=now - PERIOD, now=now)
    await pulses.replace_beats(session, [jti for jti in due.values() if jti is not None], now=now)
    body = write_body(HeartbeatBody(at=now, software=f"counterpart {__version__}", reads=tuple(reads)))
    sent = []
    for way in sorted(due):
        beat = Outgoing(way.peer, MessageType.HEARTBEAT, body, lane=way.lane, fleeting=True)
        sent.append((way, await put(session, node, beat, now=now)))
    await pulses.name_beats(session, sent)
    return len(sent)


async def note_heartbeat(session: Session, _node: Node, received: Received, _now: datetime) -> Applied:
    """Remember a peer's heartbeat; only one that says a newer time than the last counts.

    One that cannot be read, or whose time lies ahead of its own signature, is refused and changes nothing: it would
    silence all that follow.
    """
    await pulses.mark_fleeting(session, received.peer, received.jti)
    try:
        body = read_body(HeartbeatBody, received.body).body
    except Malformed:
        return Applied(Fate.REFUSED, MALFORMED)
    if body.at > received.issued_at + timedelta(seconds=MAX_SKEW_SECONDS):
        return Applied(Fate.REFUSED, MALFORMED)
    way = Way(received.peer, received.lane)
    await pulses.hear_beat(session, Beat(way, received.received_at, body.at, body.software, body.reads))
    return Applied(Fate.APPLIED)


async def take_answers(session: Session, received: Received, answers: Collection[Answer], *, alone: bool) -> None:
    """Learn from a receipt for heartbeats of ours; `alone`: it speaks of nothing else and need not be kept either."""
    await pulses.answer_beats(session, answers, now=received.received_at)
    if alone:
        await pulses.mark_fleeting(session, received.peer, received.jti)


async def clear_heartbeats(session: Session, *, now: datetime) -> bool:
    """Delete what heartbeats left more than a day ago; True while there may be more."""
    cleared = await pulses.clear_fleeting(
        session, before=now - KEPT, unanswered_before=now - KEPT_UNANSWERED, limit=CLEARED_AT_ONCE
    )
    return cleared >= CLEARED_AT_ONCE
