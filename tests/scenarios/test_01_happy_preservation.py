"""Scenario 01: an urgent preservation goes its whole way, and both sides and the agency see the same hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.world.holding import sent_from
from tests.world.journey import expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.journey import Journey

ROAD = {"acknowledge": "ACKNOWLEDGED", "accept": "ACCEPTED", "start": "IN_EXECUTION", "preserve": "PRESERVED"}
HELD = None
"""A result without an outcome: nothing stood against it."""

ZONES = {"XA": "Europe/Paris", "XT": "Asia/Tokyo"}
"""What the clocks of the two invented states show: UTC+1 with summer time, and UTC+9."""


async def test_preservation_goes_its_whole_way(scenario_world: World) -> None:
    """DISPATCHED, DELIVERED, ACKNOWLEDGED, ACCEPTED, IN_EXECUTION, PRESERVED: on both sides, step by step."""
    made = fresh(scenario_world)
    assert made["urgency"]["tier"] == "URGENT"
    journey = await sent_from(scenario_world, "XA", made)
    assert (await journey.settled())["state"] == "DELIVERED"
    for action, state in ROAD.items():
        await journey.do(action)
        assert (await journey.settled())["state"] == state
    assert await states_seen_at_home(journey) == ["DISPATCHED", "DELIVERED", *ROAD.values()]
    await the_hold_is_one(journey)


async def states_seen_at_home(journey: Journey) -> list[str]:
    """The states that the requesting side's timeline went through, each as it was told."""
    lines = [line["detail"] for line in await journey.timeline(journey.ours()) if line["event"] == "state"]
    return [lines[0]["from"], *(line["to"] for line in lines)]


async def the_hold_is_one(journey: Journey) -> None:
    """At least sixty days; the same end in UTC and on both clocks at both desks; the agency reads the result."""
    here = expect(await journey.ours().get(journey.exchange), 200)["holds"]
    there = expect(await journey.theirs().get(journey.exchange), 200)["holds"]
    ((ours,), (theirs,)) = (here, there)
    end = datetime.fromisoformat(ours["expires_at"])
    assert end - datetime.fromisoformat(ours["preserved_at"]) >= timedelta(days=60)
    assert (ours["days_granted"], theirs["expires_at"]) == (60, ours["expires_at"])
    assert ours["expires_local"] == theirs["expires_local"]
    assert ours["expires_local"] == {
        code: end.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds") for code, zone in ZONES.items()
    }
    assert ours["expires_local"]["XT"].endswith("T00:00:00+09:00"), "the end of a local day there"
    shown = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert shown["state"] == "PRESERVED"
    assert [(one["target"], one["outcome"]) for one in shown["results"]] == [(0, HELD)]
    assert [hold["expires_at"] for hold in shown["holds"]] == [ours["expires_at"]]
