"""Scenario 06: the host is in a third state: the answer says so, nobody forwards, and a new request is decided anew."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.routers.clients import assert_problem
from tests.support.world import seen
from tests.world.journey import DESK_ROAD, delivered, expect, filed, taken
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

ELSEWHERE = {"code": "N-WRONGSTATE", "reasons": "The address is routed to a host in Sahran.", "suggestion": "XS"}


async def test_custodian_in_a_third_state_needs_a_new_request(scenario_world: World, scenario_ledger: Ledger) -> None:
    """NOT_EXECUTABLE `N-WRONGSTATE` suggests XS; XS hears of it only once XA has triaged and signed a new request."""
    home = scenario_world["XA"]
    await scenario_ledger.calm()
    before = await scenario_ledger.counts("XS", ("exchange",))
    first = await delivered(scenario_world, fresh(scenario_world))
    await first.do("acknowledge")
    await first.do("not_executable", **ELSEWHERE)
    ended = await first.settled()
    assert (ended["state"], ended["details"]["reason"]) == ("NOT_EXECUTABLE", "N-WRONGSTATE")
    told = expect(await first.ours("agency_officer").get(first.request), 200)
    assert (told["exchange"]["reason"], told["exchange"]["suggestion"]) == ("N-WRONGSTATE", "XS")
    await scenario_ledger.calm()
    assert await scenario_ledger.counts("XS", ("exchange",)) == before, "nobody forwards by itself"

    refused = await home.as_("agency_officer").act(first.request, "retarget", new_requested="XS")
    assert_problem(refused, 403, "role_not_allowed")
    expect(await home.as_("duty_officer").act(first.request, "retarget", new_requested="XS"), 200)
    listed = expect(await home.as_("agency_officer").get("/v1/requests", limit=5), 200)["data"]
    (draft,) = [one for one in listed if one["draft_of"] == first.request_id]
    assert (draft["requested"], draft["state"], draft["origin"]) == ("XS", "INTAKE", "wrong_state")
    assert draft["reference"] != told["reference"]
    await scenario_ledger.calm()
    assert await scenario_ledger.counts("XS", ("exchange",)) == before, "a draft is no message"

    opened = await taken(scenario_world, draft["id"], ("duty_officer", "open"))
    (whereabouts,) = [one for one in opened["desk"]["triage"] if one["test"] == "TRI-03"]
    assert "D-WRONGSTATE" in {doubt["code"] for doubt in whereabouts["because"]}, "the custodian is still that of XT"
    signed = await taken(scenario_world, draft["id"], *DESK_ROAD[1:])
    second = f"/v1/exchanges/{signed['exchange_id']}"
    there = scenario_world["XS"].as_("duty_officer")
    arrived = await seen(partial(there.get, second), lambda answer: answer.status_code == 200)
    assert arrived.json()["request_reference"] == draft["reference"]
    assert told["reference"] not in str(arrived.json()), "XS does not learn whom else was asked"
    assert (await scenario_world["XT"].as_("duty_officer").get(second)).status_code == 404


async def test_wrong_state_seen_in_triage_makes_a_copy_for_the_right_one(
    scenario_world: World, scenario_ledger: Ledger
) -> None:
    """`redirect` with `D-WRONGSTATE` and the state ends the request here and leaves a draft; abroad nothing happens."""
    home = scenario_world["XA"]
    made = await filed(scenario_world, fresh(scenario_world))
    path = f"/v1/requests/{made['id']}"
    await taken(scenario_world, made["id"], ("duty_officer", "open"))
    await scenario_ledger.calm()
    outgoing = await scenario_ledger.counts("XA", ("outbox", "exchange"))
    act = {"code": "D-WRONGSTATE", "text": "The host is in Sahran.", "new_requested": "XS"}
    for code, fault in (("XT", "wrong_state"), ("XA", "wrong_state"), ("XQ", "unknown_contact_point")):
        answer = await home.as_("duty_officer").act(path, "redirect", **(act | {"new_requested": code}))
        assert assert_problem(answer, 422, "invalid_act")["errors"][0]["code"] == fault
    redirected = expect(await home.as_("duty_officer").act(path, "redirect", **act), 200)
    assert (redirected["state"], redirected["exchange_id"]) == ("REDIRECTED", None)
    copy = expect(await home.as_("agency_officer").get(f"/v1/requests/{redirected['outcome']['new_request']}"), 200)
    assert (copy["requested"], copy["draft_of"], copy["state"]) == ("XS", made["id"], "INTAKE")
    assert_problem(await home.as_("agency_officer_2").get(f"/v1/requests/{copy['id']}"), 404, "not_found")
    await scenario_ledger.calm()
    assert await scenario_ledger.counts("XA", ("outbox", "exchange")) == outgoing
