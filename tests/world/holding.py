"""Holds between living nodes, where time passes: asked for by any state, preserved as long ago as need be."""

from __future__ import annotations

import re
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from app.domain.moments import write_instant
from tests.support.world import seen
from tests.world.journey import DESK_ROAD, Journey, expect
from tests.world.test_time_passes import fresh

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.world import Caller, LivingNode, World
    from tests.world.ledger import Ledger

DAY = timedelta(days=1)
SIXTY = timedelta(days=60)

EVENTS = "SELECT kind, data, agency_id FROM event WHERE subject_id = $1 AND kind LIKE 'hold.%' ORDER BY id"


@dataclass(frozen=True, slots=True)
class HeldBy:
    """A journey with one hold, and where the hold is on either side."""

    journey: Journey
    id: str
    end: datetime

    @property
    def path(self) -> str:
        """Where it is, on either side."""
        return f"/v1/holds/{self.id}"

    async def here(self) -> dict[str, Any]:
        """As the requesting side shows it."""
        return expect(await self.journey.ours().get(self.path), 200)

    async def there(self) -> dict[str, Any]:
        """As the requested side shows it."""
        return expect(await self.journey.theirs().get(self.path), 200)

    async def do(self, action: str, *, seat: str = "duty_officer", **members: object) -> dict[str, Any]:
        """An act of the requested side that must succeed; the hold as it then shows it."""
        return expect(await self.journey.theirs(seat).act(self.path, action, **members), 200)

    async def wish(self, action: str, **members: object) -> dict[str, Any]:
        """An act of the requesting side that must be taken and judged; the hold as the requested side then shows it."""
        expect(await self.journey.ours().act(self.path, action, **members), 202)
        await self.journey.settled()
        return await self.there()


async def shortfalls(node: LivingNode) -> Counter[tuple[str, str]]:
    """How often less was done there than art. 29 owes, by kind and direction, as its metrics tell."""
    text = (await node.as_("monitor").get("/metrics")).text
    found = re.findall(r'^counterpart_treaty_exceptions\{direction="(\w+)",kind="(\w+)"\} (\S+)$', text, re.MULTILINE)
    return Counter({(kind, direction): int(float(count)) for direction, kind, count in found})


async def sent_from(world: World, code: str, made: Mapping[str, Any]) -> Journey:
    """A request filed and signed at `code`, once it has arrived."""
    node = world[code]
    request = expect(await node.as_("agency_officer").post("/v1/requests", made), 201)
    shown: dict[str, Any] = {}
    for seat, action in DESK_ROAD:
        shown = expect(await node.as_(seat).act(f"/v1/requests/{request['id']}", action), 200)
    journey = Journey(world, request["id"], shown["exchange_id"], shown["requested"], code)
    await seen(partial(journey.theirs().get, journey.exchange), lambda answer: answer.status_code == 200)
    return journey


async def held_by(
    world: World, code: str = "XA", *, made: Mapping[str, Any] | None = None, left: timedelta = SIXTY
) -> HeldBy:
    """A preservation at XT for the state `code` with a hold of sixty days, of which about so much is left."""
    journey = await sent_from(world, code, made or fresh(world))
    preserved_at = world.clock() - (SIXTY - left)
    await journey.do("acknowledge", "accept", "start")
    await journey.do("preserve", days=60, preserved_at=write_instant(preserved_at))
    (hold,) = (await journey.settled())["holds"]
    return HeldBy(journey, hold["id"], datetime.fromisoformat(hold["expires_at"]))


def about(made: Mapping[str, Any], address: str, *, hours: tuple[int, int] | None = None) -> dict[str, Any]:
    """The document about this address, and about these hours of its day, if given."""
    changed: dict[str, Any] = deepcopy(dict(made))
    (target,) = changed["targets"]
    target["identifier"] = {"type": "ipv4", "value": address}
    if hours is not None:
        start = datetime.fromisoformat(target["interval"]["start"]).replace(minute=0, second=0, microsecond=0) - DAY
        first, last = (write_instant(start.replace(hour=hour)) for hour in hours)
        target["interval"] = {"start": first, "end": last}
        target["observations"][0]["at"] = first
    return changed


async def told(ledger: Ledger, code: str, exchange_id: str, kind: str | None = None) -> list[dict[str, Any]]:
    """What the desk of `code` was told by the clock of the holds of this exchange, oldest first."""
    rows = await ledger.rows(code, EVENTS, exchange_id)
    return [row for row in rows if kind is None or row["kind"] == kind]


async def until(world: World, moment: datetime) -> None:
    """Let time pass up to this moment; never back."""
    world.clock.advance(max(timedelta(), moment - world.clock()))


async def looked(ledger: Ledger, *codes: str) -> None:
    """Wait until these nodes have looked at every hold of which something is due."""
    query = "SELECT count(*) FROM hold WHERE look_at <= $1"

    async def left() -> list[int]:
        return [await ledger.value(code, query, datetime.fromisoformat("2020-01-01T00:00:00Z")) for code in codes]

    await seen(left, lambda counts: not any(counts))


async def shown_to(caller: Caller, *paths: str) -> str:
    """Everything that these addresses answer, as text."""
    return "\n".join([(await caller.get(path)).text for path in paths])
