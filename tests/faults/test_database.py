"""Connections to the database break, at any moment and in the middle of a commit: nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import random
from itertools import permutations
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support import driving
from tests.support.checker import Wanted
from tests.support.crew import sibling
from tests.support.evidence import conclude, same_at_both
from tests.support.passing import LEASE_ENDED
from tests.support.people import NOT_NOW, People
from tests.support.processes import until
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.ground import Network
    from tests.support.processes import Site

BREAKS = 4
BREAK_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'counterpart X%'"

COMMITS: Mapping[str, bool] = {"and it had got there": True, "and it never got there": False}


@pytest.fixture(scope="module")
async def sites(network: Network) -> Mapping[str, Site]:
    """Both nodes at work."""
    xa, xt = network["XA"], network["XT"]
    xa.start()
    xt.start()
    await asyncio.gather(xa.ready(), xt.ready())
    return network.sites


@pytest.fixture(scope="module")
def wanted() -> list[Wanted]:
    """What was promised so far."""
    return []


async def test_backends_that_are_ended_again_and_again(
    network: Network, sites: Mapping[str, Site], wanted: list[Wanted]
) -> None:
    """While all connections of both nodes are broken again and again, people are served, and all ends as it should."""
    people = People({code: [site] for code, site in sites.items()}, random.Random(12))
    done = asyncio.Event()
    async with asyncio.TaskGroup() as load:
        for person in range(3):
            load.create_task(people.work(f"BROKEN-{person}", done))
        for _ in range(BREAKS):
            before = people.tally.signed
            await network.ground.postgres.execute(BREAK_ALL)

            async def went_on(before: int = before) -> bool:
                return people.tally.signed > before + 2

            await until(went_on, what="people are served again")
        done.set()
    wanted += people.wanted.values()
    for site in sites.values():
        await site.execute(LEASE_ENDED)
    await conclude(sites, wanted)
    for ours, theirs in permutations(sites.values(), 2):
        assert await same_at_both(ours, theirs) == ""
    left = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"

    async def none_left() -> bool:
        return await sites["XA"].count(left) == 0

    await until(none_left, what="no transaction is left open")


@pytest.mark.parametrize("case", COMMITS)
async def test_a_line_that_breaks_at_the_commit(
    network: Network, sites: Mapping[str, Site], wanted: list[Wanted], case: str
) -> None:
    """The line to the database breaks as the signature is being committed: asked again, it counts once either way."""
    xa, passes = sites["XA"], COMMITS[case]
    request = await driving.file(xa, driving.preservation(f"AU-COMMIT-{passes:d}"))
    await driving.approve(xa, request)
    path, key, act = f"/v1/requests/{request}/actions", f"commit-{passes}", {"action": "sign"}
    openings = "SELECT count(*) FROM exchange WHERE request_id = $1"
    desk = sibling(xa, f"commit-{passes:d}")
    async with Proxy(network.ground.postgres.socket) as line:
        address = xa.settings.database_url.get_secret_value()
        credentials, _, rest = address.partition("@")
        desk.start("gateway", database_url=f"{credentials}@127.0.0.1:{line.port}/{rest.strip('/').partition('?')[0]}")
        try:
            await desk.ready()
            trap = line.set_trap(b"INSERT INTO outbox", b"COMMIT;\0", passes=passes)
            try:
                status = (await desk.as_("supervisor").post(path, act, key=key)).status_code
            except httpx.TransportError:
                status = 0
            assert trap.sprung
            assert status in NOT_NOW

            async def is_settled() -> bool:
                return await xa.count(openings, request) == passes

            await until(is_settled, what="what got there has happened, and nothing else")
            people = People({"XA": [desk]}, random.Random(18))
            signed = driving.accepted(await people.post("XA", "supervisor", path, act, key=key))
        finally:
            await desk.close()
    assert await xa.count(openings, request) == 1
    wanted.append(Wanted(str(signed["exchange_id"]), "XT"))
    await conclude(sites, wanted)
