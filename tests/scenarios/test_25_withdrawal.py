"""Scenario 25: a preserved request is withdrawn; the other side confirms the release in a day, others' holds stay."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.support.world import seen
from tests.world.holding import about, held_by
from tests.world.journey import expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.journey import Journey

ADDRESS = "203.0.113.25"
CHANGES = {"XA": {"withdraw_sent", "withdraw_applied"}, "XT": {"withdraw", "release"}}


async def recorded(journey: Journey, code: str) -> set[str]:
    """The changes of the case on record at `code`, as its auditor reads them."""
    auditor = journey.world[code].as_("auditor")
    page = expect(await auditor.get(f"{journey.exchange}/audit", limit=200), 200)
    contents: list[dict[str, Any]] = [entry["contents"] for entry in page["data"]]
    return {one["change"]["event"] for one in contents if "change" in one}


async def test_withdrawn_hold_is_released_and_anothers_stays(scenario_world: World) -> None:
    """WITHDRAWN at once, `releasing` for a day, RELEASED there; the third state's hold runs on; all is on record."""
    made = about(fresh(scenario_world), ADDRESS)
    mine, other = await held_by(scenario_world, made=made), await held_by(scenario_world, "XS", made=made)
    journey = mine.journey
    withdrawn = await journey.wish("withdraw", reasons="The suspect was arrested.")
    assert withdrawn["state"] == "WITHDRAWN"
    for shown in (await mine.here(), await mine.there()):
        assert (shown["state"], shown["flags"]) == ("TIMED", ["releasing"])
        due = datetime.fromisoformat(shown["release_due_at"]) - datetime.fromisoformat(withdrawn["changed_at"])
        assert due == timedelta(hours=24)
    (task,) = (await mine.there())["tasks"]
    assert (task["task"], (await mine.there())["others_on_same_data"]) == ("release_to_do", 1)
    assert "Other open holds" in task["text"]
    assert (await mine.here())["others_on_same_data"] is None
    await mine.do("release")
    assert (await journey.settled())["state"] == "WITHDRAWN"
    for shown in (await mine.here(), await mine.there()):
        assert (shown["state"], shown["end_reason"], shown["flags"]) == ("RELEASED", "released", [])
    for shown in (await other.here(), await other.there()):
        assert (shown["state"], shown["flags"]) == ("TIMED", [])
    for code, changes in CHANGES.items():
        await seen(partial(recorded, journey, code), changes.issubset)
