"""Both lanes, and several processes, receive at the same time: still once, still in order."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from app.domain.codes import Lane
from tests.support.peer import new_id

if TYPE_CHECKING:
    from tests.support.peer import Peer
    from tests.support.station import Station


async def test_the_same_batch_on_both_lanes(station: Station, aurelia: Peer) -> None:
    """Copies that are received on both lanes at the same moment have one effect."""
    thread = new_id()
    raws = [aurelia.close(aurelia.say_next(thread)) for _ in range(5)]
    await asyncio.gather(*(station.take(*raws, lane=lane) for lane in (*Lane, *Lane)))
    assert await station.effects_of(thread) == [1, 2, 3, 4, 5]
    assert await station.rows("SELECT sum(duplicates) FROM inbox") == [(15,)]


async def test_threads_in_any_order_on_both_lanes(station: Station, aurelia: Peer) -> None:
    """Batches that name the same threads in opposite orders neither wait for each other nor lose the order."""
    drawn = random.Random(11)
    for _ in range(5):
        threads = [new_id() for _ in range(6)]
        rounds = [[aurelia.close(aurelia.say_next(thread)) for thread in threads] for _ in range(4)]
        for batch in rounds:
            drawn.shuffle(batch)
        await asyncio.gather(
            *(station.take(*batch, lane=lane) for batch, lane in zip(rounds, (*Lane, *Lane), strict=True))
        )
        for thread in threads:
            assert await station.effects_of(thread) == [1, 2, 3, 4]


async def test_threadless_copies_on_both_lanes(station: Station, aurelia: Peer) -> None:
    """Test calls, which have no thread to lock, have one effect each though their copies come at once, in any order."""
    calls = [aurelia.close(aurelia.say("test-call/1")) for _ in range(10)]
    await asyncio.gather(station.take(*calls), station.take(*reversed(calls), lane=Lane.ROUTINE))
    assert await station.rows("SELECT count(*), count(DISTINCT jti) FROM effect") == [(10, 10)]
