"""People who do not give up: they repeat under the same key what was not answered, at any gateway that answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

from app.domain.codes import Tier
from tests.support import driving
from tests.support.checker import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from tests.support.processes import Site

REPEAT_SECONDS = 0.1
NOT_NOW = frozenset({500, 502, 503})
STALE = 409
TIERS = (Tier.URGENT, Tier.ROUTINE)
MOST_ACTS = 3


@dataclass
class Tally:
    """What people met with."""

    signed: int = 0
    acts: int = 0
    unanswered: int = 0
    not_now: int = 0
    statuses: dict[int, int] = field(default_factory=dict)


@dataclass
class People:
    """Whoever sits at these nodes. `wanted` is what they were told had been taken."""

    gateways: Mapping[str, Sequence[Site]]
    dice: Random
    wanted: dict[str, Wanted] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    async def work(self, name: str, over: asyncio.Event) -> None:
        """Send requests with numbered acts from anybody to anybody, until it is over; what was begun is finished."""
        number = 0
        while not over.is_set():
            number += 1
            asking, asked = self.dice.sample(sorted(self.gateways), 2)
            exchange = await self.send(asking, asked, f"{name}-{number:04}")
            for act in range(1, self.dice.randint(0, MOST_ACTS) + 1):
                await self.supplement(asking, exchange, act)

    async def send(self, asking: str, asked: str, name: str) -> str:
        """From filing to signing; returns the exchange."""
        document = driving.preservation(f"AU-{name}", tier=self.dice.choice(TIERS), requested=asked)
        request = (await self.post(asking, "agency_officer", "/v1/requests", document)).json()["id"]
        path = f"/v1/requests/{request}/actions"
        for action in ("open", "approve"):
            driving.accepted(await self.post(asking, "duty_officer", path, {"action": action}))
        signed = driving.accepted(await self.post(asking, "supervisor", path, {"action": "sign"}))
        exchange = str(signed["exchange_id"])
        self.wanted[exchange] = Wanted(exchange, asked)
        self.tally.signed += 1
        return exchange

    async def supplement(self, asking: str, exchange: str, number: int) -> None:
        """One numbered act after it; when the exchange moved on meanwhile, it is read again."""
        path = f"/v1/exchanges/{exchange}"
        while True:
            shown = (await self.get(asking, "duty_officer", path)).json()
            act = {"action": "supplement", "text": f"No. {number}", "generation": shown["generation"]}
            answer = await self.post(asking, "duty_officer", f"{path}/actions", act)
            if answer.status_code != STALE:
                break
        driving.accepted(answer, 202)
        known = self.wanted[exchange]
        self.wanted[exchange] = Wanted(exchange, known.at, (*known.numbers, number))
        self.tally.acts += 1

    async def post(
        self,
        code: str,
        seat: str,
        path: str,
        document: Any,  # noqa: ANN401 - any JSON
        *,
        key: str | None = None,
    ) -> httpx.Response:
        """Post it under one key until it is answered by yes or no."""
        key = key or str(uuid4())
        return await self._until_answered(code, lambda site: site.as_(seat).post(path, document, key=key))

    async def get(self, code: str, seat: str, path: str) -> httpx.Response:
        """Read it until it is answered."""
        return await self._until_answered(code, lambda site: site.as_(seat).get(path))

    async def _until_answered(self, code: str, ask: Any) -> httpx.Response:  # noqa: ANN401 - what is asked of a gateway
        turn = 0
        while True:
            gateways = self.gateways[code]
            turn += 1
            try:
                answer: httpx.Response = await ask(gateways[turn % len(gateways)])
            except httpx.TransportError:
                self.tally.unanswered += 1
            else:
                self.tally.statuses[answer.status_code] = self.tally.statuses.get(answer.status_code, 0) + 1
                if answer.status_code not in NOT_NOW:
                    return answer
                self.tally.not_now += 1
            await asyncio.sleep(REPEAT_SECONDS)
