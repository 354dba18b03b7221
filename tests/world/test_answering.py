"""Machine M2 between two live contact points: questions for advice, conditions, referral, tiers and the end."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from app.domain.codes import RequestType
from app.domain.documents import example
from tests.routers.clients import assert_problem
from tests.world.journey import PRESERVING, advice, expect, preservation

if TYPE_CHECKING:
    from tests.support.world import World
    from tests.world.journey import Journey
    from tests.world.ledger import Ledger

ANSWER = "Twelve months; the public prosecutor orders their preservation."
CONDITION = {"text": "For this investigation only.", "kind": "NO_OTHER_USE"}
LANES = "SELECT type, lane FROM outbox WHERE thread = $1 ORDER BY id"


async def lanes(journey: Journey, ledger: Ledger, code: str) -> list[tuple[str, str]]:
    """Type and lane of everything that a contact point sent in the thread, oldest first."""
    return [(row["type"], row["lane"]) for row in await ledger.rows(code, LANES, journey.exchange_id)]


async def test_advice_is_answered_and_closed(world: World) -> None:
    """The answer reaches the agency in words, and the requesting side's duty officer closes (X27)."""
    journey = await advice(world, "acknowledge")
    assert (await journey.do("answer", text=ANSWER))["state"] == "ANSWERED"
    shown = await journey.settled()
    assert shown["holds"] == []
    part = expect(await journey.ours("agency_officer").get(journey.request), 200)["exchange"]
    assert [one["text"] for one in part["answers"]] == [ANSWER]
    assert_problem(await journey.theirs().act(journey.exchange, "close"), 409, "action_not_allowed")
    closed = await journey.wish("close")
    assert (closed["state"], closed["details"]["reason"]) == ("CLOSED", "done")


async def test_condition_accepted_binds(world: World) -> None:
    """Only a supervisor accepts a condition; accepted, it stays attached, and the answer may be given."""
    journey = await advice(world, "acknowledge")
    assert (await journey.do("propose_conditions", **CONDITION))["state"] == "CONDITIONS"
    await journey.settled()
    refused = await journey.ours().act(journey.exchange, "accept_condition")
    assert_problem(refused, 403, "role_not_allowed")
    shown = await journey.wish("accept_condition", seat="supervisor")
    assert (shown["state"], shown["details"]["condition"]) == ("ACCEPTED", None)
    (bound,) = shown["details"]["accepted_conditions"]
    assert (bound["text"], bound["kind"]) == tuple(CONDITION.values())
    await journey.do("start")
    await journey.do("answer", text=ANSWER)
    answered = await journey.settled()
    assert answered["details"]["accepted_conditions"] == [bound]


async def test_condition_declined(world: World) -> None:
    """Who cannot comply says so; the other side decides anew, and nothing binds."""
    journey = await advice(world, "acknowledge")
    await journey.do("propose_conditions", **CONDITION)
    await journey.settled()
    shown = await journey.wish("decline_condition", seat="supervisor", text="Our courts must see it.")
    assert shown["state"] == "ACKNOWLEDGED"
    assert shown["details"]["condition"] is None
    assert shown["details"]["accepted_conditions"] == []


async def test_condition_is_named(world: World) -> None:
    """An acceptance that names another condition than the open one is 422 at that member."""
    journey = await advice(world, "acknowledge")
    await journey.do("propose_conditions", **CONDITION)
    await journey.settled()
    answer = await journey.ours("supervisor").act(
        journey.exchange, "accept_condition", condition_id=journey.exchange_id
    )
    problem = assert_problem(answer, 422, "not_open")
    assert [one["pointer"] for one in problem["errors"]] == ["/condition_id"]


async def test_referred_and_closed(world: World) -> None:
    """Handed to the competent authority, it is closed by the side that referred it, which may name a reference."""
    journey = await advice(world, "acknowledge")
    await journey.do("refer", authority="Public prosecutor of Sahran", contact="+999 02 555 010")
    assert (await journey.settled())["state"] == "REFERRED"
    assert_problem(await journey.ours().act(journey.exchange, "close"), 409, "action_not_allowed")
    await journey.do("close", reference="PP-2026-771")
    shown = await journey.settled()
    assert (shown["state"], shown["details"]["reason"]) == ("CLOSED", "continued_outside")
    assert shown["details"]["referred_to"]["reference"] == "PP-2026-771"


async def test_referred_and_relayed(world: World) -> None:
    """A referred request that is taken up again goes on as one in execution."""
    journey = await preservation(world, "acknowledge")
    await journey.do("refer", authority="Public prosecutor of Kitano")
    await journey.do("start", "preserve")
    assert (await journey.settled())["state"] == "PRESERVED"


