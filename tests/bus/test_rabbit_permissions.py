"""What the broker itself refuses to a contact point that turns against the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aio_pika
import pytest
from aio_pika import Message
from aio_pika.exceptions import ChannelPreconditionFailed, PublishError
from aiormq.exceptions import ChannelAccessRefused

from app.bus.connection import Access
from app.domain.codes import Lane
from tests.support.bus import Desk, consuming, open_rabbit, send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiormq.abc import AbstractChannel

    from tests.support.rabbit import Vhost


async def post(channel: AbstractChannel, *, exchange: str = "cp.post", key: str, user: str | None = None) -> object:
    """Publish something with mandatory and confirms."""
    properties = Message(b"forged", user_id=user).properties
    return await channel.basic_publish(
        b"forged", exchange=exchange, routing_key=key, properties=properties, mandatory=True, timeout=5
    )


async def ignore(_: object) -> None:
    """Take what a foreign queue gives."""


FORBIDDEN: dict[str, Callable[[AbstractChannel, Vhost], Awaitable[object]]] = {
    "post under another's name": lambda channel, _: post(channel, key="XT.XS.urgent"),
    "post on a lane that there is not": lambda channel, _: post(channel, key="XT.XA.bulk"),
    "post past the exchange into a queue": lambda channel, vhost: post(
        channel, exchange="", key=vhost.queues("XT").inbound(Lane.URGENT)
    ),
    "post dead letters": lambda channel, _: post(channel, exchange="cp.dead", key="XT.urgent"),
    "consume a foreign queue": lambda channel, vhost: channel.basic_consume(
        vhost.queues("XT").inbound(Lane.URGENT), ignore
    ),
    "consume foreign dead letters": lambda channel, vhost: channel.basic_consume(vhost.queues("XT").dead, ignore),
    "purge a foreign queue": lambda channel, vhost: channel.queue_purge(vhost.queues("XT").inbound(Lane.URGENT)),
    "declare a queue": lambda channel, _: channel.queue_declare("cp.in.XA.copy"),
    "declare an exchange": lambda channel, _: channel.exchange_declare("cp.copy"),
    "bind its own queue to what others get": lambda channel, vhost: channel.queue_bind(
        vhost.queues("XA").inbound(Lane.URGENT), "cp.post", "#"
    ),
    "delete its own queue": lambda channel, vhost: channel.queue_delete(vhost.queues("XA").inbound(Lane.URGENT)),
}


@pytest.fixture
async def connection(vhost: Vhost) -> AsyncIterator[aio_pika.abc.AbstractConnection]:
    """A connection with the credentials of XA, in the hands of somebody who does not use our code."""
    async with await aio_pika.connect(vhost.url("XA"), timeout=5) as opened:
        yield opened


async def open_channel(connection: aio_pika.abc.AbstractConnection) -> AbstractChannel:
    """A channel that raises what the broker answers."""
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    return await channel.get_underlay_channel()


@pytest.mark.parametrize("act", FORBIDDEN)
async def test_the_broker_refuses(connection: aio_pika.abc.AbstractConnection, vhost: Vhost, act: str) -> None:
    """With XA's credentials none of this can be done (403)."""
    channel = await open_channel(connection)
    with pytest.raises(ChannelAccessRefused):
        await FORBIDDEN[act](channel, vhost)


async def test_the_broker_refuses_a_foreign_user_id(connection: aio_pika.abc.AbstractConnection) -> None:
    """A publication that claims to come from another user closes the channel (406)."""
    channel = await open_channel(connection)
    with pytest.raises(ChannelPreconditionFailed):
        await post(channel, key="XT.XA.urgent", user="XS")


async def test_without_the_permissions_all_of_it_works(vhost: Vhost) -> None:
    """Control: it is these permissions that stand in the way; a user without them does every one of these things."""
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    await vhost.server.manage("PUT", f"permissions/{vhost.name}/XA", everything)
    await vhost.server.manage("DELETE", f"topic-permissions/{vhost.name}/XA")
    lane_without_queue, internal = "post on a lane that there is not", "post dead letters"
    async with await aio_pika.connect(vhost.url("XA"), timeout=5) as connection:
        for name, act in FORBIDDEN.items():
            channel = await open_channel(connection)
            if name == lane_without_queue:
                with pytest.raises(PublishError):  # taken for routing, and no queue is bound
                    await act(channel, vhost)
            elif name == internal:
                with pytest.raises(ChannelAccessRefused):  # the exchange is internal besides
                    await act(channel, vhost)
            else:
                await act(channel, vhost)


async def test_a_foreign_queue_cannot_be_found_by_its_code(connection: aio_pika.abc.AbstractConnection) -> None:
    """Without its suffix nobody learns how much waits for another contact point."""
    channel = await open_channel(connection)
    for name in ("cp.in.XT.urgent", "cp.in.XT.urgent.", "cp.dead.XT"):
        with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
            await channel.queue_declare(name, passive=True)
        channel = await open_channel(connection)


async def test_codes_with_a_name_work_like_others(make_vhost: Callable[..., Awaitable[Vhost]]) -> None:
    """XA-POLICE posts and receives beside XA, and neither gets the other's."""
    vhost = await make_vhost("XA", "XA-POLICE")
    brokers = {
        code: open_rabbit(Access(code, vhost.url(code), account.suffix)) for code, account in vhost.accounts.items()
    }
    desks = {code: Desk() for code in brokers}
    try:
        async with (
            consuming(brokers["XA"], Lane.URGENT, desks["XA"].handle),
            consuming(brokers["XA-POLICE"], Lane.URGENT, desks["XA-POLICE"].handle),
        ):
            await send(brokers["XA"], "XA-POLICE", b"to the police")
            await send(brokers["XA-POLICE"], "XA", b"from the police")
            await desks["XA"].has(1)
            await desks["XA-POLICE"].has(1)
    finally:
        for broker in brokers.values():
            await broker.aclose()
    received = {code: [(got.body, got.sender) for got in desk.taken] for code, desk in desks.items()}
    assert received == {"XA": [(b"from the police", "XA-POLICE")], "XA-POLICE": [(b"to the police", "XA")]}
