"""A peer that nothing gets out to: it is spared, and nobody else waits behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from app.bus.attempts import BACK_OFF
from app.bus.relay import ROUND
from app.db import receipts
from app.db.engine import begin
from app.db.tables_delivery import Trouble
from app.domain.codes import Lane, MessageType
from app.services.send import Outgoing
from tests.envelope.parties import AURELIA, KITANO, SAHRAN
from tests.support.courier import Courier
from tests.support.peer import Clock, new_id
from tests.support.station import Station, open_station

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database


@pytest.fixture
async def station(database: Database) -> AsyncIterator[Station]:
    """XT, which knows XA and XS."""
    urls = (database.url, database.owner_url)
    async with open_station(KITANO, AURELIA, SAHRAN, urls=urls, clock=Clock()) as opened:
        yield opened


async def put(station: Station, peer: str, number: int) -> None:
    """Queue so many messages for a peer."""
    for _ in range(number):
        await station.put(Outgoing(peer, MessageType.EXCHANGE_ACTION, {}, thread=new_id()))


DEAD = frozenset({"XS"})


async def rounds_until_served(station: Station, courier: Courier, *, off: bool) -> int:
    """Queue four rounds for the dead XS and then five messages for XA; returns the rounds until XA's are out."""
    await put(station, "XS", 4 * ROUND)
    station.clock.now += timedelta(milliseconds=1)
    await put(station, "XA", 5)
    number = 0
    while len(courier.bodies) < 5:
        if off:
            await station.change("UPDATE passage SET stuck_until = NULL")
        await station.relay(courier, Lane.ROUTINE)
        number += 1
    return number


async def test_a_dead_peer_keeps_nobody_waiting(station: Station) -> None:
    """Behind two hundred messages that a peer's queue does not take, those for another peer leave in the next round."""
    courier = Courier(dead=DEAD)
    assert await rounds_until_served(station, courier, off=False) == 2
    assert courier.addressees.count("XS") == ROUND


async def test_without_the_rest_everybody_waits(station: Station) -> None:
    """(Control) Where a way that nothing gets out on is tried again at once, the other peer's turn comes last."""
    courier = Courier(dead=DEAD)
    assert await rounds_until_served(station, courier, off=True) == 5
    assert courier.addressees.count("XS") == 4 * ROUND


async def test_a_full_queue_costs_a_round_per_pause(station: Station) -> None:
    """In an hour at most one round per pause is tried, however much is due."""
    courier = Courier(dead=DEAD)
    await put(station, "XS", 6 * ROUND)
    for _ in range(360):
        await station.relay(courier, Lane.ROUTINE)
        station.clock.now += timedelta(seconds=10)
    assert len(courier.addressees) <= 6 * ROUND
    ((stuck,),) = await station.rows("SELECT stuck FROM passage")
    assert 5 <= stuck <= 6


async def test_the_first_confirmation_lets_all_go(station: Station) -> None:
    """When one message gets out again, all that failed before leave at once and sit out no pause of their own."""
    courier = Courier(dead=DEAD)
    await put(station, "XS", 2 * ROUND + 10)
    for pause in BACK_OFF[:4]:
        await station.relay(courier, Lane.ROUTINE)
        station.clock.now += pause * 1.2
    assert courier.bodies == []
    courier.dead = frozenset()
    for _ in range(4):
        await station.relay(courier, Lane.ROUTINE)
    assert len(courier.bodies) == 2 * ROUND + 10
    assert await station.rows("SELECT stuck, stuck_until FROM passage") == [(0, None)]


async def test_the_broker_is_back(station: Station) -> None:
    """`hasten_troubled` lets a stuck way be tried at once, of the lane and the peer that are named."""
    courier = Courier(dead=DEAD)
    await put(station, "XS", 1)
    await station.relay(courier, Lane.ROUTINE)
    courier.dead = frozenset()
    await put(station, "XS", 1)
    for which, left in (({"peer": "XA"}, 0), ({"lane": Lane.URGENT}, 0), ({"lane": Lane.ROUTINE}, 2)):
        async with begin(station.engine) as session:
            await receipts.hasten_troubled(session, **which, now=station.clock.now)
        await station.relay(courier, Lane.ROUTINE)
        assert len(courier.bodies) == left


async def test_a_peer_without_key_is_looked_up_every_minute(station: Station) -> None:
    """What no key can be found for costs no round while it rests, and leaves within a minute of the new directory."""
    await put(station, "XZ", 2 * ROUND)
    (first,) = await station.relay(Courier(), Lane.ROUTINE)
    assert set(first.troubles) == {Trouble.UNKNOWN_PEER}
    (second,) = await station.relay(Courier(), Lane.ROUTINE)
    assert second.claimed == 0
    for _ in range(20):
        await station.relay(Courier(), Lane.ROUTINE)
        station.clock.now += timedelta(seconds=72)
    ((until,),) = await station.rows("SELECT stuck_until FROM passage")
    assert until - station.clock.now <= timedelta(seconds=72)


async def test_a_closed_peer_gets_resync_alone(station: Station) -> None:
    """While our database recovers with a peer, nothing leaves for it but what belongs to that; others go on."""
    for type_ in (MessageType.INCIDENT, MessageType.HEARTBEAT, MessageType.RESYNC, MessageType.RESYNC_COPY):
        await station.put(Outgoing("XS", type_, {}))
    await put(station, "XA", 1)
    recovery, resync = UUID(new_id()), UUID(new_id())
    statement = "INSERT INTO recovery (id, began_at, proof, detail) VALUES (:id, :now, 'anchor', '{}')"
    await station.change(statement, id=recovery, now=station.clock.now)
    statement = "INSERT INTO recovering_peer (recovery_id, peer, resync_id) VALUES (:id, 'XS', :resync)"
    await station.change(statement, id=recovery, resync=resync)
    courier = Courier()
    await station.relay(courier)
    assert sorted(courier.addressees) == ["XA", "XS", "XS"]
    left = await station.rows("SELECT type FROM outbox WHERE peer = 'XS' AND copy > 0 ORDER BY id")
    assert left == [("resync/1",), ("resync.copy/1",)]
    await station.change("UPDATE recovering_peer SET done_at = :now", now=station.clock.now)
    await station.relay(courier)
    assert len(courier.addressees) == 5


async def test_a_closed_peer_is_probed_by_resync_alone(station: Station) -> None:
    """What was confirmed before its peer was closed is no probe: it could not leave."""
    await put(station, "XS", 1)
    await station.relay(Courier())
    statement = "INSERT INTO recovery (id, began_at, proof, detail) VALUES (:id, :now, 'anchor', '{}')"
    recovery = UUID(new_id())
    await station.change(statement, id=recovery, now=station.clock.now)
    statement = "INSERT INTO recovering_peer (recovery_id, peer, resync_id) VALUES (:id, 'XS', :id)"
    await station.change(statement, id=recovery)
    station.clock.now += timedelta(minutes=1)
    courier = Courier()
    await station.relay(courier)
    assert courier.addressees == []
    assert await station.rows("SELECT silent FROM passage WHERE peer = 'XS'") == [(0,)]