async def test_raised_tier_takes_the_urgent_lane(world: World, ledger: Ledger) -> None:
    """A routine question becomes urgent: the act that says so and everything after it travel on the urgent lane."""
    journey = await advice(world, "acknowledge")
    before = await lanes(journey, ledger, "XS")
    assert {lane for _, lane in before} == {"routine"}
    shown = await journey.wish("raise_tier", tier="URGENT", reasons="The shop closes tonight.")
    assert shown["tier"] == "URGENT"
    assert (shown["state"], shown["details"]["tier_changes"][0]["tier"]) == ("ACKNOWLEDGED", "URGENT")
    assert (await lanes(journey, ledger, "XA"))[-1] == ("exchange.action/1", "urgent")
    await journey.do("answer", text=ANSWER)
    await journey.settled()
    assert {lane for _, lane in (await lanes(journey, ledger, "XS"))[len(before) :]} == {"urgent"}
    lower = await journey.ours().act(journey.exchange, "raise_tier", tier="ROUTINE", reasons="It can wait.")
    assert assert_problem(lower, 422, "tier_not_higher")["errors"][0]["pointer"] == "/tier"


async def test_emergency_that_is_none(world: World) -> None:
    """The requested side takes an emergency for what it is, names the alternatives, and it goes on as urgent."""
    emergency = example(RequestType.EMERGENCY_DISCLOSURE)["emergency"]
    urgency = {"tier": "EMERGENCY", "reasons": "The abductor set a deadline."}
    journey = await preservation(world, "acknowledge", urgency=urgency, emergency=emergency)
    assert (await journey.settled())["tier"] == "EMERGENCY"
    await journey.do("downgrade", alternatives="Preservation within the day.")
    shown = await journey.settled()
    assert (shown["tier"], shown["state"]) == ("URGENT", "ACKNOWLEDGED")
    assert shown["details"]["tier_changes"][0]["code"] == "E-NOTEMERGENCY"
    again = await journey.theirs().act(journey.exchange, "downgrade", alternatives="None.")
    assert assert_problem(again, 409, "action_not_allowed")["reason"] == "not_an_emergency"
    await journey.do("accept", "start", "preserve")
    assert (await journey.settled())["state"] == "PRESERVED"


async def test_withdrawn_before_anybody_took_it(world: World) -> None:
    """A request can be withdrawn at once; no person abroad is left with work."""
    journey = await preservation(world)
    shown = await journey.wish("withdraw", reasons="Filed twice.")
    assert (shown["state"], shown["details"]["reason_text"]) == ("WITHDRAWN", "Filed twice.")
    assert shown["allowed_actions"] == ["report_progress", "request_onward_transfer"]
    assert_problem(await journey.theirs().act(journey.exchange, "acknowledge"), 409, "action_not_allowed")


async def test_withdrawn_with_a_hold(world: World) -> None:
    """The hold is to be released within a day, its clock runs on, and only the requested side's release ends it."""
    journey = await preservation(world, *PRESERVING)
    (held,) = (await journey.settled())["holds"]
    hold = f"/v1/holds/{held['id']}"
    early = await journey.theirs().act(hold, "release")
    assert assert_problem(early, 409, "action_not_allowed")["reason"] == "not_releasing"
    shown = await journey.wish("withdraw", reasons="The suspect was arrested.")
    assert shown["state"] == "WITHDRAWN"
    (releasing,) = shown["holds"]
    assert (releasing["state"], releasing["flags"]) == ("TIMED", ["releasing"])
    assert releasing["expires_at"] == held["expires_at"]
    assert hours_between(shown["changed_at"], releasing["release_due_at"]) == 24
    expect(await journey.ours().act(hold, "release", text="Please."), 202)
    (still,) = (await journey.settled())["holds"]
    assert still["state"] == "TIMED"
    expect(await journey.theirs().act(hold, "release"), 200)
    ended = await journey.settled()
    assert (ended["state"], ended["holds"][0]["state"], ended["holds"][0]["end_reason"]) == (
        "WITHDRAWN",
        "RELEASED",
        "released",
    )


def hours_between(start: str, end: str) -> float:
    """Hours from one shown time to another."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 3600


async def test_wish_that_the_replica_rules_out(world: World) -> None:
    """A wish for which the last snapshot has no row is 409 at home, and is not sent."""
    journey = await preservation(world, "acknowledge")
    for action in ("proceed", "stop", "accept_condition", "decline_condition", "close"):
        answer = await journey.ours("supervisor").act(journey.exchange, action)
        assert_problem(answer, 409, "action_not_allowed")
    assert (await journey.settled())["generation"] == 2
