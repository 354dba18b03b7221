"""Scenario 18: no follow-up request comes; both desks are warned five times, the hold ends, and nothing revives it."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from tests.routers.clients import assert_problem
from tests.support.world import seen
from tests.world.holding import DAY, HeldBy, held_by, told, until
from tests.world.journey import expect

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

WARNINGS = (30, 14, 7, 3, 1)
LEFT = timedelta(days=31, hours=12)
MOMENT = timedelta(seconds=5)


async def warned(ledger: Ledger, hold: HeldBy, wanted: list[int]) -> None:
    """Wait until both desks were warned of these days and of no others, ours with the central authority."""
    for code, to in (("XA", "duty_officer central_authority"), ("XT", "duty_officer")):
        look = partial(told, ledger, code, hold.journey.exchange_id, "hold.expiring")
        events = await seen(look, lambda events: len(events) >= len(wanted))
        assert [json.loads(event["data"])["days"] for event in events] == wanted
        assert {json.loads(event["data"])["to"] for event in events} == {to}


async def expired(ledger: Ledger, hold: HeldBy) -> None:
    """Wait until both desks were told of the end, once, and both show it."""
    for code in ("XA", "XT"):
        look = partial(told, ledger, code, hold.journey.exchange_id, "hold.expired")
        assert len(await seen(look, bool)) == 1
    shown = await hold.journey.settled()
    assert (shown["state"], shown["holds"][0]["state"]) == ("CLOSED", "EXPIRED")
    assert (await hold.here())["hints"] == ["data_may_be_gone"]
    assert (await hold.there())["hints"] == ["keep_until_order_lapses"]


async def test_hold_without_follow_up_ends(scenario_world: World, scenario_ledger: Ledger) -> None:
    """Thirty, fourteen, seven, three days and one before; EXPIRED at D; a request at D+2 revives nothing."""
    world, ledger = scenario_world, scenario_ledger
    silent, claimed = await held_by(world, left=LEFT), await held_by(world, left=LEFT)
    for number, days in enumerate(WARNINGS, start=1):
        await until(world, silent.end - days * DAY + MOMENT)
        await warned(ledger, silent, list(WARNINGS[:number]))
        if days == 3:
            running = await claimed.wish("claim_mla_sent", ca_reference="MOJ-18", date="2027-01-18")
            assert (running["state"], running["mla"]["status"]) == ("TIMED", "CLAIMED_SENT")
    await until(world, max(silent.end, claimed.end) + MOMENT)
    for hold in (silent, claimed):
        await expired(ledger, hold)
    await until(world, silent.end + 2 * DAY)
    late = await silent.wish("claim_mla_sent", ca_reference="MOJ-19", date="2027-01-23")
    assert (late["state"], late["mla"]["claimed_reference"]) == ("EXPIRED", "MOJ-19")
    assert "claimed_after_the_end" in late["hints"]
    answer = await silent.journey.theirs().act(silent.path, "confirm_mla_received", ca_reference="ICA-19")
    assert_problem(answer, 409, "hold_ended")
    await silent.journey.do("report_progress", text="The provider has not deleted them yet.")
    facts = (await silent.journey.settled())["details"]["late_facts"]
    assert [fact["text"] for fact in facts] == ["The provider has not deleted them yet."]
    again = await held_by(world)
    assert (await again.here())["state"] == "TIMED"
    assert (await silent.here())["state"] == "EXPIRED"


async def test_only_the_desk_of_the_case_is_told(scenario_world: World, scenario_ledger: Ledger) -> None:
    """The third state learns nothing of the holds of the other two, and the other agency nothing of this one's."""
    hold = await held_by(scenario_world, left=timedelta(days=2, hours=12))
    await warned(scenario_ledger, hold, [3])
    assert await told(scenario_ledger, "XS", hold.journey.exchange_id) == []
    other = scenario_world["XA"].as_("agency_officer_2")
    feed = expect(await other.get("/v1/events", limit=200), 200)["data"]
    assert hold.journey.exchange_id not in {event["subject"]["id"] for event in feed}
