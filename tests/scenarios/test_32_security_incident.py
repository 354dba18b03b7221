"""Scenario 32: data of another state were lost here; that state is told what, which cases, and what was done."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.support.world import seen
from tests.world.journey import advice, expect, sent
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import Caller, World

WHAT = "A backup disk with answers of this month was lost in transit."


def report(world: World, *exchanges: str, **members: object) -> dict[str, Any]:
    """What a supervisor reports."""
    return {
        "discovered_at": world.clock().isoformat(),
        "what": WHAT,
        "mitigations": "The disk is encrypted; its key was changed.",
        "contact": "Data protection officer, +99900555099",
        "exchanges": list(exchanges),
        "limit_onward": True,
        **members,
    }


async def told(caller: Caller) -> list[dict[str, Any]]:
    """The incidents this desk is shown."""
    return list(expect(await caller.get("/v1/incidents"), 200)["data"])


async def test_each_state_learns_of_its_own_cases(scenario_world: World) -> None:
    """Scenario 32: XA lost data of a case with XT and of one with XS: each is told of its own; both sides mark it."""
    with_xt = await sent(scenario_world, fresh(scenario_world))
    await with_xt.settled()
    with_xs = await advice(scenario_world)
    supervisor = scenario_world["XA"].as_("supervisor")
    made = report(scenario_world, with_xt.exchange_id, with_xs.exchange_id)
    shown = expect(await supervisor.post("/v1/incidents", made), 201)["data"]
    assert {one["peer"]: one["exchanges"] for one in shown} == {
        "XT": [with_xt.exchange_id],
        "XS": [with_xs.exchange_id],
    }
    for journey in (with_xt, with_xs):
        (there,) = await seen(partial(told, journey.theirs()), lambda found: len(found) == 1)
        assert (there["direction"], there["peer"], there["what"]) == ("incoming", "XA", WHAT)
        assert (there["exchanges"], there["limit_onward"]) == ([journey.exchange_id], True)
        marked = partial(journey.theirs().get, journey.exchange)
        await seen(marked, lambda answer: "UNDER_INCIDENT" in answer.json()["flags"])
        assert "UNDER_INCIDENT" in (await journey.settled())["flags"]
        for caller in (journey.ours(), journey.theirs()):
            lines = [line for line in await journey.timeline(caller) if line["event"] == "under_incident"]
            assert [line["party"] for line in lines] == ["XA"], "it happened at XA"


async def test_reporting_has_its_rules(scenario_world: World) -> None:
    """Only a supervisor reports; what is not there, a stranger, or nobody at all is refused, and nothing sent."""
    before = len(await told(scenario_world["XT"].as_("duty_officer")))
    supervisor = scenario_world["XA"].as_("supervisor")
    unknown = "0193503e-7a52-7c1e-9d0b-000000000000"
    for made, code in (
        (report(scenario_world, unknown), "exchange_unknown"),
        (report(scenario_world, peers=["XQ"]), "contact_point_unknown"),
        (report(scenario_world), "nobody_concerned"),
    ):
        answer = await supervisor.post("/v1/incidents", made)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    officer = scenario_world["XA"].as_("duty_officer")
    assert (await officer.post("/v1/incidents", report(scenario_world, peers=["XT"]))).status_code == 403
    assert (await scenario_world["XA"].as_("agency_officer").get("/v1/incidents")).status_code == 403
    assert len(await told(scenario_world["XT"].as_("duty_officer"))) == before
