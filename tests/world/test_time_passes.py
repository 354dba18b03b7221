"""What time alone does between two contact points: holds end, exchanges close, silence shows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from app.db.engine import begin
from app.db.watched import look_at_all
from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import PRESERVING, Journey, expect, preservation, sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.world import World
    from tests.world.ledger import Ledger

DAY = timedelta(days=1)


async def shows(journey: Journey, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The exchange at the requested side, once it is so, and then both sides alike."""

    async def there() -> dict[str, Any]:
        return dict((await journey.theirs().get(journey.exchange)).json())

    await seen(there, holds)
    return await journey.settled()


def fresh(world: World) -> dict[str, Any]:
    """A preservation whose times lie right before the world's present."""
    now = world.clock()
    made = document(RequestType.PRESERVATION, requested_period_days=60)
    start, end = ((now - timedelta(hours=hours)).isoformat() for hours in (5, 3))
    made["targets"][0]["interval"] = {"start": start, "end": end}
    made["targets"][0]["observations"][0]["at"] = start
    return made


async def held(world: World) -> tuple[Journey, dict[str, Any]]:
    """A preservation with a hold of sixty days, and the hold."""
    journey = await preservation(world, *PRESERVING, **fresh(world))
    (hold,) = (await journey.settled())["holds"]
    assert hold["days_granted"] == 60
    return journey, hold


async def test_hold_ends_by_itself(ageing_world: World) -> None:
    """Past its end a hold is EXPIRED on both sides and the exchange CLOSED; nothing brings it back."""
    journey, hold = await held(ageing_world)
    end = datetime.fromisoformat(hold["expires_at"])
    expect(await journey.ours().act(f"/v1/holds/{hold['id']}", "request_extension"), 202)
    await journey.settled()
    ageing_world.clock.advance(end - ageing_world.clock() - timedelta(minutes=5))
    (still,) = (await journey.settled())["holds"]
    assert (still["state"], still["flags"]) == ("TIMED", ["EXPIRING", "EXTENSION_ASKED"])
    ageing_world.clock.advance(timedelta(minutes=6))
    grant = await journey.theirs().act(f"/v1/holds/{hold['id']}", "grant_extension")
    assert grant.status_code == 409
    ended = await shows(journey, lambda exchange: exchange["state"] == "CLOSED")
    (expired,) = ended["holds"]
    assert (expired["state"], expired["expires_at"]) == ("EXPIRED", hold["expires_at"])
    for caller, action in ((journey.theirs(), "grant_extension"), (journey.ours(), "request_extension")):
        assert_problem(await caller.act(f"/v1/holds/{hold['id']}", action), 409, "hold_ended")
    late = await journey.ours().act(
        f"/v1/holds/{hold['id']}", "claim_mla_sent", ca_reference="MOJ-1", date="2027-01-20"
    )
    expect(late, 202)
    told = (await journey.settled())["holds"][0]
    assert (told["state"], told["mla"]["claimed_reference"]) == ("EXPIRED", "MOJ-1")


async def test_end_without_news_is_not_confirmed(ageing_world: World) -> None:
    """Past the end and without news the requesting side says "ended, not confirmed", and nothing more."""
    journey, hold = await held(ageing_world)
    ageing_world.bus.pause("XT")
    try:
        end = datetime.fromisoformat(hold["expires_at"])
        ageing_world.clock.advance(end - ageing_world.clock() + timedelta(minutes=1))
        (seen_here,) = expect(await journey.ours().get(journey.exchange), 200)["holds"]
        assert (seen_here["state"], seen_here["flags"]) == ("TIMED", ["ended_not_confirmed"])
        (seen_there,) = expect(await journey.theirs().get(journey.exchange), 200)["holds"]
        assert seen_there["state"] == "EXPIRED"
    finally:
        ageing_world.bus.resume("XT")
        ageing_world.clock.advance(timedelta(minutes=2))
    ended = await shows(journey, lambda exchange: exchange["state"] == "CLOSED")
    assert ended["holds"][0]["state"] == "EXPIRED"


async def test_pending_decision_has_no_end(ageing_world: World) -> None:
    """With the follow-up request received nothing ends by itself; after the decision it does, fourteen days later."""
    journey, hold = await held(ageing_world)
    path = f"/v1/holds/{hold['id']}"
    expect(await journey.theirs().act(path, "confirm_mla_received", ca_reference="ICA-77"), 200)
    end = datetime.fromisoformat(hold["expires_at"])
    ageing_world.clock.advance(end - ageing_world.clock() + 2 * DAY)
    (pending,) = (await journey.settled())["holds"]
    assert (pending["state"], pending["expires_at"], pending["flags"]) == ("PENDING_DECISION", None, [])
    expect(await journey.theirs().act(path, "record_decision", text="Executed."), 200)
    ageing_world.clock.advance(13 * DAY)
    (graced,) = (await journey.settled())["holds"]
    assert graced["state"] == "PENDING_DECISION"
    ageing_world.clock.advance(DAY + timedelta(minutes=1))
    ended = await shows(journey, lambda exchange: exchange["state"] == "CLOSED")
    assert ended["holds"][0]["state"] == "RELEASED"


