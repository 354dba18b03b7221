"""RabbitMQ dies, hangs, loses its users and queues, or is full: what a node notices, and that it goes on by itself."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aio_pika
import pytest
from aio_pika import Message

from app.bus.broker import NotTaken, OutcomeUnknown
from app.bus.connection import Access
from app.domain.codes import Lane
from tests.support.bus import Desk, consuming, eventually, open_rabbit, send
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from aiormq.abc import DeliveredMessage

    from app.bus.rabbit import RabbitBroker
    from tests.support.rabbit import RabbitServer, Vhost


@asynccontextmanager
async def node(
    vhost: Vhost, code: str, *, heartbeat_s: int = 10, publish_timeout_s: float = 3.0
) -> AsyncIterator[RabbitBroker]:
    """A contact point's broker, connected, and closed in the end."""
    access = Access(code, vhost.url(code), vhost.accounts[code].suffix, heartbeat_s=heartbeat_s)
    broker = open_rabbit(access, publish_timeout_s=publish_timeout_s)
    try:
        await eventually(lambda: broker.status().connected, what="it never connected")
        yield broker
    finally:
        await broker.aclose()


async def outcome_of(publication: Awaitable[None]) -> type[Exception] | None:
    """The class of what a publication raised, or None when it was confirmed."""
    try:
        await publication
    except (NotTaken, OutcomeUnknown) as fault:
        return type(fault)
    return None


@pytest.mark.long
async def test_a_killed_broker_loses_nothing_it_confirmed(rabbit: RabbitServer, vhost: Vhost) -> None:
    """After kill -9 and a restart both sides go on by themselves, and every confirmed publication is there."""
    desk, bodies = Desk(), [str(number).encode() for number in range(30)]
    async with node(vhost, "XA") as xa, node(vhost, "XT") as xt:
        async with consuming(xt, Lane.ROUTINE, desk.handle):
            await asyncio.gather(*(xa.publish(Lane.URGENT, "XT", body) for body in bodies))
            rabbit.kill9()
            await eventually(lambda: not xa.status().connected and not any(xt.status().consuming.values()))
            await asyncio.to_thread(rabbit.restart)
            await eventually(lambda: xa.status().connected and xt.status().consuming[Lane.ROUTINE])
            await send(xa, "XT", b"routine goes on", lane=Lane.ROUTINE)
            await desk.has(1)
        urgent = Desk()
        async with consuming(xt, Lane.URGENT, urgent.handle):
            await urgent.has(len(bodies))
        assert urgent.bodies == bodies
        assert await vhost.depth(vhost.queues("XT").inbound(Lane.URGENT)) == 0


async def test_a_hanging_broker_is_felt_for_three_seconds(rabbit: RabbitServer, vhost: Vhost) -> None:
    """A publication to a stopped broker ends after 3 s as `OutcomeUnknown`, and did arrive: unknown is not lost.

    Control: the same publication without our deadline is still waiting when ours has ended.
    """
    loop, desk = asyncio.get_running_loop(), Desk()
    async with node(vhost, "XA") as xa, await aio_pika.connect(vhost.url("XS"), timeout=5) as bare:
        channel = await bare.channel(publisher_confirms=True)
        exchange = await channel.get_exchange("cp.post", ensure=False)
        rabbit.pause()
        try:
            begun = loop.time()
            unprotected = asyncio.create_task(exchange.publish(Message(b"bare"), "XT.XS.routine"))
            with pytest.raises(OutcomeUnknown):
                await xa.publish(Lane.URGENT, "XT", b"late")
            assert 2.9 < loop.time() - begun < 9
            assert not unprotected.done()
        finally:
            rabbit.resume()
        await asyncio.wait_for(unprotected, 10)
        async with node(vhost, "XT") as xt, consuming(xt, Lane.URGENT, desk.handle):
            await desk.has(1)
    assert desk.bodies == [b"late"]


