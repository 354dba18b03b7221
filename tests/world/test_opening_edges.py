"""Openings that do not begin an exchange: withdrawn on the way, expired, or under an id that was noted for another."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.support.emergency import EMERGENCY
from tests.support.world import seen
from tests.world.journey import ALIKE, Journey, expect, sent
from tests.world.mail import held_mail
from tests.world.test_crossing import fate, silence
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.ledger import Ledger

MONTH = timedelta(days=30, minutes=1)
"""After which an opening is no longer acted on."""

REST = timedelta(hours=2)
"""Longer than a way that let nothing out is ever left alone."""


async def here(journey: Journey, **members: object) -> dict[str, Any]:
    """The exchange at the requesting side, once these members are so."""

    async def look() -> dict[str, Any]:
        return dict((await journey.ours().get(journey.exchange)).json())

    return await seen(look, lambda shown: all(shown.get(name) == value for name, value in members.items()))


async def lines(journey: Journey, *, at: str) -> list[str]:
    """The events of the exchange's timeline at one side."""
    caller = journey.ours() if at == journey.requesting else journey.theirs()
    return [line["event"] for line in await journey.timeline(caller)]


async def feed(ledger: Ledger, code: str, exchange_id: str) -> list[str]:
    """What the feed of a contact point has told about an exchange."""
    query = "SELECT kind FROM event WHERE subject_id = $1 ORDER BY id"
    return [row["kind"] for row in await ledger.rows(code, query, exchange_id)]


async def test_withdrawn_on_the_way_is_born_withdrawn(edge_world: World, edge_ledger: Ledger) -> None:
    """Opening and withdrawal together: WITHDRAWN in the first generation, and nobody is ever told of work."""
    async with held_mail(edge_world, edge_ledger, to="XT"):
        journey = await sent(edge_world, fresh(edge_world))
        act = await journey.wish_only("withdraw", reasons="Filed twice.")
    ended = await here(journey, state="WITHDRAWN", under_way=[])
    assert (ended["generation"], ended["details"]["reason_text"]) == (1, "Filed twice.")
    assert (await journey.settled())["generation"] == 1
    assert await fate(journey, edge_ledger, act["act_id"]) == ("applied", "exchange.withdraw_applied")
    assert await feed(edge_ledger, "XT", journey.exchange_id) == ["exchange.arrived_withdrawn", "exchange.withdraw"]
    told = await lines(journey, at="XT")
    assert "delivered" not in told
    query = "SELECT count(*) FROM outbox WHERE thread = $1"
    assert await edge_ledger.value("XT", query, journey.exchange_id) == 1, "the thread was answered more than once"
    open_work = expect(await journey.theirs().get("/v1/exchanges", state="DELIVERED"), 200)["data"]
    assert journey.exchange_id not in {exchange["id"] for exchange in open_work}
    shown = expect(await journey.theirs().get(journey.exchange), 200)
    assert "acknowledge" not in shown["allowed_actions"]


async def test_without_withdrawal_it_is_work(edge_world: World, edge_ledger: Ledger) -> None:
    """Control: the same silence, nothing withdrawn: the desk is told of a delivery."""
    with silence(edge_world, "XT"):
        journey = await sent(edge_world, fresh(edge_world))
        await journey.wish_only("supplement", text="One more address.")
    assert (await journey.settled())["state"] == "DELIVERED"
    assert (await feed(edge_ledger, "XT", journey.exchange_id))[0] == "exchange.delivered"


async def test_what_was_said_before_the_withdrawal_is_kept(edge_world: World, edge_ledger: Ledger) -> None:
    """Between the two lie a supplement and a raised tier: born WITHDRAWN, the one is kept, the other comes late."""
    async with held_mail(edge_world, edge_ledger, to="XT"):
        journey = await sent(edge_world, fresh(edge_world))
        more = await journey.wish_only("supplement", text="One more address.")
        hurry = await journey.wish_only("raise_tier", **EMERGENCY)
        gone = await journey.wish_only("withdraw")
    ended = await here(journey, state="WITHDRAWN", under_way=[])
    assert [fact["text"] for fact in ended["details"]["late_facts"]] == ["One more address."]
    fates = [(await fate(journey, edge_ledger, act["act_id"]))[0] for act in (more, hurry, gone)]
    assert fates == ["applied", "stale", "applied"]
    assert "exchange.delivered" not in await feed(edge_ledger, "XT", journey.exchange_id)


