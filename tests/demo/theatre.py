"""Three nodes in this process with their gateways on ports, and a line to XT that can be cut: a place to play a day."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.demo.client import open_line
from app.demo.network import DemoNode, day_of
from app.demo.script import steps
from app.main import serve_http
from app.serving import listen_on, stop
from tests.support.ports import LOOPBACK
from tests.support.proxy import Proxy
from tests.support.world import living_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from app.demo.day import Day, Step
    from tests.support.postgres import PostgresServer
    from tests.support.world import World


@dataclass(frozen=True, slots=True)
class Theatre:
    """The nodes as the demo knows them; XT's own gateway is reached through `door`."""

    world: World
    nodes: Mapping[str, DemoNode]
    door: Proxy

    def day(self) -> Day:
        """A new day: nothing has been filed yet."""
        return day_of(self.nodes)

    async def stop_xt(self) -> None:
        """XT stops answering people and nodes alike."""
        self.world.bus.pause("XT")
        await self.door.cut()

    def start_xt(self) -> None:
        """It answers again."""
        self.world.bus.resume("XT")
        self.door.heal()

    def stopping_before(self, number: int) -> list[Step]:
        """The script, in which XT stops before that step; counted from 1, as it is printed."""
        script = steps()
        what, deed = script[number - 1]

        async def without_xt(day: Day) -> str:
            await self.stop_xt()
            return await deed(day)

        script[number - 1] = (what, without_xt)
        return script


@asynccontextmanager
async def open_theatre(postgres: PostgresServer, folder: Path) -> AsyncIterator[Theatre]:
    """Open it, all three nodes at work."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(living_world(postgres, folder))
        listeners = {code: stack.enter_context(listen_on(LOOPBACK, 0)) for code in world.nodes}
        serving = await stack.enter_async_context(asyncio.TaskGroup())
        nodes, doors = {}, {}
        for code, node in world.nodes.items():
            serving.create_task(serve_http(node.runtime, listeners[code], graceful_seconds=1))
            stack.callback(stop, node.runtime)
            doors[code] = await stack.enter_async_context(Proxy(listeners[code].getsockname()[1]))
            line = await stack.enter_async_context(open_line(f"http://{LOOPBACK}:{doors[code].port}"))
            nodes[code] = DemoNode(node.runtime, listeners[code], line, node.tokens)
        yield Theatre(world, nodes, doors["XT"])


def seated(day: Day, node: str, **seats: str) -> Day:
    """The same day, on which these seats of a node are taken by somebody of another seat."""
    people = {seat: day.people[node][seats.get(seat, seat)] for seat in day.people[node]}
    return replace(day, people={**day.people, node: people})
