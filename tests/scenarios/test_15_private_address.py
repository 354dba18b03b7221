"""Scenario 15: an address that no customer on the Internet can have is refused, however it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.world.documents import document, put
from tests.world.journey import expect
from tests.world.ledger import CASES
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

VALUE = "/targets/0/identifier/value"
NOBODY = {
    "inside a carrier's network": ("ipv4", "100.64.10.20"),
    "inside a house": ("ipv4", "10.0.0.1"),
    "inside a house, mapped": ("ipv6", "::ffff:10.0.0.1"),
    "inside a house, through 6to4": ("ipv6", "2002:0a00:0001::1"),
    "a group of machines": ("ipv4", "224.0.0.1"),
}


@pytest.mark.parametrize("what", NOBODY)
async def test_nobody_has_it(scenario_world: World, scenario_ledger: Ledger, what: str) -> None:
    """The target is refused as `ip_not_global`, and nothing is stored at home or known abroad."""
    kind, value = NOBODY[what]
    made = document(RequestType.PRESERVATION, **fresh(scenario_world))
    made = put(made, "/targets/0/identifier", {"type": kind, "value": value})
    await scenario_ledger.calm()
    before = {code: await scenario_ledger.counts(code, CASES) for code in ("XA", "XT")}
    answer = await scenario_world["XA"].as_("agency_officer").post("/v1/requests", made)
    problem = assert_problem(answer, 422, "invalid_document")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(VALUE, "ip_not_global")]
    assert value not in answer.text
    assert {code: await scenario_ledger.counts(code, CASES) for code in ("XA", "XT")} == before


async def test_address_of_a_test_is_taken(scenario_world: World) -> None:
    """Control: a global address, kept for documentation, is taken where the document says that it is a test."""
    made = document(RequestType.PRESERVATION, **fresh(scenario_world))
    agency = scenario_world["XA"].as_("agency_officer")
    taken = expect(await agency.post("/v1/requests", made), 201)
    assert taken["is_test"] is True
    real = await agency.post("/v1/requests", {**made, "is_test": False})
    assert "documentation_range" in {error["code"] for error in assert_problem(real, 422, "invalid_document")["errors"]}
