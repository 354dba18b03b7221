"""Scenario 28: the same envelope twice, and the same request again by Interpol: one exchange, merged by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.world import seen
from tests.world.journey import expect, filed, sent, taken
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.journey import Journey
    from tests.world.ledger import Ledger

AGAIN = """UPDATE outbox SET left_at = NULL, left_by = NULL, receipt_status = NULL, receipted_at = NULL, next_at = $2
 WHERE thread = $1 AND type = 'exchange.open/1' RETURNING 1"""
RECEIPTS = """SELECT count(*) FROM publication p JOIN outbox o ON o.id = p.outbox_id
 WHERE o.thread = $1 AND o.type = 'exchange.open/1'"""


def copy_of(journey: Journey, document: dict[str, Any], **members: object) -> dict[str, Any]:
    """The same request as the national central bureau hands it over."""
    return {
        "peer": journey.requesting,
        "direction": "incoming",
        "channel": "INTERPOL_I247",
        "reference": "IP-AUR-2026-0042",
        "at": journey.world.clock().isoformat(),
        "targets": document["targets"],
        **members,
    }


async def test_one_exchange_whatever_comes_again(scenario_world: World, scenario_ledger: Ledger) -> None:
    """Scenario 28: the second envelope gets the first receipt again; the paper is a hint until a person links it."""
    document = fresh(scenario_world)
    journey = await sent(scenario_world, document)
    await journey.settled()
    await scenario_ledger.calm()
    count = "SELECT count(*) FROM exchange"
    before = [await scenario_ledger.value(code, count) for code in ("XA", "XT")]
    assert await scenario_ledger.value("XA", AGAIN, journey.exchange_id, scenario_world.clock())
    scenario_world["XA"].runtime.wake.ring()
    left = "SELECT count(*) FROM outbox WHERE thread = $1 AND left_at IS NULL"
    await seen(lambda: scenario_ledger.value("XA", left, journey.exchange_id), lambda waiting: waiting == 0)
    assert await scenario_ledger.value("XA", RECEIPTS, journey.exchange_id) == 2, "it was not sent twice"
    assert [await scenario_ledger.value(code, count) for code in ("XA", "XT")] == before
    desk = journey.theirs()
    noted = expect(await desk.post("/v1/other-channels", copy_of(journey, document)), 201)
    assert journey.exchange_id in noted["candidates"]
    assert noted["exchange_id"] is None, "a fingerprint alone merged it"
    again = await desk.post("/v1/other-channels", copy_of(journey, document))
    assert (again.status_code, again.json()["code"]) == (409, "reference_known")
    link = {"action": "link", "exchange_id": journey.exchange_id}
    linked = expect(await desk.post(f"/v1/other-channels/{noted['id']}/actions", link), 200)
    assert (linked["exchange_id"], linked["candidates"]) == (journey.exchange_id, [])
    for body in (link, {"action": "link", "exchange_id": "none"}):
        assert (await desk.post(f"/v1/other-channels/{noted['id']}/actions", body)).status_code == 409
    lines = [line for line in await journey.timeline(desk) if line["event"] == "copy_linked"]
    assert [line["detail"]["reference"] for line in lines] == ["IP-AUR-2026-0042"]
    assert "copy_linked" not in {line["event"] for line in await journey.timeline(journey.ours())}
    assert [await scenario_ledger.value(code, count) for code in ("XA", "XT")] == before
    assert (await journey.settled())["state"] == "DELIVERED"


async def test_other_data_is_no_hint(scenario_world: World) -> None:
    """Control: a copy about something else, or from somebody else, points to nothing and cannot be linked."""
    document = fresh(scenario_world)
    journey = await sent(scenario_world, document)
    await journey.settled()
    desk = journey.theirs()
    other = [{"identifier": {"type": "email", "value": "nobody@else.example"}, "data_categories": ["SUBSCRIBER"]}]
    elsewhere = copy_of(journey, document, targets=other, reference="IP-1")
    stranger = copy_of(journey, document, peer="XS", reference="IP-2")
    assert journey.exchange_id not in expect(await desk.post("/v1/other-channels", elsewhere), 201)["candidates"]
    noted = expect(await desk.post("/v1/other-channels", stranger), 201)
    assert journey.exchange_id not in noted["candidates"]
    link = {"action": "link", "exchange_id": journey.exchange_id}
    refused = await desk.post(f"/v1/other-channels/{noted['id']}/actions", link)
    assert (refused.status_code, refused.json()["code"]) == (422, "other_parties")
    assert (await scenario_world["XT"].as_("agency_officer").get("/v1/other-channels")).status_code == 403
    whole = [one["id"] for one in expect(await desk.get("/v1/other-channels"), 200)["data"]]
    first = expect(await desk.get("/v1/other-channels", limit="1"), 200)
    second = expect(await desk.get("/v1/other-channels", limit="1", cursor=first["next"]), 200)
    assert [first["data"][0]["id"], second["data"][0]["id"]] == whole[:2]


async def test_own_request_that_also_went_by_interpol(scenario_world: World) -> None:
    """At the requesting side the copy that went out is found by the request of our own agency."""
    document = fresh(scenario_world)
    request = await filed(scenario_world, document)
    signed = await taken(
        scenario_world, request["id"], ("duty_officer", "open"), ("duty_officer", "approve"), ("supervisor", "sign")
    )
    desk = scenario_world["XA"].as_("duty_officer")
    went = {"peer": "XT", "direction": "outgoing", "channel": "INTERPOL_I247", "reference": "IP-OUT-7"}
    made = {**went, "at": scenario_world.clock().isoformat(), "targets": document["targets"]}
    noted = expect(await desk.post("/v1/other-channels", made), 201)
    assert signed["exchange_id"] in noted["candidates"]
