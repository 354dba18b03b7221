"""At the end of a hold: what counts is when a wish for more time was first received, not when its turn came."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.routers.clients import assert_problem
from tests.support.world import seen
from tests.world.journey import PRESERVING, Journey, expect, preservation
from tests.world.mail import held_mail
from tests.world.test_crossing import fate
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

HOLD_BACK = "UPDATE outbox SET next_at = $2, began_at = $2 WHERE jti::text = $1 RETURNING 1"
"""As if every copy of this message were lost until then: what is missed is not asked for in vain before."""

A_MINUTE = timedelta(minutes=1)


async def held(world: World) -> tuple[Journey, str, datetime]:
    """A hold of sixty days: its address and its end."""
    journey = await preservation(world, *PRESERVING, **fresh(world))
    (hold,) = (await journey.settled())["holds"]
    return journey, f"/v1/holds/{hold['id']}", datetime.fromisoformat(hold["expires_at"])


async def asked_behind_a_gap(world: World, ledger: Ledger, journey: Journey, *, path: str) -> str:
    """A wish for more time that has arrived and waits for a message before it; its act's id."""
    async with held_mail(world, ledger, to="XT"):
        first = await journey.wish_only("supplement", text="One more address.")
        wish = expect(await journey.ours().act(path, "request_extension"), 202)
        await ledger.value("XA", HOLD_BACK, first["act_id"], world.clock() + timedelta(days=100))
    query = "SELECT state FROM inbox WHERE jti::text = $1"
    await seen(partial(ledger.value, "XT", query, wish["act_id"]), lambda state: state == "held")
    await ledger.value("XA", "UPDATE outbox SET began_at = NULL WHERE jti::text = $1 RETURNING 1", first["act_id"])
    return str(wish["act_id"])


async def fill_the_gap(world: World, ledger: Ledger, journey: Journey) -> None:
    """Let what was held back arrive."""
    due = "UPDATE outbox SET next_at = $2 WHERE thread = $1 AND left_at IS NULL RETURNING 1"
    await ledger.value("XA", due, journey.exchange_id, world.clock())
    world["XA"].runtime.wake.ring()


async def ended(journey: Journey) -> dict[str, Any]:
    """The exchange at the requested side once its hold has run out."""
    look = partial(journey.theirs().get, journey.exchange)
    return dict((await seen(look, lambda answer: answer.json()["state"] == "CLOSED")).json())


async def test_asked_before_the_end_and_judged_after_it(edge_world: World, edge_ledger: Ledger) -> None:
    """First received in time, held behind a gap until after the end: applied, shown, and nothing can be granted."""
    journey, path, end = await held(edge_world)
    edge_world.clock.advance(end - edge_world.clock() - timedelta(hours=1))
    act = await asked_behind_a_gap(edge_world, edge_ledger, journey, path=path)
    edge_world.clock.advance(timedelta(hours=1) + A_MINUTE)
    await ended(journey)
    await fill_the_gap(edge_world, edge_ledger, journey)
    shown = await journey.settled()
    assert (await fate(journey, edge_ledger, act))[0] == "applied"
    (hold,) = shown["holds"]
    assert (hold["state"], hold["extension_wish"]["days"]) == ("EXPIRED", 60)
    assert "EXTENSION_ASKED" not in hold["flags"]
    assert_problem(await journey.theirs().act(path, "grant_extension"), 409, "hold_ended")


