"""Holds between two live contact points: more time, the follow-up request, release, loss, lifting; on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import RequestType
from tests.routers.clients import assert_problem
from tests.support.world import seen
from tests.world.documents import document
from tests.world.holding import shortfalls
from tests.world.journey import DESK_ROAD, PRESERVING, Journey, expect, filed, preservation, taken

if TYPE_CHECKING:
    from tests.support.world import World

OF_ONE_SIDE = dict.fromkeys(("allowed_actions", "tasks", "hints", "warnings", "others_on_same_data"))
"""Members in which the two sides rightly differ."""


@dataclass(frozen=True, slots=True)
class Held:
    """The one hold of a journey."""

    journey: Journey
    id: str

    @property
    def path(self) -> str:
        """Where it is, on either side."""
        return f"/v1/holds/{self.id}"

    async def do(self, action: str, *, seat: str = "duty_officer", **members: object) -> dict[str, Any]:
        """An act of the requested side that must succeed; the hold as both sides then show it."""
        expect(await self.journey.theirs(seat).act(self.path, action, **members), 200)
        return await self.settled()

    async def wish(self, action: str, **members: object) -> dict[str, Any]:
        """An act of the requesting side that must be taken and judged; the hold as both sides then show it."""
        expect(await self.journey.ours().act(self.path, action, **members), 202)
        return await self.settled()

    async def settled(self) -> dict[str, Any]:
        """The hold once both sides show the same, each under its own address too."""
        exchange = await self.journey.settled()
        (shown,) = [hold for hold in exchange["holds"] if hold["id"] == self.id]
        assert expect(await self.journey.theirs().get(self.path), 200) == shown
        here = expect(await self.journey.ours().get(self.path), 200)
        assert {**here, **OF_ONE_SIDE} == {**shown, **OF_ONE_SIDE}
        return dict(shown)


async def held(world: World) -> Held:
    """A preservation with its hold."""
    journey = await preservation(world, *PRESERVING)
    (hold,) = expect(await journey.theirs().get(journey.exchange), 200)["holds"]
    return Held(journey, hold["id"])


def days_between(start: str, end: str) -> int:
    """Whole days from one shown time to another."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).days


async def test_extension(world: World) -> None:
    """Asked for by the one side, granted by the other within its law; the end moves, and days add up."""
    hold = await held(world)
    before = await hold.settled()
    early = await hold.journey.theirs().act(hold.path, "grant_extension")
    assert assert_problem(early, 409, "action_not_allowed")["reason"] == "extension_not_asked"
    asked = await hold.wish("request_extension", days=60, text="The letter of request is at the ministry.")
    assert (asked["extension_wish"]["days"], asked["expires_at"]) == (60, before["expires_at"])
    granted = await hold.do("grant_extension")
    assert granted["extension_wish"] is None
    assert granted["days_granted"] == before["days_granted"] + 30
    assert days_between(before["expires_at"], granted["expires_at"]) == 30
    assert [one["days"] for one in granted["extensions"]] == [30]


async def test_no_extension_beyond_the_law(world: World) -> None:
    """Kitano's law gives two extensions of thirty days: more is 422 W-AVAIL, and the hold stays as it was."""
    hold = await held(world)
    for _ in range(2):
        await hold.wish("request_extension")
        await hold.do("grant_extension")
    last = await hold.wish("request_extension")
    answer = await hold.journey.theirs().act(hold.path, "grant_extension")
    assert_problem(answer, 422, "W-AVAIL")
    assert await hold.settled() == last


async def test_officer_grants_fewer_days(world: World) -> None:
    """What is granted is a person's decision: fewer days than asked, or than the law would give, move the end less."""
    hold = await held(world)
    before = await hold.settled()
    await hold.wish("request_extension", days=90)
    granted = await hold.do("grant_extension", days=10)
    assert days_between(before["expires_at"], granted["expires_at"]) == 10


