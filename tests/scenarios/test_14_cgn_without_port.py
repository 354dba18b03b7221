"""Scenario 14: behind a CGN the source port is needed; where nobody knows, the officer is warned and may fail later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.world.documents import document, put, without
from tests.world.journey import delivered, expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World

PORT = "/targets/0/observations/0/source_port"


def portless(world: World, assignment: str) -> dict[str, Any]:
    """A preservation of an address seen without its port."""
    made = without(document(RequestType.PRESERVATION, **fresh(world)), PORT)
    return put(made, "/targets/0/assignment", assignment)


async def test_behind_a_cgn_the_port_is_needed(scenario_world: World) -> None:
    """An instant without source port finds nobody: C-PORT, at the place where it is missing."""
    answer = await scenario_world["XA"].as_("agency_officer").post("/v1/requests", portless(scenario_world, "CGN"))
    problem = assert_problem(answer, 422, "invalid_document")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(PORT, "C-PORT")]


async def test_unknown_assignment_passes_and_may_not_resolve(scenario_world: World) -> None:
    """Where nobody knows how the address was given out, the warning goes along, and N-UNIDENT is a lawful end."""
    journey = await delivered(scenario_world, portless(scenario_world, "UNKNOWN"))
    request = expect(await journey.ours("agency_officer").get(journey.request), 200)
    assert "may_not_resolve" in {warning["code"] for warning in request["warnings"]}
    there = expect(await journey.theirs().get(journey.exchange), 200)
    assert "may_not_resolve" in {warning["code"] for warning in there["warnings"]}
    await journey.do("acknowledge", "accept", "start")
    reasons = "Forty customers had the address at that second; without the port they cannot be told apart."
    await journey.do("not_executable", code="N-UNIDENT", reasons=reasons)
    ended = await journey.settled()
    assert (ended["state"], ended["details"]["reason"]) == ("NOT_EXECUTABLE", "N-UNIDENT")
    assert ended["holds"] == []
    told = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert (told["reason"], told["reason_text"]) == ("N-UNIDENT", reasons)
