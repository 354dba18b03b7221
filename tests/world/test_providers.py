"""The providers a contact point knows: entered for its own state, changed in turn, read as an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.codes import RequestType
from app.routers.road_operations import ENTRY
from tests.world.documents import document, put
from tests.world.journey import delivered, expect

if TYPE_CHECKING:
    from tests.support.world import World


async def test_provider_is_known_until_it_is_retired(world: World) -> None:
    """Entered, read as lines for an answer, changed on its generation, and taken out of the list."""
    desk = world["XA"].as_("duty_officer")
    made = expect(await desk.post("/v1/providers", ENTRY), 201)
    assert "Example Hosting SA" in made["text"]
    assert "Holds TRAFFIC: 30 days" in made["text"]
    path = f"/v1/providers/{made['id']}"
    update = {"action": "update", "generation": 1, "entry": ENTRY | {"customer_notice": "NEVER"}}
    changed = expect(await desk.post(f"{path}/actions", update), 200)
    assert (changed["generation"], changed["entry"]["customer_notice"]) == (2, "NEVER")
    senseless = await desk.post(f"{path}/actions", {"action": "update", "generation": 1, "entry": 1})
    assert senseless.status_code == 409, "that it has changed is said before what is wrong with the act"
    stale = await desk.post(f"{path}/actions", update)
    assert (stale.status_code, stale.json()["code"], stale.json()["current"]["generation"]) == (
        409,
        "stale_generation",
        2,
    )
    expect(await desk.post(f"{path}/actions", {"action": "retire", "generation": 2}), 200)
    listed = expect(await desk.get("/v1/providers", country="XA"), 200)["data"]
    assert made["id"] not in {one["id"] for one in listed}
    again = await desk.post(f"{path}/actions", {"action": "retire", "generation": 3})
    assert (again.status_code, again.json()["code"]) == (409, "action_not_allowed")


async def test_each_state_knows_its_own(world: World) -> None:
    """A provider of another state is refused with its field; agencies see no provider at all."""
    desk = world["XT"].as_("duty_officer")
    refused = await desk.post("/v1/providers", ENTRY)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/establishment_country")
    for seat in ("agency_officer", "monitor", "auditor"):
        assert (await world["XA"].as_(seat).get("/v1/providers")).status_code == 403


async def test_list_of_providers_warns_the_desk_that_is_asked(world: World) -> None:
    """Where a request names a provider of the list there, its desk reads that this one tells its customer."""
    name = "Kitamihama Hosting KK"
    entry = ENTRY | {"legal_name": name, "establishment_country": "XT", "customer_notice": "DEFAULT_NOTIFY"}
    made = expect(await world["XT"].as_("duty_officer").post("/v1/providers", entry), 201)
    raw = put(document(RequestType.PRESERVATION), "/targets/0/custodian/name", name)
    journey = await delivered(world, raw)
    there = expect(await journey.theirs().get(journey.exchange), 200)
    assert "provider_tells_customer" in {one["code"] for one in there["warnings"]}
    assert expect(await journey.ours().get(journey.exchange), 200)["warnings"] is None
    retire = {"action": "retire", "generation": 1}
    expect(await world["XT"].as_("duty_officer").post(f"/v1/providers/{made['id']}/actions", retire), 200)
    left = expect(await journey.theirs().get(journey.exchange), 200)["warnings"]
    assert "provider_tells_customer" not in {one["code"] for one in left}
