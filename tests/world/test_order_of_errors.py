"""Several things wrong at once: every act answers the one that comes first, and later ones stay unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem, new_key
from tests.world.documents import document
from tests.world.journey import PRESERVING, expect, filed, preservation, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from tests.support.world import World
    from tests.world.journey import Journey
    from tests.world.ledger import Ledger

OLD = 77
"""A generation that nothing here is in."""

NOWHERE = str(uuid4())
BROKEN = b'{"action": '


class Case(NamedTuple):
    """Who sends what to which of the things below, and which of its faults is answered."""

    seat: str | None
    to: str
    body: Mapping[str, Any] | bytes
    status: int
    code: str
    node: str = "XA"


@pytest.fixture(scope="module")
async def journey(world: World) -> Journey:
    """A preservation at XT with one hold."""
    return await preservation(world, *PRESERVING)


@pytest.fixture(scope="module")
async def things(world: World, journey: Journey) -> dict[str, str]:
    """Where the things of the cases are, by the names that the cases use."""
    in_triage = await filed(world, document(RequestType.PRESERVATION))
    await taken(world, in_triage["id"], ("duty_officer", "open"))
    drafted = await filed(world, document(RequestType.PRESERVATION))
    await taken(world, drafted["id"], ("duty_officer", "open"), ("supervisor", "approve"))
    acknowledged = await preservation(world, "acknowledge")
    reasons = "The conduct described is a political offence under our law."
    proposing = {"code": "R-POL", "reasons": reasons, "considered_partial": True}
    await acknowledged.do("refuse", seat="supervisor", **proposing)
    await acknowledged.settled()
    (hold,) = (await journey.settled())["holds"]
    return {
        "no request": f"/v1/requests/{NOWHERE}",
        "no exchange": f"/v1/exchanges/{NOWHERE}",
        "no hold": f"/v1/holds/{NOWHERE}",
        "request in triage": f"/v1/requests/{in_triage['id']}",
        "request approved by the supervisor": f"/v1/requests/{drafted['id']}",
        "exchange preserved": journey.exchange,
        "exchange whose refusal the supervisor proposed": acknowledged.exchange,
        "hold": f"/v1/holds/{hold['id']}",
    }


IN_TRIAGE, DRAFTED = "request in triage", "request approved by the supervisor"
PRESERVED, PROPOSED, HOLD = "exchange preserved", "exchange whose refusal the supervisor proposed", "hold"

REQUESTS = {
    "nobody, no request, no JSON": Case(None, "no request", BROKEN, 401, "not_authenticated"),
    "no request, an act there is not": Case("duty_officer", "no request", {"action": "x"}, 404, "not_found"),
    "no request, no JSON": Case("supervisor", "no request", BROKEN, 404, "not_found"),
    "another agency's, old, an act of the desk": Case(
        "agency_officer_2", IN_TRIAGE, {"action": "sign", "generation": OLD}, 404, "not_found"
    ),
    "another agency's viewer, no JSON": Case("agency_viewer_2", IN_TRIAGE, BROKEN, 404, "not_found"),
    "a viewer, no JSON": Case("agency_viewer", IN_TRIAGE, BROKEN, 403, "role_not_allowed"),
    "a viewer, an act there is not, old": Case(
        "agency_viewer", IN_TRIAGE, {"action": "x", "generation": OLD}, 403, "role_not_allowed"
    ),
    "a monitor, no request": Case("monitor", "no request", BROKEN, 403, "role_not_allowed"),
    "the agency signs, old, not drafted": Case(
        "agency_officer", IN_TRIAGE, {"action": "sign", "generation": OLD}, 403, "role_not_allowed"
    ),
    "the desk resubmits, old, nothing returned, no document": Case(
        "duty_officer", IN_TRIAGE, {"action": "resubmit", "generation": OLD}, 403, "role_not_allowed"
    ),
    "who approved signs, old, with a member too many": Case(
        "supervisor", DRAFTED, {"action": "sign", "generation": OLD, "surplus": 1}, 403, "four_eyes"
    ),
    "old, not possible in triage": Case(
        "supervisor", IN_TRIAGE, {"action": "sign", "generation": OLD}, 409, "stale_generation"
    ),
    "old, an act there is not": Case(
        "duty_officer", IN_TRIAGE, {"action": "x", "generation": OLD}, 409, "stale_generation"
    ),
    "old, a decline without reasons": Case(
        "duty_officer", IN_TRIAGE, {"action": "decline", "generation": OLD}, 409, "stale_generation"
    ),
    "opened twice, with a member too many": Case(
        "duty_officer", IN_TRIAGE, {"action": "open", "surplus": 1}, 409, "action_not_allowed"
    ),
    "resubmitted though not returned, no document": Case(
        "agency_officer", IN_TRIAGE, {"action": "resubmit"}, 409, "action_not_allowed"
    ),
    "a decline without reasons": Case("duty_officer", IN_TRIAGE, {"action": "decline"}, 422, "invalid_act"),
    "an act there is not": Case("duty_officer", IN_TRIAGE, {"action": "x"}, 422, "invalid_act"),
    "a generation that is no number": Case(
        "duty_officer", IN_TRIAGE, {"action": "approve", "generation": "2"}, 422, "invalid_act"
    ),
    "a generation that is a truth": Case(
        "duty_officer", IN_TRIAGE, {"action": "approve", "generation": True}, 422, "invalid_act"
    ),
}

EXCHANGES = {
    "nobody, no exchange, no JSON": Case(None, "no exchange", BROKEN, 401, "not_authenticated"),
    "an agency, no exchange": Case("agency_officer", "no exchange", BROKEN, 403, "role_not_allowed"),
    "no exchange, no JSON": Case("duty_officer", "no exchange", BROKEN, 404, "not_found"),
    "no exchange, an act there is not": Case("supervisor", "no exchange", {"action": "x"}, 404, "not_found"),
    "the other side's act, old": Case(
        "duty_officer", PRESERVED, {"action": "preserve", "generation": OLD}, 403, "role_not_allowed"
    ),
    "the requesting side's act, old": Case(
        "duty_officer", PRESERVED, {"action": "proceed", "generation": OLD}, 403, "role_not_allowed", "XT"
    ),
    "a duty officer accepts a condition, old, none is open": Case(
        "duty_officer", PRESERVED, {"action": "accept_condition", "generation": OLD}, 403, "role_not_allowed"
    ),
    "who proposed a refusal confirms it, old": Case(
        "supervisor", PROPOSED, {"action": "confirm_refusal", "generation": OLD}, 403, "four_eyes", "XT"
    ),
    "old, not possible in this state": Case(
        "duty_officer", PRESERVED, {"action": "acknowledge", "generation": OLD}, 409, "stale_generation", "XT"
    ),
    "old, an act there is not": Case(
        "duty_officer", PRESERVED, {"action": "x", "generation": OLD}, 409, "stale_generation", "XT"
    ),
    "a wish, old, without its text": Case(
        "duty_officer", PRESERVED, {"action": "supplement", "generation": OLD}, 409, "stale_generation"
    ),
    "not possible in this state, no generation": Case(
        "duty_officer", PRESERVED, {"action": "acknowledge"}, 409, "action_not_allowed", "XT"
    ),
    "not possible for this type, with a member too many": Case(
        "duty_officer", PROPOSED, {"action": "postpone", "surplus": 1}, 409, "action_not_allowed", "XT"
    ),
    "a wish not possible in this state, no generation": Case(
        "duty_officer", PRESERVED, {"action": "proceed"}, 409, "action_not_allowed"
    ),
    "no generation": Case("duty_officer", PROPOSED, {"action": "accept"}, 422, "document_invalid", "XT"),
    "an act there is not": Case("duty_officer", PRESERVED, {"action": "x"}, 422, "document_invalid", "XT"),
    "a wish without generation": Case("duty_officer", PRESERVED, {"action": "withdraw"}, 422, "document_invalid"),
}

HOLDS = {
    "nobody, no hold, no JSON": Case(None, "no hold", BROKEN, 401, "not_authenticated"),
    "an agency, no hold": Case("agency_officer", "no hold", BROKEN, 403, "role_not_allowed"),
    "no hold, no JSON": Case("duty_officer", "no hold", BROKEN, 404, "not_found"),
    "an exchange's id is no hold's": Case("duty_officer", "no hold", {"action": "x"}, 404, "not_found"),
    "the other side's act, old": Case(
        "duty_officer", HOLD, {"action": "grant_extension", "generation": OLD}, 403, "role_not_allowed"
    ),
    "the requesting side's act, old": Case(
        "duty_officer", HOLD, {"action": "claim_mla_sent", "generation": OLD}, 403, "role_not_allowed", "XT"
    ),
    "old, not possible now": Case(
        "duty_officer", HOLD, {"action": "record_decision", "generation": OLD}, 409, "stale_generation", "XT"
    ),
    "old, an act there is not": Case("duty_officer", HOLD, {"action": "x", "generation": OLD}, 409, "stale_generation"),
    "a wish, old, without what it needs": Case(
        "duty_officer", HOLD, {"action": "claim_mla_sent", "generation": OLD}, 409, "stale_generation"
    ),
    "not possible now, no generation": Case(
        "duty_officer", HOLD, {"action": "record_decision"}, 409, "action_not_allowed", "XT"
    ),
    "released though nobody asked, a member too many": Case(
        "duty_officer", HOLD, {"action": "release", "surplus": 1}, 409, "action_not_allowed", "XT"
    ),
    "no generation": Case(
        "duty_officer", HOLD, {"action": "report_loss", "text": "A disk failed."}, 422, "document_invalid", "XT"
    ),
    "an act there is not": Case("duty_officer", HOLD, {"action": "x"}, 422, "document_invalid", "XT"),
    "a wish without what it needs": Case("duty_officer", HOLD, {"action": "claim_mla_sent"}, 422, "document_invalid"),
}


async def send(world: World, path: str, case: Case) -> httpx.Response:
    """The act of a case."""
    node = world[case.node]
    headers = {"Content-Type": "application/json", **new_key()}
    if case.seat is not None:
        headers["Authorization"] = f"Bearer {node.tokens[case.seat]}"
    address = f"{path}/actions"
    if isinstance(case.body, bytes):
        return await node.http.post(address, content=case.body, headers=headers)
    return await node.http.post(address, json=case.body, headers=headers)


CASES = {
    **{f"request: {name}": case for name, case in REQUESTS.items()},
    **{f"exchange: {name}": case for name, case in EXCHANGES.items()},
    **{f"hold: {name}": case for name, case in HOLDS.items()},
}


async def test_first_fault_wins(world: World, things: Mapping[str, str], ledger: Ledger) -> None:
    """401 before 404 before 403 before stale before not allowed before 422; and nothing at all is stored."""
    await ledger.calm()
    before = {code: await ledger.counts(code) for code in ("XA", "XT")}
    for name, case in CASES.items():
        answer = await send(world, things[case.to], case)
        assert answer.status_code == case.status, f"{name}: {answer.text}"
        problem = assert_problem(answer, case.status, case.code)
        assert ("current" in problem) == (case.status == 409), name
    assert {code: await ledger.counts(code) for code in ("XA", "XT")} == before


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.status == 409])
async def test_conflict_shows_the_present_form(world: World, things: Mapping[str, str], name: str) -> None:
    """Each 409 carries in `current` the very projection that the same person reads."""
    case = CASES[name]
    answer = await send(world, things[case.to], case)
    shown = expect(await world[case.node].as_(str(case.seat)).get(things[case.to]), 200)
    assert answer.json()["current"] == shown


async def test_missing_key_is_said_before_the_act_is_looked_at(world: World, things: Mapping[str, str]) -> None:
    """Every act needs an Idempotency-Key; without one it is 400, and with no token still 401."""
    for to in (IN_TRIAGE, PRESERVED, HOLD):
        path = f"{things[to]}/actions"
        caller = world["XA"].http
        assert_problem(await caller.post(path, json={}), 401, "not_authenticated")
        named = {"Authorization": f"Bearer {world['XA'].tokens['duty_officer']}"}
        assert_problem(await caller.post(path, json={}, headers=named), 400, "idempotency_key_required")


async def test_current_shows_what_is_under_way(world: World, journey: Journey) -> None:
    """A stale wish is answered with the acts that are on their way already, so that nobody sends them twice."""
    world.bus.pause("XT")
    try:
        shown = expect(await journey.ours().get(journey.exchange), 200)
        members = {"action": "supplement", "text": "Another address was seen.", "generation": shown["generation"]}
        act = expect(await journey.ours().post(f"{journey.exchange}/actions", members), 202)
        stale = await journey.ours().act(journey.exchange, "withdraw", generation=OLD)
        problem = assert_problem(stale, 409, "stale_generation")
        assert [one["act_id"] for one in problem["current"]["under_way"]] == [act["act_id"]]
    finally:
        world.bus.resume("XT")
    await journey.settled()
