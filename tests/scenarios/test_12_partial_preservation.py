"""Scenario 12: of three targets one is already overwritten; two are held, each result is told, each has its block."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from tests.world.holding import about, sent_from
from tests.world.journey import expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World

ADDRESSES = ("203.0.113.31", "203.0.113.32", "203.0.113.33")
HELD = None
"""A result without an outcome: nothing stood against it."""

RESULTS = [
    {"target": 0, "outcome": "HELD"},
    {"target": 1, "outcome": "HELD"},
    {"target": 2, "outcome": "N-EXPIRED", "text": "Overwritten on the day before."},
]


async def test_two_of_three_are_held(scenario_world: World) -> None:
    """PARTIALLY_PRESERVED on both sides with HELD, HELD, N-EXPIRED; the hold covers two; one export block for each."""
    made = deepcopy(fresh(scenario_world))
    made["targets"] = [about(made, address)["targets"][0] for address in ADDRESSES]
    journey = await sent_from(scenario_world, "XA", made)
    await journey.do("acknowledge", "accept", "start")
    await journey.do("preserve", results=RESULTS)
    shown = await journey.settled()
    assert shown["state"] == "PARTIALLY_PRESERVED"
    for caller in (journey.ours(), journey.theirs()):
        exchange = expect(await caller.get(journey.exchange), 200)
        outcomes = [(one["target"], one["outcome"]) for one in exchange["details"]["results"]]
        assert outcomes == [(0, HELD), (1, HELD), (2, "N-EXPIRED")]
        (hold,) = exchange["holds"]
        assert (hold["state"], hold["targets"]) == ("TIMED", [0, 1])
        blocks = expect(await caller.get(f"/v1/holds/{hold['id']}/mla-export"), 200)["blocks"]
        assert [block["target"] for block in blocks] == [0, 1]
        assert all(len(block["section_10"]) == 5 for block in blocks)
    seen = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]["results"]
    assert seen[2]["text"] == RESULTS[2]["text"]
