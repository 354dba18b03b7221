"""Scenario 31: a ping at night, unanswered twice, makes a contact point doubtful; no content is ever sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from app.domain.codes import RequestType
from app.domain.test_calls import NIGHT
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import Caller, World
    from tests.world.ledger import Ledger

CALLS = "/v1/directory/contact-points/XS/test-calls"
POINT = "/v1/directory/contact-points/XS"


async def called(world: World, caller: Caller, *, at_night: bool) -> dict[str, Any]:
    """A ping of XA to XS that has been made; what XA shows of it."""
    made = expect(await caller.post(CALLS, {"kind": "PING", "at_night": at_night}), 201)
    if at_night:
        world.clock.advance(datetime.fromisoformat(made["planned_at"]) - world.clock())
    return await call_of(caller, made["id"], lambda one: one["called_at"] is not None)


async def call_of(caller: Caller, call_id: str, holds: Any) -> dict[str, Any]:  # noqa: ANN401 - a function
    """The call of that id as this desk shows it, once it is so."""

    async def look() -> dict[str, Any] | None:
        listed = expect(await caller.get("/v1/test-calls"), 200)["data"]
        return next((one for one in listed if one["id"] == call_id), None)

    found = await seen(look, lambda one: one is not None and holds(one))
    assert found is not None
    return found


async def cautioned(world: World, made: dict[str, Any], *, tier: str) -> bool:
    """Whether an agency of XA is warned that the contact point is doubtful: asked for, and then filed, all the same."""
    officer = world["XA"].as_("agency_officer")
    checked = await officer.http.post(
        "/v1/requests",
        params={"validate_only": "true"},
        json=made,
        headers={"Authorization": f"Bearer {officer.token}"},
    )
    filed = expect(await officer.post("/v1/requests", made), 201)
    assert filed["tier"] == tier
    assert expect(checked, 200)["warnings"] == filed["warnings"]
    return "contact_point_unverified" in {one["code"] for one in filed["warnings"]}


async def standing(caller: Caller) -> str:
    """What XA shows of XS's reachability."""
    return str(expect(await caller.get(POINT), 200)["standing"])


async def test_unanswered_twice_at_night(scenario_world: World, scenario_ledger: Ledger) -> None:
    """Scenario 31: planned for XS's night, shown there, missed twice: unverified; one answer mends it."""
    registrar, desk = scenario_world["XA"].as_("registrar"), scenario_world["XS"].as_("duty_officer")
    before = await scenario_ledger.counts("XS", ("exchange", "hold", "attachment"))
    for missed_before in range(2):
        assert await standing(registrar) != "unverified", missed_before
        call = await called(scenario_world, registrar, at_night=True)
        local = datetime.fromisoformat(call["planned_at"]).astimezone(ZoneInfo("Asia/Riyadh"))
        assert NIGHT[0] <= local.time() < NIGHT[1]
        there = await call_of(desk, call["id"], lambda one: one["allowed_actions"] == ["answer"])
        assert (there["direction"], there["is_test"]) == ("incoming", True)
        scenario_world.clock.advance(timedelta(minutes=16))
        await call_of(registrar, call["id"], lambda one: one["missed_at"] is not None)
    await seen(partial(standing, registrar), lambda word: word == "unverified")
    last = expect(await registrar.get(POINT), 200)["last_call"]
    assert (last["kind"], last["answered_at"], last["answered_after_seconds"]) == ("PING", None, None)
    told = await scenario_ledger.rows("XA", "SELECT kind FROM event WHERE subject_id = 'XS' ORDER BY id")
    assert "contact_point.unverified" in {row["kind"] for row in told}
    urgent = fresh(scenario_world) | {"requested": "XS"}
    assert await cautioned(scenario_world, urgent, tier="URGENT")
    assert not await cautioned(scenario_world, urgent | {"requested": "XT"}, tier="URGENT"), "XT was not called"
    routine = document(RequestType.TECHNICAL_ADVICE, requested="XS")
    assert not await cautioned(scenario_world, routine, tier="ROUTINE"), "there is time"
    call = await called(scenario_world, registrar, at_night=False)
    await call_of(desk, call["id"], lambda one: one["called_at"] is not None)
    expect(await desk.post(f"/v1/test-calls/{call['id']}/actions", {"action": "answer"}), 200)
    assert (await desk.post(f"/v1/test-calls/{call['id']}/actions", {"action": "answer"})).status_code == 409
    await call_of(registrar, call["id"], lambda one: one["answered_at"] is not None)
    assert await standing(registrar) == "verified"
    points = expect(await registrar.get("/v1/directory/contact-points"), 200)["data"]
    (last,) = [one["last_call"] for one in points if one["code"] == "XS"]
    assert last["answered_at"] is not None
    assert 0 <= last["answered_after_seconds"] < 15 * 60
    assert not await cautioned(scenario_world, urgent, tier="URGENT")
    assert await scenario_ledger.counts("XS", ("exchange", "hold", "attachment")) == before, "a test call made a case"


async def test_members_only(scenario_world: World) -> None:
    """Agencies, monitors and auditors neither see the directory nor place calls; nobody calls whom nobody knows."""
    for seat in ("agency_officer", "monitor", "auditor"):
        caller = scenario_world["XA"].as_(seat)
        assert (await caller.get("/v1/directory/contact-points")).status_code == 403
        assert (await caller.post(CALLS, {"kind": "PING"})).status_code == 403
    officer = scenario_world["XA"].as_("duty_officer")
    assert (await officer.post("/v1/directory/contact-points/XQ/test-calls", {"kind": "PING"})).status_code == 404
    assert (await officer.post("/v1/directory/contact-points/XA/test-calls", {"kind": "PING"})).status_code == 404
    unknown = "/v1/test-calls/0193503e-7a52-7c1e-9d0b-000000000000/actions"
    for path in ("/v1/directory/contact-points/XQ/test-calls", unknown):
        assert (await officer.post(path, {"unknown": 1})).status_code == 404, "what is not there is said first"
    for at, at_night in (
        ("9999-12-31T23:59:59Z", True),
        ("9999-12-31T23:59:59Z", False),
        ("2027-11-22T00:00:00Z", True),
    ):
        far = await officer.post(CALLS, {"kind": "PING", "planned_at": at, "at_night": at_night})
        assert (far.status_code, far.json()["code"]) == (422, "too_far_ahead")
    nowhere = await officer.post(CALLS, {"kind": "PING", "planned_at": "0001-01-01T00:00:00+14:00"})
    assert (nowhere.status_code, nowhere.json()["errors"][0]["pointer"]) == (422, "/planned_at")
    listed = expect(await officer.get("/v1/directory/contact-points"), 200)["data"]
    assert [one["code"] for one in listed] == ["XA", "XS", "XT"]
    assert expect(await officer.get("/v1/directory/changes"), 200)["data"][0]["version"] >= 1
