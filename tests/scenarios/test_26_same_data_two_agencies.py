"""Scenario 26: a second agency asks for the same data: the desk sees it, and joins it to the first one's exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.routers.clients import assert_problem
from tests.world.journey import PRESERVING, delivered, expect, filed, taken
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.journey import Journey
    from tests.world.ledger import Ledger

LINE = "192.0.2.226"
TEXT = "The data are being preserved already; what becomes of it is shown here."


def wanted(world: World, address: str = LINE) -> dict[str, Any]:
    """A preservation of one line, which no other scenario asks for."""
    made = fresh(world)
    made["targets"][0]["identifier"]["value"] = address
    return made


@pytest.fixture(scope="module")
async def first(scenario_world: World) -> Journey:
    """The first agency's request, whose data XT preserves."""
    journey = await delivered(scenario_world, wanted(scenario_world))
    await journey.do(*PRESERVING)
    await journey.settled()
    return journey


async def test_second_agency_joins_the_first_ones_exchange(
    scenario_world: World, first: Journey, scenario_ledger: Ledger
) -> None:
    """TRI-12 names the first request to the desk alone; merged, both agencies read one exchange, and XT got one."""
    home = scenario_world["XA"]
    reference = expect(await first.ours().get(first.request), 200)["reference"]
    second = await filed(scenario_world, wanted(scenario_world), seat="agency_officer_2")
    path = f"/v1/requests/{second['id']}"
    await scenario_ledger.calm()
    there = await scenario_ledger.counts("XT", ("exchange",))
    outgoing = await scenario_ledger.counts("XA", ("outbox", "exchange"))

    opened = await taken(scenario_world, second["id"], ("duty_officer", "open"))
    (found,) = [one for one in opened["desk"]["duplicates"] if one["reference"] == reference]
    assert (found["agency"], found["state"], found["overlap"]) == ("federal-police-cyber", "SIGNED", [[0, 0]])
    (before,) = [one for one in opened["desk"]["triage"] if one["test"] == "TRI-12"]
    assert (before["proposal"], before["because"][0]["suggests"]) == ("OPEN", "D-MERGED")
    asked = await home.as_("agency_officer_2").get(path)
    assert reference not in asked.text, "the agency learns nothing of the other"

    merged = expect(await home.as_("duty_officer").act(path, "merge", into=reference, text=TEXT), 200)
    assert (merged["state"], merged["exchange_id"], merged["desk"]["merged_into"]) == (
        "REDIRECTED",
        first.exchange_id,
        reference,
    )
    shown = expect(await home.as_("agency_officer_2").get(path), 200)
    assert (shown["outcome"]["code"], shown["exchange"]["state"]) == ("D-MERGED", "PRESERVED")
    assert [hold["state"] for hold in shown["exchange"]["holds"]] == ["TIMED"]
    lines = await home.as_("agency_officer_2").get(f"{path}/timeline")
    for text in (str(shown), lines.text):
        assert reference not in text
        assert "federal-police-cyber" not in text
    joined = expect(await home.as_("supervisor").get(first.request), 200)["desk"]["joined"]
    assert [(one["reference"], one["agency"]) for one in joined] == [(second["reference"], "customs-investigation")]
    told = await home.as_("agency_officer").get(first.request)
    assert second["reference"] not in told.text

    await scenario_ledger.calm()
    assert await scenario_ledger.counts("XT", ("exchange",)) == there, "no second foreign request"
    assert await scenario_ledger.counts("XA", ("outbox", "exchange")) == outgoing
    await first.do("report_progress", text="The copy was checked.")
    await first.settled()
    alike = [
        expect(await home.as_(seat).get(where), 200)["exchange"]
        for seat, where in (("agency_officer", first.request), ("agency_officer_2", path))
    ]
    assert alike[0] == alike[1]
    feed = expect(await home.as_("agency_officer_2").get("/v1/events", limit=200), 200)["data"]
    of_the_second = [one for one in feed if one["kind"] == "request.exchange_changed"]
    assert {one["subject"]["id"] for one in of_the_second} == {second["id"]}
    assert reference not in str(feed)


async def test_only_people_merge_and_only_into_what_goes_on(scenario_world: World, first: Journey) -> None:
    """Two equal marks change nothing by themselves; what is unsigned, merged, elsewhere or unknown takes no merger."""
    home = scenario_world["XA"]
    reference = expect(await first.ours().get(first.request), 200)["reference"]
    second = await filed(scenario_world, wanted(scenario_world), seat="agency_officer_2")
    opened = await taken(scenario_world, second["id"], ("duty_officer", "open"))
    assert (opened["state"], opened["exchange_id"]) == ("TRIAGE", None), "never merged by a mark alone"
    elsewhere = await filed(scenario_world, wanted(scenario_world) | {"requested": "XS"})
    await taken(scenario_world, elsewhere["id"], ("duty_officer", "open"))
    path = f"/v1/requests/{elsewhere['id']}"
    refusals = {
        second["reference"]: "not_signed",
        elsewhere["reference"]: "unknown_request",
        "XA-2026-AAAAAAA": "unknown_request",
        reference: "another_state",
    }
    for into, code in refusals.items():
        answer = await home.as_("duty_officer").act(path, "merge", into=into, text=TEXT)
        assert assert_problem(answer, 422, "invalid_act")["errors"][0]["code"] == code, into
    agency = await home.as_("agency_officer_2").act(f"/v1/requests/{second['id']}", "merge", into=reference, text=TEXT)
    assert_problem(agency, 403, "role_not_allowed")


async def test_other_time_is_other_data(scenario_world: World, first: Journey) -> None:
    """Control: the same line at another time is no duplicate, and another line at the same time is none either."""
    earlier = wanted(scenario_world)
    earlier["targets"][0]["interval"] = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-01T06:00:00Z"}
    earlier["targets"][0]["observations"][0]["at"] = "2026-10-01T01:00:00Z"
    assert first.exchange_id
    for document in (earlier, wanted(scenario_world, "192.0.2.227")):
        made = await filed(scenario_world, document, seat="agency_officer_2")
        opened = await taken(scenario_world, made["id"], ("duty_officer", "open"))
        assert opened["desk"]["duplicates"] == []