async def test_withdrawal_that_came_first_waits_for_its_opening(edge_world: World, edge_ledger: Ledger) -> None:
    """The withdrawal arrives and is held, the opening long after it: born WITHDRAWN all the same."""
    async with held_mail(edge_world, edge_ledger, to="XT"):
        journey = await sent(edge_world, fresh(edge_world))
        await journey.wish_only("withdraw")
        await _hold_back(edge_ledger, journey, until=edge_world.clock() + timedelta(minutes=30))
    query = "SELECT seq, state FROM inbox WHERE thread = $1"
    look = partial(edge_ledger.rows, "XT", query, journey.exchange_id)
    waiting = await seen(look, bool)
    assert [tuple(row.values()) for row in waiting] == [(2, "held")]
    assert (await journey.theirs().get(journey.exchange)).status_code == 404
    edge_world.clock.advance(timedelta(minutes=30))
    ended = await here(journey, state="WITHDRAWN", under_way=[])
    assert ended["generation"] == 1
    assert "exchange.delivered" not in await feed(edge_ledger, "XT", journey.exchange_id)


async def test_withdrawal_behind_a_gap_is_known_at_birth(edge_world: World, edge_ledger: Ledger) -> None:
    """It was held before there was an exchange, and a number is missing before it: delivered, shown, and blocked."""
    async with held_mail(edge_world, edge_ledger, to="XT"):
        journey = await sent(edge_world, fresh(edge_world))
        missing = await journey.wish_only("supplement", text="One more address.")
        await journey.wish_only("withdraw")
        await _hold_back(edge_ledger, journey, until=edge_world.clock() + timedelta(minutes=30))
        far = "UPDATE outbox SET next_at = $2, began_at = $2 WHERE jti::text = $1 RETURNING 1"
        await edge_ledger.value("XA", far, missing["act_id"], edge_world.clock() + timedelta(days=2))
    query = "SELECT seq FROM inbox WHERE thread = $1 AND state = 'held'"
    await seen(partial(edge_ledger.value, "XT", query, journey.exchange_id), lambda seq: seq == 3)
    edge_world.clock.advance(timedelta(minutes=30))
    look = partial(journey.theirs().get, journey.exchange)
    shown = (await seen(look, lambda answer: answer.status_code == 200)).json()
    assert (shown["state"], shown["flags"]) == ("DELIVERED", ["WITHDRAWAL_WAITING"])
    assert {"exchange.delivered", "exchange.withdrawal_waiting"} <= set(
        await feed(edge_ledger, "XT", journey.exchange_id)
    )
    edge_world.clock.advance(timedelta(days=2))
    ended = await here(journey, state="WITHDRAWN", under_way=[])
    assert ended["generation"] == 3
    await journey.settled()


async def _hold_back(ledger: Ledger, journey: Journey, *, until: datetime) -> None:
    """Let the opening wait, whatever asks for it: its receiver's request for what is missing is overtaken too."""
    held = "UPDATE outbox SET next_at = $2, began_at = $2 WHERE thread = $1 AND seq = 1 RETURNING 1"
    assert await ledger.value(journey.requesting, held, journey.exchange_id, until)


async def test_expired_opening_is_answered(edge_world: World, edge_ledger: Ledger) -> None:
    """A month late: the number is consumed, the thread answers CLOSED `not_opened:expired`, and acts are stale."""
    with silence(edge_world, "XT"):
        journey = await sent(edge_world, fresh(edge_world))
        act = await journey.wish_only("supplement", text="One more address.")
        edge_world.clock.advance(MONTH)
    edge_world.clock.advance(REST)
    ended = await here(journey, state="CLOSED", under_way=[])
    assert (ended["generation"], ended["details"]["reason"]) == (1, "not_opened:expired")
    assert "UNDELIVERABLE" not in ended["flags"]
    assert (await fate(journey, edge_ledger, act["act_id"]))[0] == "stale"
    query = "SELECT seq, state FROM inbox WHERE thread = $1 ORDER BY seq"
    rows = [tuple(row.values()) for row in await edge_ledger.rows("XT", query, journey.exchange_id)]
    assert rows == [(1, "expired"), (2, "stale")]
    assert "exchange.delivered" not in await feed(edge_ledger, "XT", journey.exchange_id)
    there = expect(await journey.theirs().get(journey.exchange), 200)
    assert {name: there[name] for name in ALIKE} == {name: ended[name] for name in ALIKE}


