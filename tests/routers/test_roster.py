"""The duty roster over HTTP: entered, changed, read years later, handed over; what is wrong is shown and told once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db import rosters
from app.db.engine import begin, reading
from app.db.rosters import ShiftRecord
from app.domain.codes import State, Tier
from app.domain.moments import write_instant
from app.domain.roster import Mode, Shift
from app.routers.roster_operations import RECORD
from app.services.identifiers import new_id
from app.services.roster.watch import watch_roster
from tests.domain.exchange.build import in_state, preserved
from tests.routers.clients import assert_problem, new_key
from tests.routers.test_deadlines import body, put_in

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from app.domain.exchange.values import Exchange
    from app.runtime import Runtime
    from tests.routers.clients import Clients

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHIFTS = "/v1/roster/shifts"


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk of XA: its clients, its people by seat."""

    client: Clients
    runtime: Runtime
    people: dict[str, str]

    async def post(self, seat: str, path: str, document: object) -> httpx.Response:
        """A command of that seat, whatever the answer."""
        return await self.client(seat).post(path, json=document, headers=new_key())

    async def act(self, seat: str, shift_id: str, action: str, **members: Any) -> httpx.Response:  # noqa: ANN401 - members of any act
        """An act on a shift."""
        return await self.post(seat, f"{SHIFTS}/{shift_id}/actions", {"action": action, **members})

    def plan(self, begin_: timedelta, end: timedelta, **other: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a shift
        """A shift from and to so long after now."""
        now = self.runtime.clock()
        made = {"starts_at": write_instant(now + begin_), "ends_at": write_instant(now + end), "mode": "STAFFED"}
        named = {"primary": "duty_officer", "secondary": "duty_officer_2", "supervisor": "supervisor"} | other
        return made | {place: self.people[seat] for place, seat in named.items()}

    async def enter(self, *plans: dict[str, Any]) -> list[str]:
        """Enter shifts; their ids."""
        answer = await self.post("supervisor", SHIFTS, {"shifts": plans})
        assert answer.status_code == 201, answer.text
        return [one["id"] for one in answer.json()["data"]]

    async def describe(self, seat: str, **other: Any) -> None:  # noqa: ANN401 - members of a record
        """Say what is known of the person of that seat, who was never described before."""
        document = {"action": "describe", "generation": 0, "record": {**RECORD, **other}}
        answer = await self.post("supervisor", f"/v1/roster/people/{self.people[seat]}/actions", document)
        assert answer.status_code == 200, answer.text

    async def standing(self, seat: str = "duty_officer") -> dict[str, Any]:
        """The roster as that seat sees it."""
        return body(await self.client(seat).get("/v1/roster"))

    async def rules(self) -> list[tuple[str, str]]:
        """What is wrong, and how badly."""
        return [(one["rule"], one["severity"]) for one in (await self.standing())["findings"]]

    async def column(self, query: str) -> list[Any]:
        """The first column of a query."""
        async with reading(self.runtime.engine) as session:
            return [row[0] for row in await session.execute(text(query))]


@pytest.fixture
async def desk(client: Clients, runtime: Runtime) -> Desk:
    """Everybody's ids, as `/v1/me` tells them."""
    seats = ("duty_officer", "duty_officer_2", "supervisor", "supervisor_2", "agency_officer")
    return Desk(client, runtime, {seat: body(await client(seat).get("/v1/me"))["id"] for seat in seats})


async def test_a_roster_is_made_whole(desk: Desk) -> None:
    """From nothing to nothing wrong: every fault is named, with numbers for the monitor and a check that fails."""
    assert await desk.rules() == [("roster_not_kept", "warning")]
    check = desk.client("monitor")
    assert (await check.get("/v1/monitoring/checks/duty-roster")).status_code == 200
    (first,) = await desk.enter(desk.plan(HOUR, 20 * DAY))
    assert await desk.rules() == [
        ("roster_gap", "error"), ("fallback_language_missing", "error"), ("no_valid_training", "error"),
        ("roster_gap", "notice"),
    ]  # fmt: skip
    assert (await desk.standing())["second_contact"]["because"] == "roster_gap"
    failing = await check.get("/v1/monitoring/checks/duty-roster")
    assert (failing.status_code, failing.json()["observed"]) == (503, 3.0)
    counts = body(await check.get("/v1/monitoring/deadlines"))["roster"]
    assert (counts["kept"], counts["on_duty"], counts["covered_until"]) == (True, False, None)
    assert [one["count"] for one in counts["faults"]] == [1, 1, 1, 1]
    await desk.describe("duty_officer_2")
    await desk.enter(desk.plan(-HOUR, HOUR), desk.plan(20 * DAY, 31 * DAY))
    assert await desk.rules() == [("handover_unconfirmed", "error")]
    standing = await desk.standing()
    assert standing["next"]["id"] == first
    assert (standing["second_contact"]["name"], standing["second_contact"]["default"]) == ("Duty officer 2", None)
    told = (await check.get("/v1/monitoring/deadlines")).text
    assert not any(person in told for person in desk.people.values())
    assert await desk.column("SELECT count(*) FROM outbox") == [0], "nothing of the roster goes abroad"


async def test_years_later_it_can_be_said_who_was_on_duty(desk: Desk, runtime: Runtime) -> None:
    """Each version stays with its reason; an instant shows the plan that was in force then, not what came after."""
    now = runtime.clock()
    people = {seat: UUID(person) for seat, person in desk.people.items()}
    officers = (people["duty_officer"], people["duty_officer_2"], people["supervisor"])
    old = Shift(new_id(), now - 6 * HOUR, now + HOUR, "Europe/Rome", Mode.ON_CALL, *officers)
    async with begin(runtime.engine) as session:
        await rosters.add_shifts(session, [ShiftRecord(old, 1, now - 2 * DAY, officers[2])])
    document = {
        "generation": 1,
        "reason": "Fell ill at midnight.",
        "shift": desk.plan(-6 * HOUR, HOUR, primary="supervisor_2"),
    }
    changed = body(await desk.act("supervisor", str(old.id), "change", **document))
    assert (changed["generation"], changed["reason"]) == (2, "Fell ill at midnight.")
    assert [one["people"][0]["name"] for one in changed["versions"]] == ["Supervisor 2", "Duty officer 1"]
    assert_problem(await desk.act("supervisor", str(old.id), "change", **document), 409, "stale_generation")
    then = write_instant(now - HOUR)
    leaders = {}
    for instant in (then, write_instant(now)):
        listed = body(await desk.client("auditor").get("/v1/roster/on-duty", params={"at": instant}))["data"]
        leaders[instant] = [one["people"][0]["name"] for one in listed]
    assert leaders == {then: ["Duty officer 1"], write_instant(now): ["Supervisor 2"]}
    gone = body(await desk.act("supervisor", str(old.id), "withdraw", generation=2, reason="Merged."))
    assert (gone["withdrawn"], gone["allowed_actions"]) == (True, [])
    assert_problem(
        await desk.act("supervisor", str(old.id), "withdraw", generation=3, reason="x"), 409, "action_not_allowed"
    )
    assert body(await desk.client("duty_officer").get(SHIFTS))["data"] == []
    facts = "SELECT count(*) FROM audit_pending WHERE convert_from(leaf, 'utf8') LIKE '%duty.rostered%'"
    assert await desk.column(facts) == [2]
    rights = (
        "SELECT DISTINCT privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee = current_user AND table_name IN ('duty_shift', 'duty_record', 'handover') ORDER BY 1"
    )
    assert await desk.column(rights) == ["INSERT", "SELECT"], "the node itself cannot rewrite what was"
    assert "UPDATE" in await desk.column(rights.replace("'handover'", "'roster_notice'")), "control"


async def test_a_shift_that_cannot_be_is_refused_as_a_whole(desk: Desk) -> None:
    """Every fault with its place, and nothing is entered; who may enter nothing is told that first."""
    wrong = [
        desk.plan(HOUR, DAY),
        desk.plan(DAY, HOUR, secondary="duty_officer"),
        desk.plan(-DAY, -HOUR, supervisor="duty_officer_2"),
        desk.plan(HOUR, 40 * DAY, primary="agency_officer"),
        desk.plan(400 * DAY, 401 * DAY) | {"call_back": str(new_id())},
    ]
    answer = await desk.post("supervisor", SHIFTS, {"shifts": wrong})
    problem = assert_problem(answer, 422, "shift_invalid")
    assert {(one["pointer"], one["code"]) for one in problem["errors"]} == {
        ("/shifts/1/ends_at", "ends_before_it_starts"), ("/shifts/1/secondary", "same_person_twice"),
        ("/shifts/2/ends_at", "shift_is_over"), ("/shifts/2/supervisor", "person_not_eligible"),
        ("/shifts/3/ends_at", "too_long"), ("/shifts/3/primary", "person_not_eligible"),
        ("/shifts/4/starts_at", "too_far_ahead"), ("/shifts/4/call_back", "person_not_eligible"),
    }  # fmt: skip
    assert await desk.column("SELECT count(*) FROM duty_shift") == [0]
    for seat in ("duty_officer", "agency_officer", "monitor", "administrator"):
        assert_problem(await desk.post(seat, SHIFTS, {"shifts": 1}), 403, "role_not_allowed")
    for seat in ("agency_officer", "monitor", "registrar", "administrator"):
        for path in ("/v1/roster", "/v1/roster/on-duty", SHIFTS, "/v1/roster/people"):
            assert_problem(await desk.client(seat).get(path), 403, "role_not_allowed")
    far = {"since": "9999-12-31T23:00:00Z"}
    assert body(await desk.client("auditor").get(SHIFTS, params=far))["data"] == []
    late = await desk.client("auditor").get(SHIFTS, params={"until": "2199-01-01T00:00:00Z"})
    assert_problem(late, 422, "parameters_invalid")


async def test_who_was_not_the_fastest_is_shown_what_is_there_now(desk: Desk) -> None:
    """A stale act is a 409 with the newest version, also of a person, and of an act that there is not."""
    (shift,) = await desk.enter(desk.plan(HOUR, DAY))
    await desk.describe("duty_officer")
    for path in (f"{SHIFTS}/{shift}", f"/v1/roster/people/{desk.people['duty_officer']}"):
        for action in ("withdraw", "describe", "dance"):
            answer = await desk.post("supervisor", f"{path}/actions", {"action": action, "generation": 7})
            assert assert_problem(answer, 409, "stale_generation")["current"]["generation"] == 1


async def test_a_zone_is_the_same_on_every_machine_and_a_language_has_a_short_name(desk: Desk) -> None:
    """`localtime` would be read here and there as two zones; a tag has at most the 35 characters of BCP 47."""
    for zone in ("localtime", "Factory", "posix/UTC"):
        answer = await desk.post("supervisor", SHIFTS, {"shifts": [desk.plan(HOUR, DAY) | {"time_zone": zone}]})
        assert [one["pointer"] for one in assert_problem(answer, 422, "document_invalid")["errors"]] == [
            "/shifts/0/time_zone"
        ]
    path = f"/v1/roster/people/{desk.people['duty_officer']}/actions"
    record = {"reads": ["en-" + "-".join(["abcdefgh"] * 4)]}
    answer = await desk.post("supervisor", path, {"action": "describe", "generation": 0, "record": record})
    assert [one["pointer"] for one in assert_problem(answer, 422, "document_invalid")["errors"]] == ["/record/reads/0"]


async def test_private_numbers_stay_at_the_desk(desk: Desk) -> None:
    """The auditor learns who was on duty, trained until when, and no number; the desk sees it, which is the control."""
    await desk.describe("duty_officer")
    (shift,) = await desk.enter(desk.plan(-HOUR, DAY))
    for path in ("/v1/roster", "/v1/roster/on-duty", SHIFTS, f"{SHIFTS}/{shift}"):
        for_auditor = (await desk.client("auditor").get(path)).text
        assert "Duty officer 1" in for_auditor
        assert "2028-03-13" in for_auditor
        assert not any(RECORD[private] in for_auditor for private in ("phone", "mail"))
        assert RECORD["phone"] in (await desk.client("duty_officer").get(path)).text
    assert_problem(await desk.client("auditor").get("/v1/roster/people"), 403, "role_not_allowed")
    assert_problem(await desk.client("auditor").get(f"{SHIFTS}/{shift}/handover"), 403, "role_not_allowed")
    leaves = await desk.column("SELECT convert_from(leaf, 'utf8') FROM audit_pending")
    openings = await desk.column("SELECT convert_from(body, 'utf8') FROM commitment")
    assert RECORD["phone"] not in str(leaves + openings)


def ending(at: datetime) -> Exchange:
    """A routine exchange whose one hold ends then."""
    value = preserved()
    return replace(value, tier=Tier.ROUTINE, holds=tuple(replace(hold, expires_at=at) for hold in value.holds))


async def test_a_handover_is_confirmed_by_whoever_comes(desk: Desk, runtime: Runtime) -> None:
    """The list has what is urgent and open, and holds near their end; the officer confirms what they read, once."""
    urgent = await put_in(runtime, in_state(State.DELIVERED, tier=Tier.EMERGENCY))
    await put_in(runtime, in_state(State.DELIVERED, tier=Tier.ROUTINE))
    await put_in(runtime, in_state(State.CLOSED, tier=Tier.URGENT))
    held, _ = [await put_in(runtime, ending(runtime.clock() + after)) for after in (6 * DAY, 8 * DAY)]
    (shift,) = await desk.enter(desk.plan(-2 * HOUR, DAY))
    path = f"{SHIFTS}/{shift}/handover"
    assert ("handover_unconfirmed", "error") in await desk.rules()
    shown = body(await desk.client("duty_officer").get(path))
    assert [(one["kind"], one["exchange_id"]) for one in shown["listed"]] == [
        ("exchange", str(urgent)), ("hold", str(held)),
    ]  # fmt: skip
    assert (shown["needed"], shown["confirmed_at"]) == (True, None)
    body(await desk.act("duty_officer_2", shift, "note", text="XT calls at noon."))
    for seat in ("supervisor", "supervisor_2"):
        assert_problem(await desk.act(seat, shift, "confirm", digest=shown["digest"]), 403, "not_your_shift")
    another = await put_in(runtime, in_state(State.ACKNOWLEDGED, tier=Tier.URGENT))
    assert_problem(await desk.act("duty_officer", shift, "confirm", digest=shown["digest"]), 409, "stale_generation")
    again = body(await desk.client("duty_officer").get(path))
    body(await desk.act("duty_officer", shift, "confirm", digest=again["digest"], text="Taken."))
    assert_problem(
        await desk.act("duty_officer_2", shift, "confirm", digest=again["digest"]), 409, "action_not_allowed"
    )
    assert "handover_unconfirmed" not in {rule for rule, _ in await desk.rules()}
    await put_in(runtime, in_state(State.DELIVERED, tier=Tier.URGENT))
    kept = body(await desk.client("supervisor").get(path))
    assert [one["id"] for one in kept["listed"]] == [one["id"] for one in again["listed"]]
    assert str(another) in {one["id"] for one in kept["listed"]}
    assert (kept["confirmed_by"], kept["remark"], kept["notes"][0]["text"]) == (
        "Duty officer 1", "Taken.", "XT calls at noon.",
    )  # fmt: skip
    others = desk.plan(-2 * HOUR, DAY, primary="supervisor", secondary="supervisor_2", supervisor="supervisor")
    body(await desk.act("supervisor", shift, "change", generation=1, shift=others, reason="Both were called away."))
    assert body(await desk.client("supervisor").get(path))["confirmed_at"] is None, (
        "whoever came instead took nothing over"
    )
    facts = "SELECT count(*) FROM audit_pending WHERE convert_from(leaf, 'utf8') LIKE '%duty.handed_over%'"
    assert await desk.column(facts) == [2]
    (early,) = await desk.enter(desk.plan(DAY, 2 * DAY))
    assert_problem(await desk.act("duty_officer", early, "confirm", digest=again["digest"]), 409, "action_not_allowed")


async def test_what_is_wrong_is_told_once_as_a_warning_and_once_as_an_error(desk: Desk, runtime: Runtime) -> None:
    """Fourteen days ahead and 48 hours ahead; looks in between tell nothing; a roster that is not kept is no event."""
    now = runtime.clock()

    async def look(after: timedelta) -> int:
        async with begin(runtime.engine) as session:
            return await watch_roster(session, runtime.node, now=now + after)

    assert await look(timedelta()) == 0
    await desk.describe("duty_officer")
    (shift,) = await desk.enter(desk.plan(-HOUR / 6, 20 * DAY))
    told = [
        await look(after) for after in (0 * DAY, HOUR, 6 * DAY, 6 * DAY + HOUR, 18 * DAY, 18 * DAY + HOUR, 21 * DAY)
    ]
    kinds = await desk.column("SELECT kind || ' ' || (data->>'rule') FROM event WHERE kind LIKE 'roster.%' ORDER BY id")
    assert kinds == ["roster.error handover_unconfirmed", "roster.warning roster_gap", "roster.error roster_gap"]
    assert told == [0, 1, 1, 0, 1, 0, 0]
    named = f"SELECT count(*) FROM event WHERE kind LIKE 'roster.%' AND data::text LIKE '%{shift}%'"
    assert await desk.column(named) == [0], "no person and no shift stands in a feed that others read"
