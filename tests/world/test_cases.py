"""Cases over HTTP: filed together or not at all, each request decided by itself, seen by their own agency only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.world.documents import document, without
from tests.world.journey import expect

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

KEPT = ("case_file", "request", "timeline", "event", "target_fingerprint", "facts")


def filing(*, requested: tuple[str, ...] = ("XT", "XS"), **members: object) -> dict[str, Any]:
    """A question for advice, put to two states."""
    return {
        "reference": "OP-ADVICE-7",
        "title": "How logs are kept",
        "document": without(document(RequestType.TECHNICAL_ADVICE), "/requested"),
        "requested": list(requested),
        **members,
    }


async def opened(world: World, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - any member of a filing
    """A case that the first agency filed."""
    return expect(await world["XA"].as_("agency_officer").post("/v1/cases", filing(**members)), 201)


def places(problem: dict[str, Any]) -> set[tuple[str, str]]:
    """Pointers and codes of the errors."""
    return {(error["pointer"], error["code"]) for error in problem["errors"]}


async def test_case_is_filed_whole_or_not_at_all(world: World, ledger: Ledger) -> None:
    """One state that cannot be asked keeps everything from being filed; each fault points into the filing, once."""
    caller = world["XA"].as_("agency_officer")
    await ledger.calm(placed=("XA",))
    before = await ledger.counts("XA", KEPT)
    broken = filing(requested=("XT", "XQ", "XA", "XS"), overrides={"XS": {"urgency": {"tier": "SOON"}}})
    broken["document"] = without(broken["document"], "/question")
    answer = await caller.post("/v1/cases", broken)
    assert places(assert_problem(answer, 422, "invalid_document")) == {
        ("/document/question", "C-MISSING"),
        ("/requested/1", "unknown_contact_point"),
        ("/requested/2", "domestic_matter"),
        ("/overrides/XS/urgency/tier", "not_in_list"),
    }
    checked = await caller.post("/v1/cases?validate_only=true", broken)
    assert places(assert_problem(checked, 422, "invalid_document")) == places(answer.json())
    valid = expect(await caller.post("/v1/cases?validate_only=true", filing()), 200)
    assert (valid["valid"], [one["requested"] for one in valid["states"]]) == (True, ["XT", "XS"])
    assert await ledger.counts("XA", KEPT) == before


async def test_case_is_filed_once_under_one_key(world: World) -> None:
    """The same command again is the same case; its requests are ordinary ones that name it."""
    caller, key = world["XA"].as_("agency_officer"), str(uuid4())
    first, again = [expect(await caller.post("/v1/cases", filing(), key=key), 201) for _ in range(2)]
    assert first == again
    for row in first["states"]:
        shown = expect(await caller.get(f"/v1/requests/{row['reference']}"), 200)
        assert (shown["case_id"], shown["origin"], shown["state"]) == (first["id"], "case", "INTAKE")
        assert "OP-ADVICE-7" not in str(shown["document"])


async def test_each_request_is_decided_by_itself(world: World) -> None:
    """An act goes to the states named; what one request does not allow is its own result, and the rest goes on."""
    case = await opened(world)
    path = f"/v1/cases/{case['id']}/actions"
    duty, supervisor = (world["XA"].as_(seat) for seat in ("duty_officer", "supervisor"))
    only = expect(await duty.post(path, {"action": "open", "requested": ["XS"]}), 200)
    assert [(one["requested"], one["state"]) for one in only["results"]] == [("XS", "TRIAGE")]
    both = expect(await duty.post(path, {"action": "open"}), 200)
    problems = {one["requested"]: one["problem"] and one["problem"]["code"] for one in both["results"]}
    assert problems == {"XT": None, "XS": "action_not_allowed"}
    expect(await supervisor.post(path, {"action": "approve"}), 200)
    alone = expect(await supervisor.post(path, {"action": "sign"}), 200)
    assert [one["problem"]["code"] for one in alone["results"]] == ["four_eyes"] * 2
    other = world["XA"].as_("supervisor_2")
    signed = expect(await other.post(path, {"action": "sign"}), 200)
    assert [one["problem"] for one in signed["results"]] == [None, None]
    assert len({row["exchange_id"] for row in signed["case"]["states"]} - {None}) == 2


async def test_case_belongs_to_its_agency(world: World) -> None:
    """Another agency's case reads as none and takes no act; the own agency reads it and decides nothing."""
    case = await opened(world)
    path = f"/v1/cases/{case['id']}"
    for seat in ("agency_officer_2", "agency_viewer_2"):
        caller = world["XA"].as_(seat)
        assert_problem(await caller.get(path), 404, "not_found")
        assert_problem(await caller.post(f"{path}/actions", {"action": "open"}), 404, "not_found")
        listed = expect(await caller.get("/v1/cases", limit=200), 200)["data"]
        assert case["id"] not in {one["id"] for one in listed}
    for seat in ("agency_officer", "agency_viewer", "duty_officer", "supervisor"):
        shown = expect(await world["XA"].as_(seat).get(path), 200)
        assert shown["title"] == "How logs are kept"
    for seat in ("agency_officer", "agency_viewer"):
        answer = await world["XA"].as_(seat).post(f"{path}/actions", {"action": "open"})
        assert_problem(answer, 403, "role_not_allowed")
    for seat in ("duty_officer", "agency_viewer"):
        assert_problem(await world["XA"].as_(seat).post("/v1/cases", filing()), 403, "role_not_allowed")


@pytest.mark.parametrize("seat", ["auditor", "monitor", "registrar", "administrator"])
async def test_roles_without_cases_see_none(world: World, seat: str) -> None:
    """Who works on no case neither lists, reads, files nor acts."""
    case = await opened(world, requested=("XT",))
    caller = world["XA"].as_(seat)
    for path in ("/v1/cases", f"/v1/cases/{case['id']}"):
        assert_problem(await caller.get(path), 403, "role_not_allowed")
    assert_problem(await caller.post("/v1/cases", filing()), 403, "role_not_allowed")
    assert_problem(await caller.post(f"/v1/cases/{case['id']}/actions", {"action": "open"}), 403, "role_not_allowed")


async def test_reading_a_case_is_a_fact(world: World, ledger: Ledger) -> None:
    """Ruling 23: opening the dashboard is recorded, once per person and quarter of an hour; the list is not."""
    case = await opened(world, requested=("XT",))
    caller = world["XA"].as_("duty_officer_2")
    await ledger.calm(placed=("XA",))
    before = await ledger.counts("XA", ("facts",))
    expect(await caller.get("/v1/cases"), 200)
    assert await ledger.counts("XA", ("facts",)) == before
    for _ in range(2):
        expect(await caller.get(f"/v1/cases/{case['id']}"), 200)
    assert (await ledger.counts("XA", ("facts",)))["facts"] == before["facts"] + 1
