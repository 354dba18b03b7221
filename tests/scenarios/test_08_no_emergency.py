"""Scenario 08: an emergency that is none is offered URGENT; one that arrives all the same is downgraded by a person."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.support.emergency import RISK
from tests.world.documents import document
from tests.world.journey import delivered, expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World

MINUTE = timedelta(minutes=1)
THIN = {
    "threat_kind": "OTHER_LIFE_SAFETY",
    "persons_at_risk": "None known so far",
    "facts": "The provider deletes the account in forty minutes, and every message of the suspect with it. "
    "Nobody can exclude that somebody is harmed one day.",
    "link_to_data": "The account is the only place where the messages of the suspect are kept.",
}


def deletion(world: World, *, tier: str, emergency: object = None) -> dict[str, Any]:
    """A preservation before an account is deleted, forty minutes from now; nobody is in danger."""
    loss = (world.clock() + 40 * MINUTE).isoformat()
    members = {
        "urgency": {"tier": tier, "reasons": "The account will be deleted in forty minutes.", "expected_loss_at": loss},
        "necessity": {
            "reason": "ACCOUNT_DELETION_PENDING",
            "text": "The provider has announced the deletion of the account to its owner.",
            "expected_loss_at": loss,
        },
        "emergency": emergency,
    }
    return document(RequestType.PRESERVATION, **{**fresh(world), **members})


async def test_tier_is_refused_and_urgent_is_offered(scenario_world: World) -> None:
    """V-7: without a person at risk the tier EMERGENCY is refused, and the answer offers URGENT with a date."""
    answer = (
        await scenario_world["XA"]
        .as_("agency_officer")
        .post("/v1/requests", deletion(scenario_world, tier="EMERGENCY"))
    )
    (error,) = assert_problem(answer, 422, "invalid_document")["errors"]
    assert (error["pointer"], error["code"]) == ("/emergency", "C-EMERGENCYFACTS")
    assert "URGENT with expected_loss_at" in error["detail"]


async def test_urgent_pages_within_a_quarter_of_what_is_left(scenario_world: World) -> None:
    """With the loss forty minutes ahead it is to be taken within ten; after that both sides see it overdue."""
    journey = await delivered(scenario_world, deletion(scenario_world, tier="URGENT"))
    shown = await journey.settled()
    assert (shown["tier"], shown["state"], shown["flags"]) == ("URGENT", "DELIVERED", [])
    scenario_world.clock.advance(9 * MINUTE)
    assert (await journey.settled())["flags"] == []
    scenario_world.clock.advance(2 * MINUTE)
    assert (await journey.settled())["flags"] == ["OVERDUE"]
    await journey.do("acknowledge")
    assert (await journey.settled())["flags"] == []


async def test_thin_emergency_lives_on_as_urgent(scenario_world: World) -> None:
    """What arrives as an emergency with thin facts is downgraded, with alternatives; only facts raise it again."""
    journey = await delivered(scenario_world, deletion(scenario_world, tier="EMERGENCY", emergency=THIN))
    assert (await journey.settled())["tier"] == "EMERGENCY"
    await journey.do("acknowledge")
    wordless = await journey.theirs().act(journey.exchange, "downgrade")
    assert wordless.status_code == 422
    roads = "An urgent preservation, which we execute today; disclosure by a letter of request."
    await journey.do("downgrade", alternatives=roads)
    lowered = await journey.settled()
    assert (lowered["state"], lowered["tier"]) == ("ACKNOWLEDGED", "URGENT")
    (change,) = lowered["details"]["tier_changes"]
    assert (change["tier"], change["code"]) == ("URGENT", "E-NOTEMERGENCY")
    assert roads in change.values()
    request = expect(await journey.ours("agency_officer").get(journey.request), 200)
    assert request["exchange"]["tier"] == "URGENT"
    bare = {"tier": "EMERGENCY", "reasons": "Now somebody is in danger."}
    unfounded = await journey.ours().act(journey.exchange, "raise_tier", **bare)
    (error,) = assert_problem(unfounded, 422, "C-EMERGENCYFACTS")["errors"]
    assert error["pointer"] == "/emergency"
    raised = await journey.wish("raise_tier", **bare, emergency=RISK)
    assert raised["tier"] == "EMERGENCY"
    assert raised["details"]["tier_changes"][1]["emergency"] == RISK | {"imminent_until": None}
    await journey.do("downgrade", alternatives=roads)
    assert (await journey.settled())["tier"] == "URGENT"
    await journey.do("accept", "start", "preserve")
    assert (await journey.settled())["state"] == "PRESERVED"