async def test_asked_after_the_end_is_stale(edge_world: World, edge_ledger: Ledger) -> None:
    """Control: sent in time but first received after the end, it comes back stale with the end state."""
    journey, path, end = await held(edge_world)
    edge_world.clock.advance(end - edge_world.clock() - A_MINUTE)
    async with held_mail(edge_world, edge_ledger, to="XT"):
        wish = expect(await journey.ours().act(path, "request_extension"), 202)
        edge_world.clock.advance(2 * A_MINUTE)
        (unconfirmed,) = expect(await journey.ours().get(journey.exchange), 200)["holds"]
        there = await ended(journey)
    assert there["holds"][0]["state"] == "EXPIRED"
    assert unconfirmed["state"] == "TIMED"
    assert "ended_not_confirmed" in unconfirmed["flags"]
    shown = await journey.settled()
    assert (await fate(journey, edge_ledger, wish["act_id"]))[0] == "stale"
    assert (shown["state"], shown["holds"][0]["extension_wish"]) == ("CLOSED", None)


async def test_wish_alarms_until_it_is_granted(edge_world: World) -> None:
    """Asked in time, it stands on the hold of both desks until somebody there grants it."""
    journey, path, end = await held(edge_world)
    expect(await journey.ours().act(path, "request_extension"), 202)
    for caller in (journey.theirs(), journey.ours()):
        await journey.settled()
        assert "EXTENSION_ASKED" in expect(await caller.get(path), 200)["flags"]
        assert "EXTENSION_ASKED" in expect(await caller.get(journey.exchange), 200)["holds"][0]["flags"]
    granted = expect(await journey.theirs().act(path, "grant_extension"), 200)
    assert "EXTENSION_ASKED" not in granted["flags"]
    assert datetime.fromisoformat(granted["expires_at"]) > end


async def test_release_is_a_task_of_the_requested_side(edge_world: World) -> None:
    """Withdrawn, the hold runs on; after a day it shows OVERDUE on both sides, and only their officer ends it."""
    journey, path, _ = await held(edge_world)
    shown = await journey.wish("withdraw")
    (hold,) = shown["holds"]
    assert (shown["state"], hold["state"], hold["flags"]) == ("WITHDRAWN", "TIMED", ["releasing"])
    due = datetime.fromisoformat(hold["release_due_at"]) - datetime.fromisoformat(shown["changed_at"])
    assert due == timedelta(hours=24)
    edge_world.clock.advance(timedelta(hours=24) - A_MINUTE)
    assert (await journey.settled())["flags"] == []
    edge_world.clock.advance(2 * A_MINUTE)
    assert (await journey.settled())["flags"] == ["OVERDUE"]
    assert (await journey.settled())["holds"][0]["state"] == "TIMED"
    released = expect(await journey.theirs().act(path, "release"), 200)
    assert released["state"] == "RELEASED"
    last = await journey.settled()
    assert (last["state"], last["flags"]) == ("WITHDRAWN", [])


async def test_withdrawal_behind_a_gap_blocks_what_it_must(edge_world: World, edge_ledger: Ledger) -> None:
    """Shown at once; start, preserve, disclose and answer wait, everything else goes on; filled, it is applied."""
    journey = await preservation(edge_world, "acknowledge", "accept", **fresh(edge_world))
    async with held_mail(edge_world, edge_ledger, to="XT"):
        first = await journey.wish_only("supplement", text="One more address.")
        await journey.wish_only("withdraw")
        await edge_ledger.value("XA", HOLD_BACK, first["act_id"], edge_world.clock() + timedelta(days=1))
    look = partial(journey.theirs().get, journey.exchange)
    shown = (await seen(look, lambda answer: "WITHDRAWAL_WAITING" in answer.json()["flags"])).json()
    assert "start" not in shown["allowed_actions"]
    assert "report_progress" in shown["allowed_actions"]
    blocked = assert_problem(await journey.theirs().act(journey.exchange, "start"), 409, "action_not_allowed")
    assert blocked["reason"] == "withdrawal_waiting"
    await journey.do("report_progress", text="The order is drafted.")
    assert "withdrawal_waiting" in [line["event"] for line in await journey.timeline(journey.theirs())]
    edge_world.clock.advance(timedelta(days=1))
    await fill_the_gap(edge_world, edge_ledger, journey)
    last = await journey.settled()
    assert (last["state"], last["flags"]) == ("WITHDRAWN", [])
