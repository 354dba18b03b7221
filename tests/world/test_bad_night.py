"""Twenty to four: a counterpart has been silent for a while, and this is what the people at our node read."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import sent

if TYPE_CHECKING:
    from tests.support.world import World


async def test_a_silent_counterpart(edge_world: World) -> None:
    """With XT away, XA shows for whom what waits, why, and whom to call; back again, nobody has to do anything."""
    world, monitor = edge_world, edge_world["XA"].as_("monitor")

    async def told(path: str) -> dict[str, Any]:
        return dict((await monitor.get(f"/v1/monitoring/{path}")).json())

    async def state_of(code: str) -> dict[str, Any]:
        return await told(f"peers/{code}")

    for code in ("XT", "XS"):
        await seen(partial(state_of, code), lambda peer: peer["state"] == "up")
    world.bus.pause("XT")
    await sent(world, document(RequestType.PRESERVATION))
    await seen(partial(told, "outbox"), lambda shown: any(way["troubles"] for way in shown["ways"]))
    world.clock.advance(timedelta(minutes=12))
    outbox = await seen(partial(told, "outbox"), lambda shown: any(not way["moving"] for way in shown["ways"]))
    stuck = [way for way in outbox["ways"] if not way["moving"]]
    assert {way["peer"] for way in stuck} == {"XT"}
    assert all("XT on +99901555101" in way["next_act"] for way in stuck)
    await seen(partial(state_of, "XS"), lambda peer: peer["state"] == "up")
    silent = await state_of("XT")
    assert (silent["state"], silent["pending"] > 0) == ("silent", True)
    assert "telephone XT on +99901555101" in silent["next_act"]
    assert (await monitor.get("/v1/monitoring/checks/outbox-age")).status_code == 503
    world.bus.resume("XT")
    world.clock.advance(timedelta(minutes=5))
    await seen(partial(state_of, "XT"), lambda peer: peer["state"] == "up" and peer["pending"] == 0)
    assert (await monitor.get("/v1/monitoring/checks/outbox-age")).status_code == 200
