"""Scenario 10: a political offence is refused by two persons, with code, article and reasons, and nothing mixed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.routers.clients import assert_problem
from tests.world.journey import delivered, expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World

REASONS = "Seditious libel is an offence of a political character under the law of Kitano."
REFUSAL: dict[str, Any] = {"code": "R-POL", "reasons": REASONS, "considered_partial": True}
LIBEL = {
    "title": "Seditious libel",
    "national_provision": "Criminal code, s. 790",
    "ets185_article": "OTHER",
    "max_penalty_years": 3,
    "conduct_description": "Called upon others, on a message board, to vote the government of Aurelia out of office.",
}


async def test_two_persons_refuse_and_the_other_side_learns_why(scenario_world: World) -> None:
    """Proposed by the duty officer, signed by the supervisor: REFUSED on both sides, R-POL, art. 29(5)(a), reasons."""
    journey = await delivered(scenario_world, fresh(scenario_world) | {"offences": [LIBEL]})
    await journey.do("acknowledge")
    await journey.do("accept")
    await journey.do("refuse", **REFUSAL)
    theirs = expect(await journey.theirs("supervisor").get(journey.exchange), 200)
    assert "confirm_refusal" in theirs["allowed_actions"]
    await journey.do("confirm_refusal", seat="supervisor")
    ended = await journey.settled()
    details = ended["details"]
    assert (ended["state"], ended["instrument"]) == ("REFUSED", "ETS185")
    assert (details["reason"], details["reason_article"]) == ("R-POL", "ETS185:29(5)(a)")
    assert details["reason_text"] == REASONS
    here = expect(await journey.ours().get(journey.exchange), 200)
    assert here["details"] == details
    assert "R-DC" not in str(here["details"])
    told = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert (told["state"], told["reason"], told["reason_text"]) == ("REFUSED", "R-POL", REASONS)


async def test_one_refusal_has_one_ground(scenario_world: World) -> None:
    """A reservation on dual criminality has no place in it, nor has a second ground."""
    journey = await delivered(scenario_world, fresh(scenario_world) | {"offences": [LIBEL]})
    await journey.do("acknowledge")
    both = await journey.theirs().act(journey.exchange, "refuse", **(REFUSAL | {"code": ["R-POL", "R-DC"]}))
    assert_problem(both, 422, "document_invalid")
    await journey.do("refuse", **REFUSAL)
    await journey.do("confirm_refusal", seat="supervisor")
    assert (await journey.settled())["details"]["reason"] == "R-POL"


async def test_a_ground_of_best_efforts_is_none_under_the_treaty(scenario_world: World) -> None:
    """Both states are in the G7 network, too; the request names the convention and is not declined in free words."""
    journey = await delivered(scenario_world, fresh(scenario_world) | {"offences": [LIBEL]})
    await journey.do("acknowledge")
    free = REFUSAL | {"code": "R-BESTEFFORT", "instrument": "G7_24_7"}
    answer = await journey.theirs().act(journey.exchange, "refuse", **free)
    (error,) = assert_problem(answer, 422, "instrument_not_accepted")["errors"]
    assert (error["pointer"], error["detail"]) == (
        "/instrument",
        "This request is refused on what it rests on: ETS185.",
    )
    assert (await journey.settled())["state"] == "ACKNOWLEDGED"
