"""One case on its way between two contact points, seen and acted on from both sides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType
from tests.support.world import seen
from tests.world.documents import document

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from tests.support.world import Caller, World

DESK_ROAD = (("duty_officer", "open"), ("duty_officer", "approve"), ("supervisor", "sign"))
PRESERVING = ("acknowledge", "accept", "start", "preserve")

ALIKE = (
    "id",
    "requesting",
    "requested",
    "type",
    "tier",
    "state",
    "generation",
    "request_reference",
    "opened_at",
    "changed_at",
    "b_reference",
    "next_update_at",
    "instrument",
    "details",
    "document",
)
"""Members of an exchange that both desks must show alike once nothing is under way."""

HOLD_ALIKE = (
    "id",
    "exchange_id",
    "state",
    "generation",
    "preserved_at",
    "days_granted",
    "expires_at",
    "targets",
    "mla",
)


def expect(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    """The body of an answer that must have one of these statuses."""
    assert answer.status_code in statuses, f"{answer.status_code}: {answer.text}"
    body: dict[str, Any] = answer.json()
    return body


@dataclass(frozen=True, slots=True)
class Journey:
    """A signed request: the request at home, and the exchange that both sides have."""

    world: World
    request_id: str
    exchange_id: str
    requested: str
    requesting: str = "XA"

    @property
    def request(self) -> str:
        """Where the request is."""
        return f"/v1/requests/{self.request_id}"

    @property
    def exchange(self) -> str:
        """Where the exchange is, on either side."""
        return f"/v1/exchanges/{self.exchange_id}"

    def ours(self, seat: str = "duty_officer") -> Caller:
        """A person at the requesting side."""
        return self.world[self.requesting].as_(seat)

    def theirs(self, seat: str = "duty_officer") -> Caller:
        """A person at the requested side."""
        return self.world[self.requested].as_(seat)

    async def do(self, *actions: str, seat: str = "duty_officer", **members: object) -> dict[str, Any]:
        """Acts of the requested side that must succeed; the exchange after the last, as that side shows it."""
        caller = self.theirs(seat)
        shown: dict[str, Any] = {}
        for action in actions:
            shown = shown or expect(await caller.get(self.exchange), 200)
            act = {"action": action, "generation": shown["generation"], **members}
            shown = expect(await caller.post(f"{self.exchange}/actions", act), 200)
        return shown

    async def wish(self, action: str, *, seat: str = "duty_officer", **members: object) -> dict[str, Any]:
        """An act of the requesting side that must be taken, and judged, after which both sides show the same."""
        expect(await self.ours(seat).act(self.exchange, action, **members), 202)
        return await self.settled()

    async def wish_only(self, action: str, *, seat: str = "duty_officer", **members: object) -> dict[str, Any]:
        """An act of the requesting side that must be taken; it may be long on its way."""
        return expect(await self.ours(seat).act(self.exchange, action, **members), 202)

    async def settled(self) -> dict[str, Any]:
        """Wait until nothing is under way and both sides show the same; the exchange as the requested side shows it."""
        there, here = await seen(self._both, lambda pair: _are_alike(*pair))
        assert here["direction"] == "outgoing"
        assert there["direction"] == "incoming"
        assert here["under_way"] == there["under_way"] == []
        assert here["flags"] == there["flags"], "the two sides show different flags"
        for ours, theirs in zip(here["holds"], there["holds"], strict=True):
            assert {name: ours[name] for name in HOLD_ALIKE} == {name: theirs[name] for name in HOLD_ALIKE}
        await self._agency_sees(there)
        return dict(there)

    async def _agency_sees(self, exchange: Mapping[str, Any]) -> None:
        """The agency reads its part of what the desks see."""
        part = (expect(await self.ours("agency_officer").get(self.request), 200))["exchange"]
        for name in ("id", "state", "generation", "tier", "b_reference", "instrument"):
            assert part[name] == exchange[name], f"the agency sees another {name}"
        assert [hold["id"] for hold in part["holds"]] == [hold["id"] for hold in exchange["holds"]]

    async def _both(self) -> tuple[dict[str, Any], dict[str, Any]]:
        there = await self.theirs().get(self.exchange)
        here = await self.ours().get(self.exchange)
        return there.json(), here.json()

    async def timeline(self, caller: Caller) -> list[dict[str, Any]]:
        """The exchange's timeline as this person reads it."""
        lines: list[dict[str, Any]] = (expect(await caller.get(f"{self.exchange}/timeline"), 200))["data"]
        return lines


def _are_alike(there: Mapping[str, Any], here: Mapping[str, Any]) -> bool:
    return all(name in there and there[name] == here.get(name) for name in ALIKE) and here["under_way"] == []


async def filed(world: World, made: Mapping[str, Any], *, seat: str = "agency_officer") -> dict[str, Any]:
    """A request filed at XA that must be taken."""
    return expect(await world["XA"].as_(seat).post("/v1/requests", made), 201)


async def taken(world: World, request_id: str, *acts: tuple[str, str]) -> dict[str, Any]:
    """The request after these acts of (seat, action) at XA, which must all succeed."""
    shown: dict[str, Any] = {}
    for seat, action in acts:
        shown = expect(await world["XA"].as_(seat).act(f"/v1/requests/{request_id}", action), 200)
    return shown


async def sent(world: World, made: Mapping[str, Any], *, seat: str = "agency_officer") -> Journey:
    """A request filed and signed at XA; it may or may not have arrived."""
    request = await filed(world, made, seat=seat)
    signed = await taken(world, request["id"], *DESK_ROAD)
    return Journey(world, request["id"], signed["exchange_id"], signed["requested"])


async def delivered(world: World, made: Mapping[str, Any]) -> Journey:
    """The same, once it has arrived."""
    journey = await sent(world, made)
    await seen(partial(journey.theirs().get, journey.exchange), lambda answer: answer.status_code == 200)
    return journey


async def preservation(world: World, *acts: str, **members: object) -> Journey:
    """A preservation delivered to XT, on which XT's duty officer then did these acts; both sides show the same."""
    journey = await delivered(world, document(RequestType.PRESERVATION, **members))
    await journey.do(*acts)
    await journey.settled()
    return journey


async def advice(world: World, *acts: str, **members: object) -> Journey:
    """A question for advice delivered to XS, on which XS's duty officer then did these acts; both show the same."""
    journey = await delivered(world, document(RequestType.TECHNICAL_ADVICE, **members))
    await journey.do(*acts)
    await journey.settled()
    return journey
