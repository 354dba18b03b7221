"""Scenario 02: a preservation without necessity is stopped at home; where it arrives it is asked about, not refused."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.db import requests
from app.db.engine import begin
from app.domain.codes import IntakeState, RequestType
from app.services.dispatch import dispatch
from app.services.node import SYSTEM, Acting
from tests.routers.clients import assert_problem
from tests.support.world import seen
from tests.world.documents import document, without
from tests.world.journey import Journey, expect, filed, taken
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

DRAFTED = (("duty_officer", "open"), ("duty_officer", "approve"))


def places(problem: dict[str, Any]) -> set[tuple[str, str]]:
    """Pointers and codes of the errors."""
    return {(error["pointer"], error["code"]) for error in problem["errors"]}


async def lost(world: World, ledger: Ledger) -> dict[str, Any]:
    """A draft that has lost its necessity since it was filed, as one that a machine prepared may never have had it."""
    made = await filed(world, document(RequestType.PRESERVATION, **fresh(world)))
    await taken(world, made["id"], *DRAFTED)
    await ledger.rows("XA", "UPDATE request SET document = document - 'necessity' WHERE id = $1", UUID(made["id"]))
    return made


async def test_filing_names_the_item(scenario_world: World) -> None:
    """Art. 29(2)(e): without necessity nothing is filed, and the answer says which item is missing."""
    raw = without(document(RequestType.PRESERVATION, **fresh(scenario_world)), "/necessity")
    answer = await scenario_world["XA"].as_("agency_officer").post("/v1/requests", raw)
    assert places(assert_problem(answer, 422, "invalid_document")) == {("/necessity", "C-MISSING")}


async def test_signing_names_the_item(scenario_world: World, scenario_ledger: Ledger) -> None:
    """A draft without necessity is not signed: the supervisor is told the item, and nothing leaves the state."""
    made = await lost(scenario_world, scenario_ledger)
    path = f"/v1/requests/{made['id']}"
    refused = await scenario_world["XA"].as_("supervisor").act(path, "sign")
    assert places(assert_problem(refused, 422, "invalid_document")) == {("/document/necessity", "C-MISSING")}
    still = expect(await scenario_world["XA"].as_("supervisor").get(path), 200)
    assert (still["state"], still["exchange_id"]) == ("DRAFTED", None)


async def sent_all_the_same(world: World, request_id: str) -> Journey:
    """The draft put on its way past the check of signing, as a node that does not know our rules would."""
    runtime = world["XA"].runtime
    async with begin(runtime.engine) as session:
        record = await requests.load(session, UUID(request_id), for_update=True)
        assert record is not None
        exchange_id = await dispatch(Acting(session, runtime.node, SYSTEM, runtime.clock()), record)
        signed = replace(record, state=IntakeState.SIGNED, exchange_id=exchange_id, generation=record.generation + 1)
        await requests.save(session, signed, read_generation=record.generation)
    runtime.wake.ring()
    journey = Journey(world, request_id, str(exchange_id), record.requested)
    await seen(partial(journey.theirs().get, journey.exchange), lambda answer: answer.status_code == 200)
    return journey


async def test_requested_side_asks_and_cannot_refuse(scenario_world: World, scenario_ledger: Ledger) -> None:
    """Where it arrives all the same, the officer is warned of the item and asks for it; it is no ground of refusal."""
    made = await lost(scenario_world, scenario_ledger)
    journey = await sent_all_the_same(scenario_world, made["id"])
    there = expect(await journey.theirs().get(journey.exchange), 200)
    assert ("/necessity", "C-MISSING", True) in {
        (one["pointer"], one["code"], one.get("error")) for one in there["warnings"]
    }
    await journey.do("acknowledge")
    reasons = "The request does not say why the preservation is necessary, which art. 29(2)(e) demands."
    for code in ("R-LAW", "R-DECL", "R-FISCAL"):
        refused = await journey.theirs().act(
            journey.exchange, "refuse", code=code, reasons=reasons, considered_partial=True
        )
        assert_problem(refused, 422, "refusal_ground_not_available")
    await journey.do("ask", codes=["C-MISSING"], text="Necessity, item (e) of art. 29(2), is missing.")
    asked = await journey.settled()
    assert asked["state"] == "CLARIFICATION"
    assert asked["details"]["question"]["codes"] == ["C-MISSING"]
    answered = await journey.wish("supplement", text="The logs are overwritten on 25 November.")
    assert answered["state"] == "ACKNOWLEDGED"