async def test_undeliverable_is_not_an_end(ageing_world: World, ageing_ledger: Ledger) -> None:
    """Undelivered for four hours an urgent request shows it, still DISPATCHED; delivered late, the mark goes."""
    ageing_world.bus.pause("XT")
    try:
        journey = await sent(ageing_world, fresh(ageing_world))
        shown = expect(await journey.ours().get(journey.exchange), 200)
        assert (shown["state"], shown["generation"], shown["flags"]) == ("DISPATCHED", 0, [])
        ageing_world.clock.advance(timedelta(hours=4, minutes=1))

        async def here() -> dict[str, Any]:
            return dict((await journey.ours().get(journey.exchange)).json())

        marked = await seen(here, lambda exchange: exchange["flags"] == ["UNDELIVERABLE"])
        assert marked["state"] == "DISPATCHED"
        assert "withdraw" in marked["allowed_actions"]

        async def alarms() -> list[dict[str, Any]]:
            query = "SELECT agency_id FROM event WHERE subject_id = $1 AND kind = 'exchange.undeliverable'"
            return await ageing_ledger.rows("XA", query, journey.exchange_id)

        await seen(alarms, lambda found: found == [{"agency_id": "federal-police-cyber"}])
    finally:
        ageing_world.bus.resume("XT")
        ageing_world.clock.advance(timedelta(minutes=2))
    await seen(lambda: journey.theirs().get(journey.exchange), lambda answer: answer.status_code == 200)
    late = await journey.settled()
    assert (late["state"], late["flags"]) == ("DELIVERED", ["late"])
    await journey.do(*PRESERVING)
    assert (await journey.settled())["state"] == "PRESERVED"


async def test_answered_and_left_closes(ageing_world: World) -> None:
    """A question that was answered and is left alone closes by itself after thirty days (X27)."""
    made = document(RequestType.TECHNICAL_ADVICE, requested="XT")
    journey = await sent(ageing_world, made)
    await seen(lambda: journey.theirs().get(journey.exchange), lambda answer: answer.status_code == 200)
    await journey.do("acknowledge")
    await journey.do("answer", text="Twelve months.")
    await journey.settled()
    ageing_world.clock.advance(30 * DAY + timedelta(minutes=1))
    closed = await shows(journey, lambda exchange: exchange["state"] == "CLOSED")
    assert closed["details"]["reason"] == "closed_by_itself"


async def test_silence_counts_after_twice_the_term(ageing_world: World) -> None:
    """A question left unanswered is reminded of after its term; after twice it may end, by a person and not before."""
    journey = await preservation(ageing_world, "acknowledge", **fresh(ageing_world))
    await journey.do("ask", codes=["C-VAGUE"], text="Which of the two accounts?")
    ageing_world.clock.advance(timedelta(hours=47))
    reminded = await shows(journey, lambda exchange: exchange["details"]["question"]["reminded_at"] is not None)
    assert reminded["state"] == "CLARIFICATION"
    early = await journey.theirs().act(journey.exchange, "not_executable", code="N-NOANSWER")
    assert assert_problem(early, 409, "action_not_allowed")["reason"] == "answer_not_overdue"
    ageing_world.clock.advance(timedelta(hours=1, minutes=1))
    await journey.do("not_executable", code="N-NOANSWER")
    assert (await journey.settled())["details"]["reason"] == "N-NOANSWER"


async def test_question_of_a_release_that_reminded_nobody(ageing_world: World) -> None:
    """What an earlier release asked without a timer is looked at when this one starts: its silence counts as well."""
    journey = await preservation(ageing_world, "acknowledge", **fresh(ageing_world))
    await journey.do("ask", codes=["C-VAGUE"], text="Which of the two accounts?")
    await journey.settled()
    there = ageing_world[journey.requested].runtime
    async with begin(there.chores) as session:
        await session.execute(text("UPDATE exchange SET due_at = NULL WHERE id = :id"), {"id": journey.exchange_id})
    ageing_world.clock.advance(timedelta(hours=49))
    unheard = await journey.theirs().act(journey.exchange, "not_executable", code="N-NOANSWER")
    assert assert_problem(unheard, 409, "action_not_allowed")["reason"] == "not_reminded"
    async with begin(there.chores) as session:
        await look_at_all(session, now=ageing_world.clock())
    await shows(journey, lambda exchange: exchange["details"]["question"]["reminded_at"] is not None)
    await journey.do("not_executable", code="N-NOANSWER")
    assert (await journey.settled())["details"]["reason"] == "N-NOANSWER"
