"""What is a test says so wherever it is shown, on both sides; what is real does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.domain.codes import RequestType
from tests.world.documents import document
from tests.world.journey import PRESERVING, delivered, expect, preservation

if TYPE_CHECKING:
    from tests.support.world import World


async def test_preservation_of_a_test_is_no_real_hold(world: World) -> None:
    """Request, exchange and hold are marked at home and abroad, in lists as in full."""
    journey = await preservation(world, *PRESERVING)
    request = expect(await journey.ours("agency_officer").get(journey.request), 200)
    assert request["is_test"] is True
    for caller in (journey.ours(), journey.theirs()):
        exchange = expect(await caller.get(journey.exchange), 200)
        assert exchange["is_test"] is True
        (hold,) = exchange["holds"]
        assert hold["is_test"] is True
        assert expect(await caller.get(f"/v1/holds/{hold['id']}"), 200)["is_test"] is True
        listed = expect(await caller.get("/v1/exchanges", limit=200), 200)["data"]
        assert [one["is_test"] for one in listed if one["id"] == journey.exchange_id] == [True]


@pytest.mark.parametrize("said", [False, None])
async def test_real_question_is_real(world: World, said: bool | None) -> None:  # noqa: FBT001 - what the document says
    """Control: a document that does not call itself a test is real on both sides."""
    journey = await delivered(world, document(RequestType.LEGAL_INFORMATION, is_test=said))
    assert expect(await journey.ours("agency_officer").get(journey.request), 200)["is_test"] is False
    for caller in (journey.ours(), journey.theirs()):
        assert expect(await caller.get(journey.exchange), 200)["is_test"] is False
