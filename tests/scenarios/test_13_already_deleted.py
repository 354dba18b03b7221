"""Scenario 13: where all logs are gone nothing is refused: it is not executable, with the fact; there is no hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.world.journey import delivered, expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World

FACT = "The provider keeps address logs for 72 hours; those of that day were overwritten on the fourth."
REMARK = "There is nothing left to preserve; a letter of request for these logs would find nothing either."


async def test_gone_data_end_the_request_without_a_hold(scenario_world: World) -> None:
    """N-EXPIRED with the retention fact and the remark on mutual assistance, alike on both sides and at the agency."""
    journey = await delivered(scenario_world, fresh(scenario_world))
    await journey.do("acknowledge", "accept", "start")
    await journey.do("not_executable", code="N-EXPIRED", reasons=FACT, suggestion=REMARK)
    ended = await journey.settled()
    details = ended["details"]
    assert (ended["state"], ended["holds"]) == ("NOT_EXECUTABLE", [])
    assert (details["reason"], details["reason_text"], details["suggestion"]) == ("N-EXPIRED", FACT, REMARK)
    assert details["reason_article"] is None
    here = expect(await journey.ours().get(journey.exchange), 200)
    assert (here["state"], here["holds"], here["details"]) == ("NOT_EXECUTABLE", [], details)
    told = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert (told["state"], told["reason"], told["holds"]) == ("NOT_EXECUTABLE", "N-EXPIRED", [])


async def test_what_is_gone_is_not_a_ground_for_refusing(scenario_world: World) -> None:
    """The code is no ground; the act that carries it is another one, and it needs one person and not two."""
    journey = await delivered(scenario_world, fresh(scenario_world))
    await journey.do("acknowledge", "accept", "start")
    answer = await journey.theirs().act(
        journey.exchange, "refuse", code="N-EXPIRED", reasons=FACT, considered_partial=True
    )
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/code"]
    assert (await journey.settled())["state"] == "IN_EXECUTION"