async def _receipted(ledger: Ledger, journey: Journey) -> None:
    """Wait until the requesting side waits for no receipt in the thread of this exchange."""
    query = "SELECT count(*) FROM outbox WHERE thread = $1 AND left_at IS NULL"
    await seen(partial(ledger.value, "XA", query, journey.exchange_id), lambda waiting: waiting == 0)


async def test_late_copy_of_an_expired_opening_is_receipted_again(edge_world: World, edge_ledger: Ledger) -> None:
    """The receipt of an expired opening is lost: the next copy is a duplicate, receipted, and changes nothing."""
    with silence(edge_world, "XT"):
        journey = await sent(edge_world, fresh(edge_world))
        edge_world.clock.advance(MONTH)
    edge_world.clock.advance(REST)
    await here(journey, state="CLOSED")
    await _receipted(edge_ledger, journey)
    again = "UPDATE outbox SET left_at = NULL, left_by = NULL, receipted_at = NULL, receipt_status = NULL, next_at = $2"
    where = " WHERE thread = $1 AND type = 'exchange.open/1' RETURNING 1"
    assert await edge_ledger.value("XA", again + where, journey.exchange_id, edge_world.clock())
    query = "SELECT duplicates, state FROM inbox WHERE thread = $1 AND seq = 1"

    edge_world["XA"].runtime.wake.ring()
    look = partial(edge_ledger.rows, "XT", query, journey.exchange_id)
    await seen(look, lambda found: found[0]["duplicates"] > 0)
    await _receipted(edge_ledger, journey)
    assert {row["state"] for row in await look()} == {"expired"}
    assert (await here(journey, state="CLOSED"))["generation"] == 1


async def test_call_noted_under_the_wrong_code(edge_world: World, edge_ledger: Ledger) -> None:
    """The real opening is refused and its sender told so, in its own thread and from its own words alone.

    Nothing of what was noted for the other code leaves, and nothing of it changes.
    """
    with silence(edge_world, "XT"):
        journey = await sent(edge_world, fresh(edge_world))
        call = {"requesting": "XS", "type": "PRESERVATION", "noted": "A caller from Sahran, misheard."}
        noted = expect(await journey.theirs().post("/v1/exchanges", {"exchange_id": journey.exchange_id, **call}), 201)
        act = await journey.wish_only("supplement", text="One more address.")
    ended = await here(journey, state="CLOSED", under_way=[])
    assert (ended["generation"], ended["details"]["reason"]) == (1, "not_opened:refused")
    assert "UNDELIVERABLE" not in ended["flags"]
    assert "misheard" not in str(ended)
    assert (await fate(journey, edge_ledger, act["act_id"]))[0] == "stale"
    shown = expect(await journey.theirs().get(journey.exchange), 200)
    assert {name: shown[name] for name in ALIKE} == {name: noted[name] for name in ALIKE}
    assert (shown["requesting"], shown["state"], shown["flags"]) == ("XS", "DELIVERED", ["noted"])
    query = "SELECT count(*) FROM exchange WHERE id::text = $1"
    assert await edge_ledger.value("XT", query, journey.exchange_id) == 1
    assert (await lines(journey, at="XT")).count("opening_refused") == 1
    late = await journey.ours().act(journey.exchange, "supplement", text="And another one.")
    expect(late, 202)
    again = await here(journey, state="CLOSED", under_way=[])
    assert again["generation"] == 1
    assert (await fate(journey, edge_ledger, late.json()["act_id"]))[0] == "stale"


async def test_call_noted_under_the_right_code_attaches(edge_world: World) -> None:
    """Control: noted for the code that really opens, the exchange goes on, whatever type was understood."""
    with silence(edge_world, "XT"):
        journey = await sent(edge_world, fresh(edge_world))
        call = {"requesting": "XA", "type": "TECHNICAL_ADVICE", "noted": "Something about logs."}
        expect(await journey.theirs().post("/v1/exchanges", {"exchange_id": journey.exchange_id, **call}), 201)
    look = partial(journey.theirs().get, journey.exchange)
    await seen(look, lambda answer: "noted" not in answer.json()["flags"])
    shown = await journey.settled()
    assert (shown["state"], shown["type"], shown["generation"]) == ("DELIVERED", "PRESERVATION", 2)
