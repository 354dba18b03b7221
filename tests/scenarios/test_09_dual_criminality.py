"""Scenario 09: dual criminality is a ground on a reservation on file, and never for offences of arts. 2 to 11."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tests.routers.clients import assert_problem
from tests.world.journey import Journey, delivered, expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World

REASONS = "Insulting a public office is no offence in Kitano, and a disclosure would be refused for that."
REFUSAL: dict[str, Any] = {"code": "R-DC", "reasons": REASONS, "considered_partial": True}
RESERVATION = "ETS185:29(4)"
OTHER = {
    "title": "Insult of a public office",
    "national_provision": "Criminal code, s. 801",
    "ets185_article": "OTHER",
    "max_penalty_years": 1,
    "conduct_description": "Published a mocking picture of the mayor of Port-Clair on a message board.",
}


async def asked(world: World, requested: str = "XT", *, outside: bool = True) -> Journey:
    """A preservation that the requested side has acknowledged, for an offence outside or inside arts. 2 to 11."""
    made: dict[str, Any] = fresh(world) | {"requested": requested}
    if outside:
        made["offences"] = [deepcopy(OTHER)]
    journey = await delivered(world, made)
    await journey.do("acknowledge")
    await journey.settled()
    return journey


async def test_refused_on_the_reservation_on_file(scenario_world: World) -> None:
    """Two persons refuse with the id of the reservation; both sides show code, article and reasons."""
    journey = await asked(scenario_world)
    proposed = await journey.do("refuse", **REFUSAL, reservation_id=RESERVATION)
    assert proposed["state"] == "ACKNOWLEDGED"
    here = expect(await journey.ours().get(journey.exchange), 200)
    assert (here["state"], here["details"].get("reason")) == ("ACKNOWLEDGED", None)
    own = await journey.theirs().act(journey.exchange, "confirm_refusal")
    assert_problem(own, 403, "role_not_allowed")
    await journey.do("confirm_refusal", seat="supervisor")
    ended = await journey.settled()
    assert (ended["state"], ended["instrument"]) == ("REFUSED", "ETS185")
    details = ended["details"]
    assert (details["reason"], details["reason_article"]) == ("R-DC", "ETS185:29(4)")
    assert details["reason_text"] == REASONS


async def test_the_reservation_is_named(scenario_world: World) -> None:
    """Without its id, or with one that is not on file, the ground is not available; nothing has changed."""
    journey = await asked(scenario_world)
    before = await journey.settled()
    for reservation in ({}, {"reservation_id": "UNCC:42(5)"}):
        answer = await journey.theirs().act(journey.exchange, "refuse", **REFUSAL, **reservation)
        (error,) = assert_problem(answer, 422, "refusal_ground_not_available")["errors"]
        assert error["pointer"] == "/reservation_id"
        assert RESERVATION in error["detail"]
    assert await journey.settled() == before


async def test_not_for_an_offence_of_the_convention(scenario_world: World) -> None:
    """Illegal access is art. 2: the same refusal is 422, with the legal grounds and what to do instead."""
    journey = await asked(scenario_world, outside=False)
    answer = await journey.theirs().act(journey.exchange, "refuse", **REFUSAL, reservation_id=RESERVATION)
    problem = assert_problem(answer, 422, "refusal_ground_not_available")
    assert problem["legal"] == [
        {"code": "R-POL", "provision": "ETS185:29(5)(a)"},
        {"code": "R-ESS", "provision": "ETS185:29(5)(b)"},
    ]
    assert [road["code"] for road in problem["instead"]] == ["C-MISSING"]
    assert (await journey.settled())["state"] == "ACKNOWLEDGED"


async def test_not_without_a_reservation_on_file(scenario_world: World) -> None:
    """Sahran has reserved nothing: for the same offence the ground does not exist there."""
    statements = await scenario_world["XS"].as_("duty_officer").get("/v1/law/countries/XS")
    assert RESERVATION not in {one["id"] for one in expect(statements, 200)["statements"]}
    journey = await asked(scenario_world, "XS")
    answer = await journey.theirs().act(journey.exchange, "refuse", **REFUSAL, reservation_id=RESERVATION)
    problem = assert_problem(answer, 422, "refusal_ground_not_available")
    assert {ground["code"] for ground in problem["legal"]} == {"R-POL", "R-ESS"}
    assert (await journey.settled())["state"] == "ACKNOWLEDGED"
