"""One question each, answered yes or no: what a monitor asks a node, and what it means when the answer is no."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta

from app.anchor import read_anchor
from app.audit.note import verifier_key
from app.db import overview, pulses, quarantine, recoveries, waiting
from app.db.engine import reading
from app.domain.codes import Lane
from app.domain.key_records import KeyUse
from app.envelope.reasons import Reason
from app.errors import LogBroken
from app.migrate import current_revision
from app.routers.checking import Asked, Finding, NodeCheck
from app.routers.people_checks import PEOPLE_CHECKS
from app.services.accepted_meanwhile import accepted_meanwhile
from app.services.advise_on_waiting import GAP_ALARM, LATE, Waits, judge_way
from app.services.judge_peers import KEY_ENDS_SOON, MAX_SKEW, SILENT_AFTER, is_clock_wrong, key_end
from app.services.quarantine import UNOPENED

AUDIT_LATE = timedelta(minutes=5)
"""How long facts may wait for a checkpoint that covers them."""

REVOKED_SHOWN = timedelta(days=30)
"""How long texts that were accepted under a key revoked since are called to mind."""

PEER_KEY_ENDS = timedelta(days=7)
"""Before the end of a peer's last key: the overlap that its successor has to be published for."""


async def _database(asked: Asked) -> Finding:
    revision = await current_revision(asked.session)
    return Finding(revision == asked.runtime.head_revision, float(revision != asked.runtime.head_revision))


async def _broker(asked: Asked) -> Finding:
    status = asked.runtime.broker.status()
    deaf = [lane for lane in Lane if asked.runtime.beats and not status.consuming.get(lane)]
    return Finding(status.connected and not deaf, float(len(deaf) + (not status.connected)))


async def _outbox_age(asked: Asked) -> Finding:
    """Anything but moving; what waits for a resync is the matter of `recovery`."""
    closed = await recoveries.closed_peers(asked.session)
    stuck = await waiting.stuck_ways(asked.session, now=asked.now)
    ways = await waiting.ways_out(asked.session)
    cases = [(way, judge_way(way, closed=False, stuck=way.way in stuck, now=asked.now)) for way in ways]
    late = [
        (way.way.peer, _seconds(asked.now - case.since))
        for way, case in cases
        if way.way.peer not in closed
        and case.reason is not Waits.MOVING
        and asked.now - case.since > LATE[way.way.lane]
    ]
    return Finding(not late, max((age for _, age in late), default=0.0), _codes(peer for peer, _ in late))


async def _gaps(asked: Asked) -> Finding:
    closed = await recoveries.closed_peers(asked.session)
    found = await waiting.gaps(asked.session, passing_over=closed)
    old = [gap for gap in found if asked.now - gap.since >= GAP_ALARM]
    oldest = max((_seconds(asked.now - gap.since) for gap in found), default=0.0)
    return Finding(not old, oldest, _codes(gap.key.peer for gap in old))


async def _quarantine(asked: Asked) -> Finding:
    found = await quarantine.count_ways(asked.session)
    return Finding(not found, float(sum(one.count for one in found)), _codes(one.peer for one in found if one.peer))


async def _dead_letters(asked: Asked) -> Finding:
    unopened = (await quarantine.count_open(asked.session)).get(UNOPENED, 0)
    unread = bool(asked.runtime.beats) and not asked.runtime.broker.status().dead_letters
    return Finding(not unopened and not unread, float(unopened))


async def _key_expiry(asked: Asked) -> Finding:
    """Our own keys of every use, and the two uses of every peer's, by when the last usable one ends."""
    ours = asked.runtime.node.code
    late: set[str] = set()
    least = timedelta.max
    for point in asked.runtime.node.directory.contact_points:
        for use in KeyUse if point.code == ours else (KeyUse.SIG, KeyUse.ENC):
            end = key_end(point, use, now=asked.now)
            rest = timedelta() if end is None else end - asked.now
            least = min(least, rest)
            if rest < (KEY_ENDS_SOON if point.code == ours else PEER_KEY_ENDS):
                late.add(point.code)
    return Finding(not late, round(least.total_seconds() / 86_400, 1), _codes(late))


async def _audit_chain(asked: Asked) -> Finding:
    """Whether the database holds the head that our anchor vouches for, and no fact waits for long to be covered."""
    writer = asked.runtime.log_writer
    key = verifier_key(writer.origin, writer.key)
    try:
        anchored = await asyncio.to_thread(read_anchor, asked.runtime.anchor, (key,))
    except (LogBroken, OSError):
        return Finding(good=False, observed=0.0)
    # A view of its own, newer than what was just read: the anchor is written after the commit it vouches for.
    async with reading(asked.runtime.engine) as session:
        head = await overview.audit_head(session, writer.origin)
    waits = _seconds(asked.now - head.checkpoint_at) if head.pending and head.checkpoint_at else 0.0
    known = anchored is None or anchored.origin != writer.origin or anchored.size <= head.size
    return Finding(known and waits <= AUDIT_LATE.total_seconds(), waits)


