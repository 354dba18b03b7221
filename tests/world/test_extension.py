"""A request of status EXTENSION is no new exchange: it becomes a wish on the hold (ruling 18)."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest

from app.domain.codes import RequestType
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import expect, filed, preservation, taken

if TYPE_CHECKING:
    from tests.support.world import World

HELD = ("acknowledge", "accept", "start", "preserve")


EXTENSIONS = {
    "by its type": (RequestType.PRESERVATION_EXTENSION, {}),
    "by its status": (RequestType.PRESERVATION, {"request_status": "EXTENSION"}),
}


@pytest.mark.parametrize("how", EXTENSIONS)
async def test_extension_becomes_a_wish_on_the_hold(world: World, how: str) -> None:
    """Signed, it asks for more days in the exchange of the earlier request; granted, both sides show the later end."""
    type_, members = EXTENSIONS[how]
    journey = await preservation(world, *HELD)
    earlier = expect(await journey.ours().get(journey.request), 200)
    end = expect(await journey.theirs().get(journey.exchange), 200)["holds"][0]["expires_at"]
    asked = document(type_, **members, previous_reference=earlier["reference"])
    request = await filed(world, asked)
    signed = await taken(
        world, request["id"], ("duty_officer", "open"), ("duty_officer", "approve"), ("supervisor", "sign")
    )
    assert signed["exchange_id"] == journey.exchange_id
    there = await seen(
        partial(journey.theirs().get, journey.exchange), lambda answer: answer.json()["holds"][0]["extension_wish"]
    )
    hold = there.json()["holds"][0]
    expect(await journey.theirs().act(f"/v1/holds/{hold['id']}", "grant_extension"), 200)
    settled = await journey.settled()
    assert datetime.fromisoformat(settled["holds"][0]["expires_at"]) > datetime.fromisoformat(end)


async def test_extension_of_nothing_cannot_be_signed(world: World) -> None:
    """Without an earlier request that still holds data there is nothing to extend, and nothing leaves the state."""
    asked = document(RequestType.PRESERVATION, request_status="EXTENSION", previous_reference="XA-2026-7K3QF9D")
    request = await filed(world, asked)
    await taken(world, request["id"], ("duty_officer", "open"), ("duty_officer", "approve"))
    refused = await world["XA"].as_("supervisor").act(f"/v1/requests/{request['id']}", "sign")
    assert expect(refused, 422)["code"] == "C-MISSING"
    still = expect(await world["XA"].as_("duty_officer").get(f"/v1/requests/{request['id']}"), 200)
    assert (still["state"], still["exchange_id"]) == ("DRAFTED", None)
