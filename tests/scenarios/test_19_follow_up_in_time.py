"""Scenario 19: the follow-up request is received on day 40; there is no end any more until it is decided, and grace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.db import statistics
from app.db.engine import ReadSession, Session
from tests.world.conftest import lasting_tokens
from tests.world.holding import DAY, HeldBy, held_by
from tests.world.journey import expect
from tests.world.keeping import kept_world
from tests.world.test_time_passes import shows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import PostgresServer
    from tests.support.world import World

DAY_40 = 20 * DAY
"""What is left of sixty days on the fortieth."""

MOMENT = timedelta(minutes=1)

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MADE_REAL = text("UPDATE exchange SET opening = jsonb_set(opening, '{document,is_test}', 'false')")
FIGURES = {
    "opened": "",
    "receipt": "",
    "acknowledgement": "",
    "first_substance": "",
    "result": "PRESERVED",
    "follow_up": "received_before_expiry",
    "hold_end": "RELEASED",
}


@pytest.fixture
async def half_a_year(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Two contact points of their own: two hundred days would leave the others' directory entries unverified."""
    async with kept_world(postgres, tmp_path_factory.mktemp("half"), ("XA", "XT")) as made:
        lasting = {code: replace(node, tokens=await lasting_tokens(node)) for code, node in made.nodes.items()}
        yield replace(made, nodes=lasting)


async def both(hold: HeldBy) -> list[tuple[str, str | None]]:
    """State and end of the hold, here and there, once both sides agree."""
    await hold.journey.settled()
    return [(shown["state"], shown["expires_at"]) for shown in (await hold.here(), await hold.there())]


async def test_receipt_stops_the_clock_until_the_decision(half_a_year: World) -> None:
    """PENDING_DECISION from day 40 to day 200 and through the grace; RELEASED after it; section 10 was to be had."""
    hold = await held_by(half_a_year, left=DAY_40)
    (block,) = expect(await hold.journey.ours().get(f"{hold.path}/mla-export"), 200)["blocks"]
    assert set(block["section_10"]) == {"date", "reference", "requested_by", "executed_by", "channel"}
    confirmed = await hold.do("confirm_mla_received", ca_reference="ICA-40")
    assert confirmed["mla"]["ca_reference"] == "ICA-40"
    assert await both(hold) == [("PENDING_DECISION", None)] * 2
    half_a_year.clock.advance(160 * DAY)
    assert await both(hold) == [("PENDING_DECISION", None)] * 2
    decided = await hold.do("record_decision", text="Executed; the data were handed over.")
    assert decided["mla"]["status"] == "DECIDED"
    half_a_year.clock.advance(14 * DAY - MOMENT)
    assert await both(hold) == [("PENDING_DECISION", None)] * 2
    half_a_year.clock.advance(2 * MOMENT)
    await shows(hold.journey, lambda exchange: exchange["state"] == "CLOSED")
    assert [state for state, _ in await both(hold)] == ["RELEASED", "RELEASED"]
    assert (await hold.here())["mla"]["decision"] == "Executed; the data were handed over."
    for code in ("XA", "XT"):
        assert await counted(half_a_year, code) == {}, "what says that it is a test is in no figure"
        assert await counted(half_a_year, code, real=True) == FIGURES


async def counted(world: World, code: str, *, real: bool = False) -> dict[str, str]:
    """What the figures of that contact point (domain.md 7.3) would count of the exchange, and how it ended there.

    `real` for this one look: it is not kept.
    """
    engine, peer = world[code].runtime.engine, "XT" if code == "XA" else "XA"
    async with engine.connect() as connection:
        session = Session(ReadSession(connection))
        if real:
            await session.execute(MADE_REAL)
        samples = await statistics.courses(session, since=BEGIN, read_there={})
        samples += await statistics.holds(session, since=BEGIN)
        await connection.rollback()
    assert {one.peer for one in samples} <= {peer}
    assert all(one.seconds is None or 0 <= one.seconds <= DAY.total_seconds() for one in samples)
    return {one.measure: dict(one.labels).get("outcome", "") for one in samples}
