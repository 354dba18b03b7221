"""Whether two contact points show every exchange between them alike; what differs is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.db import exchanges
from app.db.engine import reading
from app.domain.snapshot import public_view, take_snapshot
from tests.support.world import seen

if TYPE_CHECKING:
    from tests.recovery.ground import Ground, Home

PAGE = 1_000


async def shown(home: Home, peer: str) -> dict[str, dict[str, Any]]:
    """Every exchange with this peer as this side has it: state, generation, holds, flags, everything said in it."""
    async with reading(home.processes[0].runtime.engine) as session:
        found = await exchanges.page(session, limit=PAGE)
    return {
        str(one.value.id): take_snapshot(public_view(one.value)).model_dump(mode="json")
        for one in found
        if one.peer == peer
    }


def difference(ours: dict[str, dict[str, Any]], theirs: dict[str, dict[str, Any]]) -> str:
    """What the two sides show differently, a line each; nothing when they are equal."""
    lines = []
    for exchange in sorted({*ours, *theirs}):
        here, there = ours.get(exchange), theirs.get(exchange)
        if here is None or there is None:
            lines.append(f"{exchange}: only at one side")
            continue
        lines += [
            f"{exchange} {name}: {here.get(name)!r} here, {there.get(name)!r} there"
            for name in sorted({*here, *there})
            if here.get(name) != there.get(name)
        ]
    return "\n".join(lines)


async def equal(ground: Ground, one: str, other: str) -> dict[str, dict[str, Any]]:
    """Wait until both show the same; fails with the difference. Returns what they show."""

    async def look() -> tuple[str, dict[str, dict[str, Any]]]:
        ours = await shown(ground[one], other)
        return difference(ours, await shown(ground[other], one)), ours

    found = await seen(look, lambda pair: pair[0] == "", seconds=20)
    return found[1]