async def test_claim_keeps_the_clock_running(world: World) -> None:
    """That the follow-up request was sent is a claim: it is shown, and moves no end."""
    hold = await held(world)
    before = await hold.settled()
    claimed = await hold.wish("claim_mla_sent", ca_reference="MOJ-2026-0012", date="2026-11-22")
    assert (claimed["state"], claimed["expires_at"]) == ("TIMED", before["expires_at"])
    assert (claimed["mla"]["status"], claimed["mla"]["claimed_reference"]) == ("CLAIMED_SENT", "MOJ-2026-0012")
    assert claimed["mla"]["confirm_by"] is not None


async def test_receipt_stops_the_clock(world: World) -> None:
    """Only the requested side's confirmation stops the clock: from then on there is no end (art. 29(7))."""
    hold = await held(world)
    received = await hold.do("confirm_mla_received", ca_reference="ICA-77")
    assert (received["state"], received["expires_at"]) == ("PENDING_DECISION", None)
    assert (received["mla"]["status"], received["mla"]["ca_reference"]) == ("RECEIVED", "ICA-77")
    for path, action in ((hold.path, "request_extension"), (hold.path, "grant_extension")):
        caller = hold.journey.ours() if action == "request_extension" else hold.journey.theirs()
        assert_problem(await caller.act(path, action), 409, "action_not_allowed")
    late = await hold.wish("claim_mla_sent", ca_reference="MOJ-2026-0012", date="2026-11-22")
    assert late["mla"]["status"] == "RECEIVED"
    decided = await hold.do("record_decision", text="Executed on 20 November.")
    assert (decided["state"], decided["mla"]["status"]) == ("PENDING_DECISION", "DECIDED")
    again = await hold.journey.theirs().act(hold.path, "record_decision", text="Again.")
    assert assert_problem(again, 409, "action_not_allowed")["reason"] == "already_decided"


async def test_release_by_both(world: World) -> None:
    """The requesting side lets go, the requested side releases; with its last hold the exchange is closed."""
    hold = await held(world)
    releasing = await hold.wish("release", text="The data are no longer needed.")
    assert (releasing["state"], releasing["flags"]) == ("TIMED", ["releasing"])
    assert releasing["release_due_at"] is not None
    released = await hold.do("release")
    assert (released["state"], released["end_reason"], released["flags"]) == ("RELEASED", "released", [])
    assert (await hold.journey.settled())["state"] == "CLOSED"
    answer = await hold.journey.theirs().act(hold.path, "release")
    problem = assert_problem(answer, 409, "hold_ended")
    assert problem["current"]["state"] == "RELEASED"


async def told_at_home(hold: Held, event: str) -> dict[str, Any]:
    """The one line in the timeline of the asking side by which its desk learns of it; the other side has none."""
    look = partial(hold.journey.timeline, hold.journey.ours())
    lines = await seen(look, lambda found: event in [line["event"] for line in found], seconds=20)
    (line,) = [one for one in lines if one["event"] == event]
    assert event not in [one["event"] for one in await hold.journey.timeline(hold.journey.theirs())]
    return line


async def test_loss(world: World) -> None:
    """What the provider has lost is told with its words and its time, and ends the hold."""
    hold = await held(world)
    lost = await hold.do("report_loss", text="A disk array failed.", lost_at="2026-11-21T04:00:00Z")
    assert (lost["state"], lost["end_text"]) == ("LOST", "A disk array failed.")
    assert lost["lost_at"] == "2026-11-21T04:00:00.000Z"
    assert (await hold.journey.settled())["state"] == "CLOSED"
    line = await told_at_home(hold, "hold_lost")
    assert (line["detail"]["lost_at"], line["detail"]["to"]) == (lost["lost_at"], ["duty_officer"])
    answer = await hold.journey.theirs().act(hold.path, "report_loss", text="And again.")
    assert_problem(answer, 409, "hold_ended")


