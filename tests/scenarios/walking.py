"""Walking rows of both tables between living nodes: each step is offered, done, shown on both sides, and counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.domain.codes import RequestType, State
from app.domain.exchange_codes import Side
from tests.domain.exchange.oracle import leaving, rows_for
from tests.routers.clients import assert_problem
from tests.support.world import seen
from tests.world.journey import Journey, expect

if TYPE_CHECKING:
    from tests.support.world import Caller


@dataclass
class Walk:
    """One exchange on its way; `walked` are the rows, of both tables, that it went along; `refused` what it tried."""

    journey: Journey
    walked: list[str] = field(default_factory=list)
    refused: int = 0

    @property
    def path(self) -> str:
        """The exchange."""
        return self.journey.exchange

    async def there(self, seat: str = "duty_officer") -> dict[str, Any]:
        """The exchange at the requested side."""
        return expect(await self.journey.theirs(seat).get(self.path), 200)

    async def here(self, seat: str) -> dict[str, Any]:
        """The exchange at the requesting side, once it shows what the other side does."""
        generation = (await self.there())["generation"]

        async def look() -> dict[str, Any]:
            return expect(await self.journey.ours(seat).get(self.path), 200)

        return await seen(look, lambda shown: shown["generation"] == generation and not shown["under_way"])

    async def b(self, row: str, action: str, *, seat: str = "duty_officer", **members: object) -> dict[str, Any]:
        """An act of the requested side along this row: offered, done once, and no second time unless a row says so."""
        caller = self.journey.theirs(seat)
        before = await self.there(seat)
        assert action in before["allowed_actions"], (row, action, before["state"], before["allowed_actions"])
        body = {"action": action, "generation": before["generation"], **members}
        after = expect(await caller.post(f"{self.path}/actions", body), 200)
        assert after["generation"] == before["generation"] + 1, row
        self.walked.append(row)
        state, kind = State(after["state"]), RequestType(after["type"])
        if not leaving(action, state, kind, side=Side.REQUESTED):
            again = await caller.post(f"{self.path}/actions", body | {"generation": after["generation"]})
            problem = assert_problem(again, 409, "action_not_allowed")
            assert problem["current"]["generation"] == after["generation"]
            self.refused += 1
        return after

    async def a(self, row: str, action: str, *, seat: str = "duty_officer", **members: object) -> dict[str, Any]:
        """A wish of the requesting side along this row: offered, sent, judged, shown alike; not the other's to make."""
        here = await self.here(seat)
        assert action in here["allowed_actions"], (row, action, here["state"], here["allowed_actions"])
        if not rows_for(action, Side.REQUESTED):
            body = {"action": action, "generation": here["generation"], **members}
            answer = await self.journey.theirs("supervisor").post(f"{self.path}/actions", body)
            assert_problem(answer, 403, "role_not_allowed")
            self.refused += 1
        after = await self.journey.wish(action, seat=seat, **members)
        assert after["generation"] == here["generation"] + 1, row
        self.walked.append(row)
        return after

    async def on_hold(self, row: str, action: str, number: int = 0, *, seat: str = "", **members: object) -> str:
        """An act on one of the holds, by the requested side's `seat` or the requesting side; the hold's state after."""
        hold = (await self.here("duty_officer"))["holds"][number]
        path = f"/v1/holds/{hold['id']}"
        caller: Caller = self.journey.theirs(seat) if seat else self.journey.ours()
        shown = expect(await caller.get(path), 200)
        assert action in shown["allowed_actions"], (row, action, shown["state"], shown["allowed_actions"])
        expect(await caller.act(path, action, **members), 200 if seat else 202)
        self.walked.append(row)
        settled = await self.journey.settled()
        return str(settled["holds"][number]["state"])
