"""Heartbeats tell that a peer is there, how far away and how its clock goes; they are replaced and leave no trace."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.bus.memory import MemoryBus
from app.db import pulses
from app.db.engine import begin, reading
from app.db.passages import Way
from app.domain.codes import Lane, MessageType
from app.domain.moments import write_instant
from app.services.heartbeat import KEPT_UNANSWERED, PERIOD, clear_heartbeats, send_heartbeats
from app.services.send import Outgoing
from tests.services.test_receive_evidence import facts
from tests.services.test_receive_refusals import receipted
from tests.support.bus import consuming, short_pauses
from tests.support.peer import new_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.bus.memory import MemoryBroker
    from app.db.pulses import Pulse
    from tests.support.peer import Peer, Said
    from tests.support.station import Station

READS = ("exchange.open/1", "heartbeat/1")
URGENT, ROUTINE = Way("XA", Lane.URGENT), Way("XA", Lane.ROUTINE)
OURS = "SELECT peer, lane FROM outbox WHERE type = 'heartbeat/1' AND left_at IS NULL ORDER BY peer, lane"


@pytest.fixture
async def broker(station: Station, aurelia: Peer) -> AsyncIterator[MemoryBroker]:
    """The node's broker, with XA listening on both lanes; nobody listens for XS."""
    bus = MemoryBus(clock=station.clock, pauses=short_pauses())
    ours, theirs = bus.connect("XT"), bus.connect("XA")
    async with consuming(theirs, Lane.URGENT, aurelia.hear), consuming(theirs, Lane.ROUTINE, aurelia.hear):
        yield ours


async def beat(station: Station) -> int:
    """One round of the node's watch."""
    async with begin(station.engine) as session:
        return await send_heartbeats(session, station.node, reads=READS, now=station.clock())


async def known(station: Station) -> dict[Way, Pulse]:
    """What the node knows of its ways."""
    async with reading(station.engine) as session:
        return await pulses.pulses(session)


async def clear(station: Station) -> bool:
    """One round of the clearing loop."""
    async with begin(station.engine) as session:
        return await clear_heartbeats(session, now=station.clock())


def heartbeat(peer: Peer, ahead: timedelta = timedelta(), **claims: Any) -> Said:  # noqa: ANN401 - any claim
    """What XA says of itself, its clock ahead of ours by `ahead`."""
    now = peer.clock() + ahead
    body = {"at": write_instant(now), "software": "other 3.1", "reads": ["heartbeat/1"]}
    return peer.say("heartbeat/1", body, **{"iat": int(now.timestamp()), **claims})


async def test_each_way_gets_one_per_period(station: Station) -> None:
    """Both lanes of both peers get a heartbeat; none of them a second one before five minutes are over."""
    assert await beat(station) == 4
    assert await station.rows(OURS) == [("XA", "routine"), ("XA", "urgent"), ("XS", "routine"), ("XS", "urgent")]
    station.clock.now += PERIOD - timedelta(seconds=1)
    assert await beat(station) == 0
    station.clock.now += timedelta(seconds=1)
    assert await beat(station) == 4


async def test_the_next_one_replaces_the_last(station: Station) -> None:
    """However long nothing leaves, one heartbeat per way waits: the latest; the others ended as replaced."""
    for _ in range(4):
        await beat(station)
        station.clock.now += PERIOD
    assert len(await station.rows(OURS)) == 4
    ended = await station.rows("SELECT left_by, count(*) FROM outbox WHERE left_at IS NOT NULL GROUP BY 1")
    assert ended == [("replaced", 12)]


async def test_none_goes_to_a_peer_that_is_closed(station: Station) -> None:
    """A peer whose resync is awaited gets no heartbeat: nothing but resync is signed for it."""
    begun = "INSERT INTO recovery (id, began_at, proof, detail) VALUES (gen_random_uuid(), now(), 'anchor', '{}')"
    closed = (
        "INSERT INTO recovering_peer (recovery_id, peer, resync_id) SELECT id, 'XA', gen_random_uuid() FROM recovery"
    )
    await station.change(begun)
    await station.change(closed)
    assert await beat(station) == 2
    assert {peer for peer, _ in await station.rows(OURS)} == {"XS"}


async def test_its_receipt_gives_round_trip_and_clock(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """From when it left, when the peer took it and when its receipt came follow the way's length and the two clocks."""
    await beat(station)
    await station.relay(broker, Lane.URGENT)
    taken = station.clock() + timedelta(seconds=40, milliseconds=300)
    station.clock.now += timedelta(milliseconds=600)
    await station.take(aurelia.close(aurelia.receipt_for(*aurelia.heard, received_at=write_instant(taken))))
    pulse = (await known(station))[URGENT]
    assert (pulse.answered_at, pulse.round_trip_ms, pulse.skew_ms) == (station.clock(), 600, 40_000)
    assert (await known(station))[ROUTINE].answered_at is None


async def test_an_answer_after_the_next_beat_measures_nothing(
    station: Station, aurelia: Peer, broker: MemoryBroker
) -> None:
    """A receipt that comes when a fresher heartbeat is under way says nothing of the way as it is now."""
    await beat(station)
    await station.relay(broker, Lane.URGENT)
    (late,) = aurelia.heard
    station.clock.now += PERIOD
    await beat(station)
    await station.take(aurelia.close(aurelia.receipt_for(late)))
    assert (await known(station))[URGENT].round_trip_ms is None
    assert await station.rows("SELECT count(*) FROM quarantine") == [(0,)]


async def test_a_heartbeat_is_stored_receipted_and_remembered(station: Station, aurelia: Peer) -> None:
    """A peer's heartbeat is taken like any message; what it says of itself is shown."""
    await station.take(aurelia.close(heartbeat(aurelia)))
    assert await station.rows("SELECT type, state FROM inbox") == [("heartbeat/1", "applied")]
    assert await receipted(station) == [("XA", "stored", None)]
    pulse = (await known(station))[URGENT]
    assert (pulse.heard_at, pulse.software) == (station.clock(), "other 3.1")


async def test_only_a_newer_one_counts(station: Station, aurelia: Peer) -> None:
    """Heartbeats that overtook each other leave the newest; a repeated one makes nobody younger."""
    first = heartbeat(aurelia)
    station.clock.now += PERIOD
    second = heartbeat(aurelia)
    await station.take(aurelia.close(second))
    heard_at = station.clock()
    station.clock.now += PERIOD
    await station.take(aurelia.close(first), aurelia.close(second, copy=2))
    assert (await known(station))[URGENT].heard_at == heard_at


SENSELESS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no time": {"software": "x", "reads": []},
    "a time far beyond its own signature": {"at": "2099-01-01T00:00:00Z", "software": "x", "reads": []},
}