async def _clock_skew(asked: Asked) -> Finding:
    """By round trips of lately; and by texts that were signed in our future."""
    fresh = [
        pulse
        for pulse in (await pulses.pulses(asked.session)).values()
        if pulse.answered_at is not None and asked.now - pulse.answered_at <= SILENT_AFTER
    ]
    wrong = [pulse for pulse in fresh if is_clock_wrong(pulse)]
    ahead = [one for one in await quarantine.count_ways(asked.session) if one.reason == Reason.FROM_THE_FUTURE]
    largest = max((abs(pulse.skew_ms or 0) / 1000 for pulse in fresh), default=0.0)
    codes = [*(pulse.way.peer for pulse in wrong), *(one.peer for one in ahead if one.peer)]
    return Finding(not codes, largest, _codes(codes))


async def _recovery(asked: Asked) -> Finding:
    closed = await recoveries.closed_peers(asked.session)
    under_way = await recoveries.are_under_way(asked.session)
    return Finding(not under_way and not closed, float(len(closed)), _codes(closed))


async def _revoked_keys(asked: Asked) -> Finding:
    found = await accepted_meanwhile(asked.session, asked.runtime.node.directory)
    lately = [one for one in found if asked.now - one.received_at < REVOKED_SHOWN]
    return Finding(not lately, float(len(lately)), _codes(one.iss for one in lately))


def _codes(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found)))


def _seconds(delta: timedelta) -> float:
    return max(0.0, delta.total_seconds())


CHECKS: Mapping[str, NodeCheck] = {
    "database": NodeCheck(
        _database,
        "Does the database answer, with the schema that this software expects?",
        limit=0,
        unit="differences",
        next_act="The operator runs `counterpart migrate` with the software that runs here and starts the node again.",
    ),
    "broker": NodeCheck(
        _broker,
        "Can both lanes publish, and is the broker handing us both?",
        limit=0,
        unit="faults",
        next_act="Look at `/v1/monitoring/bus`; the operator tells the broker's administrator. Requests are taken "
        "meanwhile and wait; what is urgent needs the telephone.",
    ),
    "outbox-age": NodeCheck(
        _outbox_age,
        "Is everything that was sent receipted within its time (a minute on urgent, ten on routine)?",
        limit=LATE[Lane.URGENT].total_seconds(),
        unit="seconds",
        next_act="Look at `/v1/monitoring/outbox`: it says for each contact point why, and whom to telephone. Nothing "
        "is lost, sending goes on by itself.",
    ),
    "gaps": NodeCheck(
        _gaps,
        "Does no message wait for more than an hour for one that has not come?",
        limit=GAP_ALARM.total_seconds(),
        unit="seconds",
        next_act="Look at `/v1/monitoring/inbox`, then telephone the contact points named here: their operator runs "
        "`counterpart outbox retry`.",
    ),
    "quarantine": NodeCheck(
        _quarantine,
        "Is nothing kept aside that nobody has dealt with?",
        limit=0,
        unit="things",
        next_act="A duty officer looks at `counterpart quarantine list`: each thing there says what it means and who "
        "does what. Exchanges that it stops stand still until then.",
    ),
    "dead-letters": NodeCheck(
        _dead_letters,
        "Has nothing killed this process while it had it in hand, and is the queue for such things read?",
        limit=0,
        unit="things",
        next_act="The operator sends the log of that time to whoever maintains the software; "
        "`counterpart quarantine list` shows what was put aside unopened.",
    ),
    "key-expiry": NodeCheck(
        _key_expiry,
        "Are our keys good for thirty days more, and those of every counterpart for seven?",
        limit=KEY_ENDS_SOON.days,
        unit="days",
        next_act="Ours: the operator makes the next ones (docs/operating.md) and the registrar publishes them. Theirs: "
        "the registrar reminds the contact points named here.",
    ),
    "audit-chain": NodeCheck(
        _audit_chain,
        "Does the database hold the head that our anchor vouches for, and does a checkpoint cover what happened?",
        limit=AUDIT_LATE.total_seconds(),
        unit="seconds",
        next_act="The operator looks whether the loop `sequencer` runs (`/readyz?verbose`), then runs "
        "`counterpart audit verify`. Does that find a fault, stop the node and read docs/audit-log.md.",
    ),
    "clock-skew": NodeCheck(
        _clock_skew,
        "Do our clock and those of the counterparts agree within five seconds?",
        limit=MAX_SKEW.total_seconds(),
        unit="seconds",
        next_act="The operator compares our clock with its time server. Is ours right, telephone the contact points "
        "named here: theirs is wrong. Times in evidence are in doubt until then.",
    ),
    "recovery": NodeCheck(
        _recovery,
        "Does this node know all of its own words, no counterpart being waited for after a restore?",
        limit=0,
        unit="contact points",
        next_act="Look at `counterpart recovery show`. Telephone the contact points named here if their nodes do not "
        "answer; with them only the telephone works until they have.",
    ),
    **PEOPLE_CHECKS,
    "revoked-keys": NodeCheck(
        _revoked_keys,
        "Was nothing accepted in thirty days under a key that is now said to have been revoked before?",
        limit=0,
        unit="messages",
        next_act="A supervisor telephones the contact points named here and goes through those messages with them: the "
        "key may have been in other hands. They stay as they were taken; nothing is undone by itself.",
    ),
}
"""In the order in which a tired person should look."""


async def ask(asked: Asked, name: str) -> Finding:
    """Ask one of `CHECKS`."""
    return await CHECKS[name].ask(asked)
