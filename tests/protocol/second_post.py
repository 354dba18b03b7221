"""Section 3 of docs/protocol.md: the second node at the broker, under its own account."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aio_pika

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.protocol.second_node import SecondNode


async def serve(node: SecondNode, url: str, *, suffix: str, stopping: asyncio.Event) -> None:
    """Consume both queues and publish what is due until `stopping` is set."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        post = await channel.get_exchange("cp.post", ensure=False)
        for lane in ("urgent", "routine"):
            own = await connection.channel()
            await own.set_qos(prefetch_count=50)
            queue = await own.get_queue(f"cp.in.{node.code}.{lane}.{suffix}")
            await queue.consume(_taker(node, lane))
        while not stopping.is_set():
            await node.publish(post)
            node.due.clear()
            waits = [asyncio.ensure_future(event.wait()) for event in (node.due, stopping)]
            await asyncio.wait(waits, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()


def _taker(node: SecondNode, lane: str) -> Callable[[aio_pika.abc.AbstractIncomingMessage], Any]:
    async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        node.take(message.body, lane)
        await message.ack()

    return take