@pytest.mark.parametrize("case", SENSELESS)
async def test_a_senseless_heartbeat_changes_nothing(station: Station, aurelia: Peer, case: str) -> None:
    """One that cannot be read, or would silence all that follow, is refused, and breaks nothing."""
    await station.take(aurelia.close(aurelia.say("heartbeat/1", SENSELESS[case])))
    assert await station.rows("SELECT state, code FROM inbox") == [("refused", "malformed")]
    assert await known(station) == {}
    await station.take(aurelia.close(heartbeat(aurelia)))
    assert (await known(station))[URGENT].heard_at == station.clock()


async def whole_round(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """Heartbeats both ways with their receipts, as of one period."""
    await beat(station)
    await station.take(aurelia.close(heartbeat(aurelia)))
    await station.relay(broker)
    mine = [opened for opened in aurelia.messages() if opened.claims.type == "heartbeat/1"]
    await station.take(aurelia.close(aurelia.receipt_for(*mine)))
    await station.relay(broker)
    aurelia.heard.clear()


async def test_heartbeats_leave_no_fact(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """Queued, sent, received, receipted, both ways: nothing of it enters the audit log."""
    await whole_round(station, aurelia, broker)
    assert await facts(station) == []


async def test_a_fact_beside_heartbeats_is_seen(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """(Control) One real message in the same batch leaves the facts that the test above would have found."""
    await station.take(aurelia.close(heartbeat(aurelia)), aurelia.close(aurelia.say_next(new_id())))
    assert await facts(station) == ["envelope.received", "receipt.sent"]
    await station.put(Outgoing("XA", MessageType.TEST_CALL, {}))
    await beat(station)
    await station.relay(broker)
    await station.take(aurelia.close(aurelia.receipt_for(*aurelia.messages())))
    assert await facts(station) == ["envelope.received", "receipt.sent", "envelope.queued", "receipt.received"]


async def test_heartbeats_are_receipted_apart(station: Station, aurelia: Peer) -> None:
    """A receipt that speaks of heartbeats speaks of nothing else: it may go after a day, the other may not."""
    await station.take(aurelia.close(heartbeat(aurelia)), aurelia.close(aurelia.say_next(new_id())))
    found = await station.rows("SELECT fleeting, count(*) FROM outbox WHERE type = 'receipt/1' GROUP BY 1 ORDER BY 1")
    assert found == [(False, 1), (True, 1)]


async def test_after_a_day_nothing_is_left_of_them(station: Station, aurelia: Peer, broker: MemoryBroker) -> None:
    """Heartbeats, their receipts and the attempts to publish them are cleared after a day; all else stays."""
    await whole_round(station, aurelia, broker)
    await station.change("DELETE FROM publication WHERE peer = 'XS'")
    await station.change("DELETE FROM outbox WHERE peer = 'XS'")
    await station.take(aurelia.close(aurelia.say_next(new_id())))
    counts = "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM outbox), (SELECT count(*) FROM publication)"
    before = await station.rows(counts)
    station.clock.now += timedelta(hours=23)
    await clear(station)
    assert await station.rows(counts) == before
    station.clock.now += timedelta(hours=2)
    await clear(station)
    assert await station.rows(counts) == [(1, 1, 0)], "one opening, and its receipt, which has not been published"


async def test_a_late_receipt_for_a_heartbeat_is_no_alarm(
    station: Station, aurelia: Peer, broker: MemoryBroker
) -> None:
    """A peer back from a weekend receipts what waited for it: no heartbeat of ours has been forgotten by then."""
    await beat(station)
    await station.relay(broker)
    station.clock.now += timedelta(days=3)
    await clear(station)
    await station.take(aurelia.close(aurelia.receipt_for(*aurelia.messages())))
    assert await station.rows("SELECT count(*) FROM quarantine") == [(0,)]
    station.clock.now += timedelta(days=2)
    await clear(station)
    assert await station.rows("SELECT count(*) FROM outbox WHERE peer = 'XA'") == [(0,)], "receipted, and a day ago"


async def test_what_nobody_receipts_goes_in_the_end(station: Station, broker: MemoryBroker) -> None:
    """Heartbeats to a contact point that is no more do not pile up for ever."""
    await beat(station)
    await station.relay(broker)
    station.clock.now += KEPT_UNANSWERED + timedelta(minutes=1)
    await clear(station)
    assert await station.rows("SELECT count(*) FROM outbox") == [(0,)]