async def test_lifting_by_two(world: World) -> None:
    """Lifting takes two persons; until the second the other side sees no more than a moved generation."""
    hold = await held(world)
    before, earlier = await hold.settled(), await shortfalls(world["XT"])
    proposed = await hold.do("lift", reason="COURT", text="The court of Kita annulled the order.")
    assert {**proposed, "generation": 0, "allowed_actions": []} == {**before, "generation": 0, "allowed_actions": []}
    own = await hold.journey.theirs().act(hold.path, "lift", reason="COURT")
    assert_problem(own, 403, "role_not_allowed")
    other = await hold.journey.theirs("supervisor").act(hold.path, "lift", reason="LAW")
    assert_problem(other, 422, "differs_from_proposal")
    lifted = await hold.do("lift", seat="supervisor", reason="COURT", new_request_possible=True)
    assert (lifted["state"], lifted["end_reason"], lifted["new_request_possible"]) == ("LIFTED", "COURT", True)
    assert (before["treaty_exception"], lifted["treaty_exception"]) == (False, True)
    line = await told_at_home(hold, "hold_lifted")
    assert (line["detail"]["reason"], line["detail"]["new_request"]) == ("COURT", "possible")
    for caller in (hold.journey.ours(), hold.journey.theirs()):
        counted = expect(await caller.get("/v1/holds", treaty_exception="true", limit=200), 200)["data"]
        assert hold.id in {one["id"] for one in counted}
        assert {one["state"] for one in counted} == {"LIFTED"}
    assert (await shortfalls(world["XT"]))["lifted_early", "incoming"] == 1 + earlier["lifted_early", "incoming"]


async def test_lifting_is_not_completed_by_its_author(world: World) -> None:
    """A supervisor who proposed the lifting cannot complete it."""
    hold = await held(world)
    await hold.do("lift", seat="supervisor", reason="AUTHORITY")
    answer = await hold.journey.theirs("supervisor").act(hold.path, "lift", reason="AUTHORITY")
    assert_problem(answer, 403, "four_eyes")
    assert (await hold.do("lift", seat="supervisor_2", reason="AUTHORITY"))["state"] == "LIFTED"


async def test_extension_of_another_agencys_hold(world: World) -> None:
    """An extension that names another agency's request cannot be signed, and asks for nothing."""
    hold = await held(world)
    first = expect(await hold.journey.ours().get(hold.journey.request), 200)
    more = document(RequestType.PRESERVATION, request_status="EXTENSION", previous_reference=first["reference"])
    made = await filed(world, more, seat="agency_officer_2")
    await taken(world, made["id"], *DESK_ROAD[:2])
    answer = await world["XA"].as_("supervisor").act(f"/v1/requests/{made['id']}", "sign")
    assert_problem(answer, 422, "C-MISSING")
    assert (await hold.settled())["extension_wish"] is None


@pytest.mark.parametrize("seat", ["agency_officer", "monitor", "auditor"])
async def test_holds_are_the_desks(world: World, seat: str) -> None:
    """Nobody but the desk lists or reads holds."""
    assert_problem(await world["XA"].as_(seat).get("/v1/holds"), 403, "role_not_allowed")


async def test_holds_are_listed_on_both_sides(world: World) -> None:
    """A hold is outgoing at the requesting side and incoming at the requested side, and found by state."""
    hold = await held(world)
    for caller, direction, other in (
        (hold.journey.ours(), "outgoing", "incoming"),
        (hold.journey.theirs(), "incoming", "outgoing"),
    ):
        found = expect(await caller.get("/v1/holds", direction=direction, state="TIMED", limit=200), 200)["data"]
        assert hold.id in {one["id"] for one in found}
        assert {one["state"] for one in found} == {"TIMED"}
        none = expect(await caller.get("/v1/holds", direction=other, limit=200), 200)["data"]
        assert hold.id not in {one["id"] for one in none}
