"""A withdrawal that waits behind a gap blocks execution before it is judged (ruling 14)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.support.world import seen
from tests.world.journey import expect, preservation

if TYPE_CHECKING:
    import httpx

    from tests.support.world import World


def is_quiet(answer: httpx.Response) -> bool:
    """Whether no message of this node is under way."""
    return all(lane["count"] == 0 for lane in answer.json()["outbox"])


async def test_withdrawal_behind_a_gap_blocks_execution(world: World) -> None:
    """Shown to the desk at once, it keeps the data from being preserved; when the gap is filled it is applied."""
    journey = await preservation(world, "acknowledge", "accept", "start")
    for code in ("XA", "XT"):
        await seen(partial(world[code].as_("monitor").get, "/v1/monitoring/overview"), is_quiet)
    world.bus.drop(1)
    expect(await journey.ours().act(journey.exchange, "supplement", text="One more address."), 202)
    await seen(partial(world["XA"].as_("monitor").get, "/v1/monitoring/overview"), lambda _: not world.bus.faults.drop)
    expect(await journey.ours().act(journey.exchange, "withdraw"), 202)
    shown = await seen(
        partial(journey.theirs().get, journey.exchange), lambda answer: "WITHDRAWAL_WAITING" in answer.json()["flags"]
    )
    assert shown.json()["state"] == "IN_EXECUTION"
    blocked = expect(await journey.theirs().act(journey.exchange, "preserve"), 409)
    assert (blocked["code"], blocked["reason"]) == ("action_not_allowed", "withdrawal_waiting")
    assert (await journey.settled())["state"] == "WITHDRAWN"
