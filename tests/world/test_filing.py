"""Filing over HTTP: what is taken, and what a taken request then shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import RequestType
from app.domain.references import check_reference
from tests.routers.clients import assert_problem, new_key
from tests.world.documents import TYPES, document, without
from tests.world.journey import expect, filed, taken

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.json"))
PROMISED = {"id", "reference", "type", "requested", "tier", "state", "generation", "exchange_id", "warnings"}


def read(path: Path) -> dict[str, Any]:
    """An example as an agency would copy it."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
async def test_canonical_example_is_taken(world: World, path: Path) -> None:
    """Each example is taken as it stands: 201, where to read it, INTAKE in the first generation, nothing abroad yet."""
    sent = read(path)
    answer = await world["XA"].as_("agency_officer").post("/v1/requests", sent)
    shown = expect(answer, 201)
    assert PROMISED | {"allowed_actions"} <= shown.keys()
    assert (shown["state"], shown["generation"], shown["exchange_id"]) == ("INTAKE", 1, None)
    assert (shown["type"], shown["requested"]) == (sent["type"], sent["requested"])
    assert shown["tier"] == sent["urgency"]["tier"]
    assert answer.headers["location"] == f"/v1/requests/{shown['id']}"
    assert check_reference(shown["reference"]) == shown["reference"]
    assert shown["reference"].startswith("XA-2026-")
    assert shown["document"].items() >= sent.items()
    assert shown["allowed_actions"] == ["supplement", "withdraw"]


async def test_there_is_an_example_of_each_type() -> None:
    """The examples of the project are one per type that can be filed."""
    assert sorted(read(path)["type"] for path in EXAMPLES) == sorted(map(str, TYPES))


async def test_request_is_read_by_id_and_by_reference(world: World) -> None:
    """The opaque id and the reference lead to the same request, for the agency and for the desk."""
    made = await filed(world, document(RequestType.PRESERVATION))
    for seat in ("agency_officer", "agency_viewer", "duty_officer", "supervisor"):
        caller = world["XA"].as_(seat)
        by_id = expect(await caller.get(f"/v1/requests/{made['id']}"), 200)
        assert by_id == expect(await caller.get(f"/v1/requests/{made['reference']}"), 200)
        assert by_id["document"] == made["document"]


async def test_instrument_not_in_force_is_a_warning(world: World) -> None:
    """An emergency disclosure is taken, with a warning that names the roads there are: no machine refuses anybody."""
    made = await filed(world, document(RequestType.EMERGENCY_DISCLOSURE))
    (warning,) = [one for one in made["warnings"] if one["code"] == "instrument_not_in_force"]
    assert warning["pointer"] == "/legal_basis/international/0/instrument"
    assert warning["alternatives"]
    assert all(road["text"] for road in warning["alternatives"])


async def test_nothing_is_signed_without_a_basis(world: World, ledger: Ledger) -> None:
    """It can be approved, but signing it answers 422 N-NOBASIS and leaves the draft, and everything else, as it was."""
    made = await filed(world, document(RequestType.EMERGENCY_DISCLOSURE))
    drafted = await taken(world, made["id"], ("duty_officer", "open"), ("duty_officer", "approve"))
    assert drafted["state"] == "DRAFTED"
    await ledger.calm()
    before = await ledger.counts("XA")
    answer = await world["XA"].as_("supervisor").act(f"/v1/requests/{made['id']}", "sign")
    problem = assert_problem(answer, 422, "N-NOBASIS")
    assert [road["code"] for road in problem["instead"]] == ["D-INTERPOL", "D-MLA"]
    assert await ledger.counts("XA") == before
    still = expect(await world["XA"].as_("supervisor").get(f"/v1/requests/{made['id']}"), 200)
    assert (still["state"], still["generation"]) == ("DRAFTED", drafted["generation"])
    assert "reopen" in still["allowed_actions"]


@pytest.mark.parametrize("type_", TYPES)
async def test_check_only_stores_nothing(world: World, ledger: Ledger, type_: RequestType) -> None:
    """`validate_only` says 200 and the warnings of filing, without a key, and stores nothing."""
    await ledger.calm()
    before = await ledger.counts("XA")
    http, token = world["XA"].http, world["XA"].tokens["agency_officer"]
    answer = await http.post(
        "/v1/requests?validate_only=true", json=document(type_), headers={"Authorization": f"Bearer {token}"}
    )
    checked = expect(answer, 200)
    assert await ledger.counts("XA") == before
    made = await filed(world, document(type_))
    assert checked == {"valid": True, "warnings": made["warnings"]}


async def test_check_only_finds_what_filing_would(world: World) -> None:
    """`validate_only` answers 422 with the same list of errors as filing."""
    broken = without(document(RequestType.PRESERVATION), "/necessity")
    agency = world["XA"].as_("agency_officer")
    checked = assert_problem(await agency.post("/v1/requests?validate_only=true", broken), 422, "invalid_document")
    refused = assert_problem(await agency.post("/v1/requests", broken), 422, "invalid_document")
    assert checked["errors"] == refused["errors"] != []


async def test_filing_needs_a_key(world: World, ledger: Ledger) -> None:
    """Without an Idempotency-Key nothing is filed: 400, and nothing stored."""
    await ledger.calm()
    before = await ledger.counts("XA")
    http, token = world["XA"].http, world["XA"].tokens["agency_officer"]
    answer = await http.post(
        "/v1/requests", json=document(RequestType.PRESERVATION), headers={"Authorization": f"Bearer {token}"}
    )
    assert_problem(answer, 400, "idempotency_key_required")
    assert await ledger.counts("XA") == before


async def test_counting_notices_a_filing(world: World, ledger: Ledger) -> None:
    """Control: a request that is taken adds to every count that the tests of refusals compare."""
    await ledger.calm()
    before = await ledger.counts("XA")
    await filed(world, document(RequestType.PRESERVATION))
    after = await ledger.counts("XA")
    grown = {name for name in before if after[name] > before[name]}
    assert grown == {"request", "timeline", "event", "idempotency", "facts"}


async def test_no_other_role_files(world: World, ledger: Ledger) -> None:
    """Only an officer of an agency files or checks: everyone else gets 403, whatever the body is."""
    await ledger.calm()
    before = await ledger.counts("XA")
    for seat in world["XA"].tokens.keys() - {"agency_officer", "agency_officer_2"}:
        for query in ("", "?validate_only=true"):
            caller = world["XA"].as_(seat)
            for body in (document(RequestType.PRESERVATION), {"type": 7}):
                answer = await caller.post(f"/v1/requests{query}", body)
                assert_problem(answer, 403, "role_not_allowed")
    stranger = await world["XA"].http.post("/v1/requests", json={}, headers=new_key())
    assert_problem(stranger, 401, "not_authenticated")
    assert await ledger.counts("XA") == before