async def test_a_lost_heartbeat_cancels_nobody(rabbit: RabbitServer, vhost: Vhost) -> None:
    """The client cancels who waits on a dead connection; the caller sees `OutcomeUnknown` and lives, and can be closed.

    A deadline beyond the heartbeat's makes the heartbeat speak first.
    """
    async with node(vhost, "XA", heartbeat_s=1, publish_timeout_s=60) as xa:
        rabbit.pause()
        try:
            publishing = asyncio.create_task(xa.publish(Lane.URGENT, "XT", b"x"))
            with pytest.raises(OutcomeUnknown):
                await asyncio.wait_for(publishing, 20)
            await eventually(lambda: not xa.status().connected)
            async with asyncio.timeout(9):
                await xa.aclose()
        finally:
            rabbit.resume()


async def test_a_missing_queue_is_waited_for(vhost: Vhost) -> None:
    """When a node's queue is deleted its status says so at once; when the queue is there again it consumes again."""
    desk, queue = Desk(), vhost.queues("XT").inbound(Lane.URGENT)
    async with node(vhost, "XA") as xa, node(vhost, "XT") as xt, consuming(xt, Lane.URGENT, desk.handle):
        await vhost.delete_queue(queue)
        await eventually(lambda: not xt.status().consuming[Lane.URGENT])
        await eventually(lambda: xt.status().last_error == "ChannelNotFoundEntity")
        assert xt.status().connected, "publishing needs no queue of ours"
        await vhost.load()
        await eventually(lambda: xt.status().consuming[Lane.URGENT])
        await send(xa, "XT", b"again")
        await desk.has(1)


async def test_a_missing_user_is_waited_for(vhost: Vhost) -> None:
    """When the broker no longer knows us the status says so; when it does again, all goes on."""
    desk = Desk()
    async with node(vhost, "XA") as xa, node(vhost, "XT") as xt, consuming(xt, Lane.URGENT, desk.handle):
        await vhost.server.manage("DELETE", "users/XT")
        await eventually(lambda: not xt.status().connected and not xt.status().consuming[Lane.URGENT])
        await vhost.load()
        await eventually(lambda: xt.status().connected and xt.status().consuming[Lane.URGENT])
        await send(xa, "XT", b"known again")
        await desk.has(1)


async def test_a_broker_that_is_away_at_the_start_is_waited_for(rabbit: RabbitServer, vhost: Vhost) -> None:
    """A node starts without its broker, says so, and connects when it is there."""
    url = vhost.server.amqp_url("XA", "not the password", vhost=vhost.name)
    broker = open_rabbit(Access("XA", url, vhost.accounts["XA"].suffix), publish_timeout_s=0.2)
    try:
        await eventually(lambda: broker.status().last_error is not None)
        assert not broker.status().connected
        with pytest.raises(NotTaken):
            await broker.publish(Lane.URGENT, "XT", b"x")
        account = {"password": "not the password", "tags": ""}
        await rabbit.manage("PUT", "users/XA", account)
        await eventually(lambda: broker.status().connected)
    finally:
        await broker.aclose()


async def test_stopping_is_prompt_while_connecting_hangs(vhost: Vhost) -> None:
    """A broker that accepts connections and says nothing delays neither the end of `consume` nor `aclose`."""
    async with Proxy(vhost.server.port) as proxy:
        proxy.blackhole()
        access = Access("XT", vhost.url("XT", port=proxy.port), vhost.accounts["XT"].suffix)
        broker, stopping = open_rabbit(access), asyncio.Event()
        task = asyncio.create_task(broker.consume(Lane.ROUTINE, Desk().handle, stopping))
        await asyncio.wait({task}, timeout=0.2)
        assert not broker.status().connected
        stopping.set()
        async with asyncio.timeout(5):
            await task
            await broker.aclose()


