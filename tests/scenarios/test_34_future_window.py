"""Scenario 34: data of tomorrow cannot be preserved; the answer names the road for what is still to come."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.world.documents import document, put
from tests.world.journey import filed
from tests.world.ledger import CASES
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

END = "/targets/0/interval/end"


@pytest.mark.parametrize("type_", [RequestType.PRESERVATION, RequestType.EVIDENCE_COLLECTION])
async def test_tomorrow_is_refused_with_a_hint(
    scenario_world: World, scenario_ledger: Ledger, type_: RequestType
) -> None:
    """A range that ends tomorrow is refused, real-time measures are pointed at, and nothing is stored."""
    made = document(type_, targets=fresh(scenario_world)["targets"])
    made = put(made, END, (scenario_world.clock() + timedelta(hours=18)).isoformat())
    await scenario_ledger.calm()
    before = await scenario_ledger.counts("XA", CASES)
    answer = await scenario_world["XA"].as_("agency_officer").post("/v1/requests", made)
    (error,) = assert_problem(answer, 422, "invalid_document")["errors"]
    assert (error["pointer"], error["code"]) == (END, "future_interval")
    assert "real-time measures: arts. 33 and 34, by MLA" in error["detail"]
    assert await scenario_ledger.counts("XA", CASES) == before


async def test_up_to_now_is_taken(scenario_world: World) -> None:
    """Control: the same range ended at this moment is history, and is taken."""
    made = put(document(RequestType.PRESERVATION, **fresh(scenario_world)), END, scenario_world.clock().isoformat())
    assert (await filed(scenario_world, made))["state"] == "INTAKE"
