"""What kills whoever opens it is put aside after three deaths, and what cannot be put aside stays where it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aio_pika

from app.bus.connection import Access
from app.bus.topology import DELIVERY_LIMIT
from app.crashing import KILLED, CrashPoint
from app.domain.codes import Lane
from app.receiving import TRIED_OFTEN
from tests.support import driving
from tests.support.bus import Desk, consuming, eventually, open_rabbit, send
from tests.support.checker import Wanted
from tests.support.evidence import conclude
from tests.support.history import heartbeats_left
from tests.support.passing import PROBED
from tests.support.processes import until

if TYPE_CHECKING:
    from pamqp.common import FieldTable

    from tests.e2e.ground import Network
    from tests.support.processes import Site
    from tests.support.rabbit import Vhost

UNOPENED = "SELECT count(*) FROM quarantine WHERE reason = 'unopened'"
CONFIRMED = """
SELECT count(*) FROM outbox JOIN publication ON outbox_id = id
    WHERE thread = $1 AND publication.confirmed_at IS NOT NULL
"""
CONTROL = "at.most.once"
FEW = 2


async def deaths_of(site: Site) -> int:
    """How often a node that dies of everything it is given had to be started until nothing was left to die of."""
    deaths = 0
    while True:
        site.start(crash_at=CrashPoint.INTAKE_BEFORE_COMMIT, rehearsal="1")

        async def decided() -> bool:
            return not site.process.runs or await site.count(UNOPENED) > 0

        await until(decided, what="it dies, or puts aside what it died of")
        if site.process.runs:
            await site.process.stop()
            return deaths
        assert await site.process.ended() == KILLED, site.process.tail()
        deaths += 1


async def test_poison_is_put_aside_after_three_deaths(network: Network) -> None:
    """A message that kills its receiver each time is put aside unopened; the queue flows, and its next copy counts."""
    xa, xt = network["XA"], network["XT"]
    xa.start()
    await xa.ready()
    await heartbeats_left(xa)
    await network.ground.purge_all(network.queues("XT"))
    poison = (await driving.send(xa, driving.preservation("AU-POISON"))).exchange

    async def confirmed() -> bool:
        return await xa.count(CONFIRMED, poison) > 0

    await until(confirmed, what="the broker confirms")
    await xa.process.stop()
    assert await deaths_of(xt) == TRIED_OFTEN
    xa.start()
    xt.start()
    await asyncio.gather(xa.ready(), xt.ready())
    later = (await driving.send(xa, driving.preservation("AU-LATER"))).exchange
    await driving.delivered(xa, later)
    await xa.execute(PROBED)
    await conclude(network.sites, [Wanted(poison, "XT"), Wanted(later, "XT")])
    assert await xt.count("SELECT copy FROM inbox WHERE thread = $1 AND seq = 1", poison) > 1


async def give_back(url: str, queue: str, times: int) -> None:
    """Take the one message of a queue and return it so often."""
    async with await aio_pika.connect(url, timeout=5) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=1)
        taking = await channel.get_queue(queue, ensure=False)
        returned, enough = 0, asyncio.Event()

        async def on_message(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            nonlocal returned
            returned += 1
            await message.reject(requeue=True)
            if returned >= times:
                enough.set()

        await taking.consume(on_message)
        await asyncio.wait_for(enough.wait(), 30)


async def test_dead_letters_that_have_no_place_are_not_lost(vhost: Vhost) -> None:
    """Without its queue of dead letters a node says so, and what was to go there is there once the queue is.

    Control: from a queue that dead-letters at most once, the same message is gone.
    """
    names, desk = vhost.queues("XT"), Desk()
    xa, xt = (open_rabbit(Access(code, vhost.url(code), vhost.accounts[code].suffix)) for code in ("XA", "XT"))
    try:
        await vhost.delete_queue(names.dead)
        await declare_control(vhost)
        await send(xa, "XT", b"killer", lane=Lane.URGENT)
        await give_back(vhost.url("XT"), names.inbound(Lane.URGENT), DELIVERY_LIMIT + 1)
        await give_back(vhost.administrator_url, CONTROL, FEW + 1)
        async with consuming(xt, Lane.ROUTINE, desk.handle):
            await eventually(lambda: xt.status().consuming[Lane.ROUTINE])
            assert not xt.status().dead_letters
            assert desk.bodies == []
            await vhost.load()
            await eventually(lambda: xt.status().dead_letters)
            await desk.has(1)
        assert [(got.body, got.dead) for got in desk.taken] == [(b"killer", True)]
        assert await vhost.depth(CONTROL) == 0
    finally:
        await xa.aclose()
        await xt.aclose()


async def declare_control(vhost: Vhost) -> None:
    """A queue with one message that forgets what it cannot dead-letter."""
    arguments: FieldTable = {
        "x-queue-type": "quorum",
        "x-delivery-limit": FEW,
        "x-dead-letter-exchange": "cp.dead",
        "x-dead-letter-routing-key": "XT.urgent",
        "x-dead-letter-strategy": "at-most-once",
    }
    async with await aio_pika.connect(vhost.administrator_url, timeout=5) as connection:
        channel = await connection.channel()
        await channel.declare_queue(CONTROL, durable=True, arguments=arguments)
        await channel.default_exchange.publish(aio_pika.Message(b"forgotten"), CONTROL)