async def test_a_full_queue_refuses(vhost: Vhost) -> None:
    """Beyond the limit a publication is `NotTaken`, nothing that was confirmed is dropped, and room helps at once."""
    limit = {"pattern": "^cp\\.in", "definition": {"max-length-bytes": 4000}, "apply-to": "queues"}
    await vhost.server.manage("PUT", f"policies/{vhost.name}/small", limit)
    desk = Desk()
    async with node(vhost, "XA") as xa, node(vhost, "XT") as xt:
        outcomes = [await outcome_of(xa.publish(Lane.URGENT, "XT", b"x" * 1000)) for _ in range(20)]
        confirmed = outcomes.count(None)
        async with consuming(xt, Lane.URGENT, desk.handle):
            await desk.has(confirmed)
            await send(xa, "XT", b"room again")
            await desk.has(confirmed + 1)
    assert set(outcomes) == {None, NotTaken}
    assert len(desk.taken) == confirmed + 1


async def test_acknowledging_first_would_lose_deliveries(vhost: Vhost) -> None:
    """Control for "acknowledge after the commit": a consumer that does it before loses what its handle fails on."""
    queue, seen = vhost.queues("XT").inbound(Lane.URGENT), asyncio.Event()

    async def fail(_: DeliveredMessage) -> None:
        seen.set()
        raise ZeroDivisionError

    async with node(vhost, "XA") as xa:
        await xa.publish(Lane.URGENT, "XT", b"lost")
        async with await aio_pika.connect(vhost.url("XT"), timeout=5) as connection:
            channel = await (await connection.channel()).get_underlay_channel()
            await channel.basic_consume(queue, fail, no_ack=True)
            await asyncio.wait_for(seen.wait(), 5)
    assert await vhost.depth(queue) == 0


async def test_without_caution_neighbours_are_counted_with_the_poison(vhost: Vhost) -> None:
    """Control for "poison comes alone": a consumer with fifty in hand from the start has all of them counted again."""
    queue, counts = vhost.queues("XT").inbound(Lane.URGENT), dict[bytes, int]()
    async with node(vhost, "XA") as xa:
        await send(xa, "XT", b"poison", b"a", b"b")
        for _ in range(4):
            async with await aio_pika.connect(vhost.url("XT"), timeout=5) as connection:
                channel = await connection.channel()
                await channel.set_qos(prefetch_count=50)
                own = await channel.get_queue(queue, ensure=False)
                arrived: asyncio.Queue[aio_pika.abc.AbstractIncomingMessage] = asyncio.Queue()
                await own.consume(arrived.put)
                for _ in range(3):
                    message = await asyncio.wait_for(arrived.get(), 5)
                    count = message.headers.get("x-delivery-count", 0)
                    counts[message.body] = count if isinstance(count, int) else 0
    assert counts == {b"poison": 3, b"a": 3, b"b": 3}


async def test_without_mandatory_the_unroutable_vanishes(vhost: Vhost) -> None:
    """Control for `Unroutable`: the broker confirms what it has thrown away when nobody asks it to say so."""
    async with await aio_pika.connect(vhost.url("XA"), timeout=5) as connection:
        channel = await connection.channel(publisher_confirms=True)
        exchange = await channel.get_exchange("cp.post", ensure=False)
        assert await exchange.publish(Message(b"x"), "ZZ.XA.urgent", mandatory=False, timeout=5)


async def test_no_log_shows_a_body_or_a_secret(
    vhost: Vhost, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through connections, deliveries and failures neither content nor password nor suffix is logged."""

    async def fail(_: object) -> None:
        raise ValueError("canary-in-the-fault")

    caplog.set_level(logging.INFO)
    async with node(vhost, "XA") as xa, node(vhost, "XT") as xt, consuming(xt, Lane.URGENT, Desk(fail).handle):
        await xa.publish(Lane.URGENT, "XT", b"canary-in-the-body")
        await eventually(lambda: xt.status().last_error == "ValueError")
    shown = caplog.text + "".join(capfd.readouterr())
    assert "bus_link_failed" in shown
    for account in vhost.accounts.values():
        assert account.password not in shown
        assert account.suffix not in shown
    assert "canary" not in shown
