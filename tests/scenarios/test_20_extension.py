"""Scenario 20: an extension asked for before the end moves it; after the end only a new request helps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.routers.clients import assert_problem
from tests.support.world import seen
from tests.world.holding import HeldBy, held_by, until
from tests.world.journey import expect, filed, taken
from tests.world.test_time_passes import fresh, shows

if TYPE_CHECKING:
    from tests.support.world import World

DRAFTED = (("duty_officer", "open"), ("duty_officer", "approve"))
LEFT = timedelta(days=1, hours=12)


async def asked_for(world: World, hold: HeldBy) -> dict[str, Any]:
    """A request of status EXTENSION that names the one of this hold, ready to be signed."""
    earlier = expect(await hold.journey.ours().get(hold.journey.request), 200)
    made = fresh(world) | {"request_status": "EXTENSION", "previous_reference": earlier["reference"]}
    request = await filed(world, made)
    return await taken(world, request["id"], *DRAFTED)


async def test_extension_before_and_after_the_end(scenario_world: World) -> None:
    """Signed in time it becomes a wish in the same exchange, and the end moves; signed late it is C-MISSING."""
    world = scenario_world
    extended, forgotten = await held_by(world, left=LEFT), await held_by(world, left=LEFT)
    in_time = await asked_for(world, extended)
    signed = await taken(world, in_time["id"], ("supervisor", "sign"))
    assert signed["exchange_id"] == extended.journey.exchange_id
    await seen(extended.there, lambda hold: hold["extension_wish"] is not None)
    (task,) = (await extended.there())["tasks"]
    assert (task["task"], datetime.fromisoformat(task["due_at"])) == ("extension_to_grant", extended.end)
    await extended.do("grant_extension")
    await extended.journey.settled()
    for shown in (await extended.here(), await extended.there()):
        assert datetime.fromisoformat(shown["expires_at"]) > extended.end
        assert shown["state"] == "TIMED"
    late = await asked_for(world, forgotten)
    await until(world, forgotten.end + timedelta(minutes=1))
    await shows(forgotten.journey, lambda exchange: exchange["state"] == "CLOSED")
    refused = await world["XA"].as_("supervisor").act(f"/v1/requests/{late['id']}", "sign")
    problem = assert_problem(refused, 422, "C-MISSING")
    assert [error["pointer"] for error in problem["errors"]] == ["/previous_reference"]
    assert [(await side())["state"] for side in (forgotten.here, forgotten.there)] == ["EXPIRED", "EXPIRED"]
    assert (await extended.there())["state"] == "TIMED"
