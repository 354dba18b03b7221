"""Scenario 30: a preservation is never postponed; the collection of evidence is, with a day of review."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from app.domain.documents import example
from tests.routers.clients import assert_problem
from tests.world.journey import Journey, delivered, expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World


def postponement(world: World, days: int = 14) -> dict[str, Any]:
    """The act, with its review so many days ahead."""
    review_at = (world.clock() + timedelta(days=days)).isoformat()
    return {"code": "P-OWN", "review_at": review_at, "considered_partial": True, "text": "Our own case is in court."}


async def evidence(world: World) -> Journey:
    """A request for evidence that XS has acknowledged."""
    journey = await delivered(world, example(RequestType.EVIDENCE_COLLECTION))
    await journey.do("acknowledge")
    await journey.settled()
    return journey


async def test_a_preservation_is_not_postponed(scenario_world: World) -> None:
    """Art. 29 knows no postponement: the act is not there for this type, and nothing has changed."""
    journey = await delivered(scenario_world, fresh(scenario_world))
    await journey.do("acknowledge")
    before = await journey.settled()
    offered = expect(await journey.theirs().get(journey.exchange), 200)["allowed_actions"]
    assert "postpone" not in offered
    answer = await journey.theirs().act(journey.exchange, "postpone", **postponement(scenario_world))
    assert_problem(answer, 409, "action_not_allowed")
    assert await journey.settled() == before


async def test_the_collection_of_evidence_is_postponed_until_its_review(scenario_world: World) -> None:
    """Art. 27(5): POSTPONED on both sides with the reason and the day; taken up again it is ACKNOWLEDGED."""
    journey = await evidence(scenario_world)
    said = postponement(scenario_world)
    await journey.do("postpone", **said)
    shown = await journey.settled()
    assert (shown["state"], shown["details"]["reason"]) == ("POSTPONED", "P-OWN")
    assert shown["details"]["reason_text"] == said["text"]
    here = expect(await journey.ours().get(journey.exchange), 200)
    assert here["details"]["review_at"] == shown["details"]["review_at"] is not None
    await journey.do("resume")
    assert (await journey.settled())["state"] == "ACKNOWLEDGED"


async def test_a_review_lies_ahead_and_within_thirty_days(scenario_world: World) -> None:
    """A postponement without end is none; nor is one without the thought of doing part of it (art. 27(6))."""
    journey = await evidence(scenario_world)
    for days in (-1, 31):
        answer = await journey.theirs().act(journey.exchange, "postpone", **postponement(scenario_world, days))
        (error,) = assert_problem(answer, 422, "out_of_range")["errors"]
        assert error["pointer"] == "/review_at"
    unconsidered = postponement(scenario_world) | {"considered_partial": False}
    answer = await journey.theirs().act(journey.exchange, "postpone", **unconsidered)
    assert answer.status_code == 422
    assert (await journey.settled())["state"] == "ACKNOWLEDGED"
