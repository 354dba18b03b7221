"""Everything that can go wrong with a network of nodes, each struck and healed again, by the dice."""

from __future__ import annotations

import asyncio
import shutil
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.crashing import CrashPoint
from app.domain.codes import Lane
from tests.support.shim import Parcel, Shim

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from random import Random

    from tests.e2e.ground import Network
    from tests.support.processes import Site

ROLES_OF_NODES = "counterpart X%"
BREAK_ALL = f"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '{ROLES_OF_NODES}'
    AND application_name NOT LIKE '% notices'
"""
DROPPED = 0.2
REPEATED = 0.2


@dataclass
class Post:
    """One process of the network: what it runs, and whether it may be struck."""

    site: Site
    verb: str

    def start(self, **settings: str) -> None:
        """Start it as what it is."""
        self.site.start(self.verb, **settings)

    def __str__(self) -> str:
        return f"{self.site.config.stem} ({self.verb})"


@dataclass
class Nemesis:
    """Strikes at random; the same seed strikes the same in the same order. `said` is what was done."""

    network: Network
    posts: list[Post]
    dice: Random
    said: list[str] = field(default_factory=list)

    async def strike(self) -> None:
        """Do one thing and undo it."""
        names = sorted(STRIKES)
        name = self.dice.choices(names, [STRIKES[each][0] for each in names])[0]
        self.said.append(f"{name}{await STRIKES[name][1](self)}")

    async def heal(self) -> None:
        """Everything runs again."""
        self.network.ground.rabbit.ensure_running()
        for post in self.posts:
            post.site.process.signal(signal.SIGCONT)
            if not post.site.process.runs:
                post.start()

    def span(self, shortest: float, longest: float) -> float:
        """Seconds."""
        return self.dice.uniform(shortest, longest)


async def kill(nemesis: Nemesis) -> str:
    """A process dies and is started again a little later."""
    post = nemesis.dice.choice(nemesis.posts)
    await post.site.process.kill9()
    await asyncio.sleep(nemesis.span(0, 3))
    post.start()
    return f": {post}"


async def stop(nemesis: Nemesis) -> str:
    """A process is restarted in order."""
    post = nemesis.dice.choice(nemesis.posts)
    code = await post.site.process.stop()
    post.start()
    return f": {post} ended with {code}"


async def freeze(nemesis: Nemesis) -> str:
    """A process hangs for a while and goes on where it was."""
    post, seconds = nemesis.dice.choice(nemesis.posts), nemesis.span(1, 6)
    post.site.process.signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    post.site.process.signal(signal.SIGCONT)
    return f": {post} for {seconds:.1f} s"


async def crash(nemesis: Nemesis) -> str:
    """A process is started to die at a crash point, and started again when it has, or is killed if it does not."""
    point = nemesis.dice.choice(sorted(CrashPoint))
    wanted = "gateway" if point.startswith("gateway") else "work"
    post = nemesis.dice.choice([one for one in nemesis.posts if one.verb in {wanted, "serve"}])
    await post.site.process.kill9()
    post.start(crash_at=point, rehearsal="1")
    for _ in range(60):
        if not post.site.process.runs:
            break
        await asyncio.sleep(0.1)
    died = not post.site.process.runs
    await post.site.process.kill9()
    post.start()
    return f": {post} at {point}{'' if died else ', which it did not come by'}"


async def kill_broker(nemesis: Nemesis) -> str:
    """The broker dies and comes back with what it had on disk."""
    rabbit = nemesis.network.ground.rabbit
    await asyncio.to_thread(rabbit.kill9)
    await asyncio.sleep(nemesis.span(0, 3))
    await asyncio.to_thread(rabbit.restart)
    return ""


async def freeze_broker(nemesis: Nemesis) -> str:
    """The broker hangs."""
    seconds = nemesis.span(1, 8)
    nemesis.network.ground.rabbit.pause()
    await asyncio.sleep(seconds)
    nemesis.network.ground.rabbit.resume()
    return f" for {seconds:.1f} s"


async def rebuild_broker(nemesis: Nemesis) -> str:
    """The broker loses everything, and gets its definitions again."""
    rabbit = nemesis.network.ground.rabbit
    await asyncio.to_thread(rabbit.kill9)
    shutil.rmtree(rabbit.data)
    rabbit.data.mkdir()
    await asyncio.to_thread(rabbit.restart)
    await nemesis.network.load_definitions()
    return ""


async def purge(nemesis: Nemesis) -> str:
    """A queue loses what waits in it."""
    code, lane = nemesis.dice.choice(sorted(nemesis.network.sites)), nemesis.dice.choice(list(Lane))
    await nemesis.network.ground.purge(nemesis.network.queues(code).inbound(lane))
    return f": {code} {lane}"


async def break_database(nemesis: Nemesis) -> str:
    """All connections to all databases end."""
    await nemesis.network.ground.postgres.execute(BREAK_ALL)
    return ""


async def play_courier(nemesis: Nemesis) -> str:
    """For a while what is meant for one node is dropped, repeated and disordered."""
    code, seconds = nemesis.dice.choice(sorted(nemesis.network.sites)), nemesis.span(2, 6)

    def treat(parcels: list[Parcel]) -> list[Parcel]:
        kept = [one for one in parcels if nemesis.dice.random() >= DROPPED]
        kept += [one for one in kept if nemesis.dice.random() < REPEATED]
        return nemesis.dice.sample(kept, len(kept))

    async with Shim(nemesis.network.ground, nemesis.network.queues(code), treat) as shim:
        await asyncio.sleep(seconds)
    return f" for {code}, {len(shim.seen)} parcels"


STRIKES: Mapping[str, tuple[int, Callable[[Nemesis], Awaitable[str]]]] = {
    "kill -9": (4, kill),
    "restart": (3, stop),
    "SIGSTOP": (3, freeze),
    "crash point": (5, crash),
    "kill -9 of the broker": (2, kill_broker),
    "SIGSTOP of the broker": (2, freeze_broker),
    "broker rebuilt empty": (1, rebuild_broker),
    "queue purged": (4, purge),
    "backends ended": (2, break_database),
    "dishonest courier": (4, play_courier),
}
"""What may happen, and how often beside the others."""
