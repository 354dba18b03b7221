"""Scenario 32: data of another state were lost here; that state is told what, which cases, and what was done."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.support.world import seen
from tests.world.journey import advice, expect, sent
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import Caller, World
    from tests.world.ledger import Ledger

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


async def test_mark_goes_when_the_last_incident_is_over(scenario_world: World, scenario_ledger: Ledger) -> None:
    """Scenario 32: whoever reported says why it is over; the mark stays until the other incident is over as well."""
    journey = await advice(scenario_world)
    ours, theirs = (scenario_world[code].as_("supervisor") for code in ("XA", journey.requested))
    at_ours = expect(await ours.post("/v1/incidents", report(scenario_world, journey.exchange_id)), 201)["data"][0]
    theirs_made = expect(await theirs.post("/v1/incidents", report(scenario_world, journey.exchange_id)), 201)
    at_theirs = theirs_made["data"][0]
    await shown_over(theirs, at_ours["id"], over=False)
    assert "UNDER_INCIDENT" in (await journey.settled())["flags"]

    end = {"action": "end", "text": "The disk was found."}
    act = f"/v1/incidents/{at_ours['id']}/actions"
    for caller, path, status, code in (
        (scenario_world["XA"].as_("duty_officer"), act, 403, "role_not_allowed"),
        (ours, f"/v1/incidents/{journey.exchange_id}/actions", 404, "not_found"),
    ):
        answer = await caller.post(path, end)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert expect(await ours.post(act, end), 200)["allowed_actions"] == []
    assert (await ours.post(act, end)).json()["code"] == "action_not_allowed"
    there = await shown_over(theirs, at_ours["id"], over=True)
    assert (there["over_note"], there["allowed_actions"]) == (end["text"], [])
    assert "UNDER_INCIDENT" in (await journey.settled())["flags"], "the other incident is not over"

    expect(await theirs.post(f"/v1/incidents/{at_theirs['id']}/actions", end), 200)
    await shown_over(ours, at_theirs["id"], over=True)
    assert "UNDER_INCIDENT" not in (await journey.settled())["flags"]
    for caller in (journey.ours(), journey.theirs()):
        lines = [line["party"] for line in await journey.timeline(caller) if line["event"] == "incident_over"]
        assert lines == ["XA", journey.requested]
    opened = await scenario_ledger.rows("XA", "SELECT body FROM commitment WHERE field = 'incident'")
    facts = [json.loads(row["body"]) for row in opened]
    assert [fact["note"] for fact in facts if fact.get("id") == at_ours["id"]] == [end["text"]]


async def test_report_that_a_restore_lost(scenario_world: World, scenario_ledger: Ledger) -> None:
    """Scenario 32: where the report was lost and its mark came back with a restore, the mark goes when it is over."""
    journey = await advice(scenario_world)
    ours, theirs = (scenario_world[code].as_("supervisor") for code in ("XA", journey.requested))
    made = report(scenario_world, journey.exchange_id, peers=["XT", "XS"])
    shown = expect(await ours.post("/v1/incidents", made), 201)["data"]
    for one in shown:
        await shown_over(scenario_world[one["peer"]].as_("supervisor"), one["id"], over=False)
    assert "UNDER_INCIDENT" in (await journey.settled())["flags"]
    for one in shown:
        await scenario_ledger.run(one["peer"], f"DELETE FROM incident WHERE id = '{one['id']}'")
        end = {"action": "end", "text": "The disk was found."}
        expect(await ours.post(f"/v1/incidents/{one['id']}/actions", end), 200)
        await shown_over(scenario_world[one["peer"]].as_("supervisor"), one["id"], over=True)
    assert "UNDER_INCIDENT" not in (await journey.settled())["flags"]
    lines = [line["party"] for line in await journey.timeline(theirs) if line["event"] == "incident_over"]
    assert lines == ["XA"]


async def shown_over(caller: Caller, incident_id: str, *, over: bool) -> dict[str, Any]:
    """The incident as this desk shows it, once it is there and over, or not."""

    async def look() -> list[dict[str, Any]]:
        return [one for one in await told(caller) if one["id"] == incident_id and (one["over_at"] is not None) is over]

    (found,) = await seen(look, lambda listed: len(listed) == 1)
    return found


async def test_list_of_incidents_has_pages(scenario_world: World) -> None:
    """Page by page the same incidents are shown as at once, each once; a cursor of another list opens nothing."""
    desk = scenario_world["XA"].as_("duty_officer")
    whole = expect(await desk.get("/v1/incidents", limit=200), 200)["data"]
    assert len(whole) > 1
    paged: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = expect(await desk.get("/v1/incidents", limit=1, **cursor), 200)
        paged += page["data"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert paged == whole
    for wrong in ("AAAA", "A" * 22, "A" * 120):
        assert (await desk.get("/v1/incidents", cursor=wrong)).status_code == 422


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
