"""Scenario 04: a civil matter is declined by two people of the own contact point, and nobody abroad learns of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.routers.clients import assert_problem
from tests.world.journey import expect, filed, taken
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

DEFAMATION = (
    "Two neighbours accuse each other of having written false reviews of a restaurant; it is before a civil court."
)
DECLINE = {"code": "D-NOTCRIM", "text": "A civil dispute on reputation; no criminal investigation is opened."}
ABROAD = ("XT", "XS")


async def test_civil_matter_is_declined_by_two_and_stays_at_home(
    scenario_world: World, scenario_ledger: Ledger
) -> None:
    """DECLINED `D-NOTCRIM` needs a second person; the agency reads why; no table of any other node gains a row."""
    home = scenario_world["XA"]
    await scenario_ledger.calm(placed=("XA", *ABROAD))
    abroad = {code: await scenario_ledger.everything(code) for code in ABROAD}
    outgoing = await scenario_ledger.counts("XA", ("outbox", "exchange"))
    made = await filed(scenario_world, fresh(scenario_world) | {"facts_summary": DEFAMATION})
    path = f"/v1/requests/{made['id']}"
    opened = await taken(scenario_world, made["id"], ("supervisor", "open"))
    proposals = {one["test"]: one for one in opened["desk"]["triage"]}
    assert (proposals["TRI-01"]["proposal"], proposals["TRI-01"]["failing"]) == ("OPEN", ["D-NOTCRIM"])
    proposed = expect(await home.as_("supervisor").act(path, "decline", **DECLINE), 200)
    assert proposed["state"] == "DECLINE_PROPOSED"
    alone = await home.as_("supervisor").act(path, "confirm_decline", text="Agreed.")
    assert_problem(alone, 403, "four_eyes")
    declined = expect(await home.as_("supervisor_2").act(path, "confirm_decline", text="Agreed."), 200)
    assert (declined["state"], declined["exchange_id"], declined["allowed_actions"]) == ("DECLINED", None, [])
    told = expect(await home.as_("agency_officer").get(path), 200)
    assert (told["state"], told["outcome"]["code"], told["outcome"]["text"]) == ("DECLINED", *DECLINE.values())
    assert (told["desk"], told["exchange"]) == (None, None)
    assert_problem(await home.as_("agency_officer_2").get(path), 404, "not_found")
    await scenario_ledger.calm(placed=("XA", *ABROAD))
    assert await scenario_ledger.counts("XA", ("outbox", "exchange")) == outgoing
    assert {code: await scenario_ledger.everything(code) for code in ABROAD} == abroad
