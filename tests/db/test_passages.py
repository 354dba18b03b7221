"""What the database chooses is what the pure decisions say, and it is found without reading what waits."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ClauseElement, Executable, Select, text
from sqlalchemy.ext.compiler import compiles

from app.bus.attempts import BACK_OFF, choose_probe, is_lost
from app.db import outbox, passages, receipts
from app.db.engine import begin, reading
from app.db.passages import MOST_AT_ONCE, Way
from app.domain.codes import Lane
from app.domain.passage import Passage, hear
from tests.db.test_outbox import LEASE, add, queued

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlalchemy.sql.compiler import SQLCompiler

WAY = Way("XA", Lane.ROUTINE)
SECOND = timedelta(seconds=1)


async def confirm(engine: AsyncEngine, row: int, at: datetime, *, tries: int = 1) -> None:
    """Make a row one whose latest copy was confirmed on the routine lane."""
    async with begin(engine) as session:
        await session.execute(
            text(
                "UPDATE outbox SET next_at = NULL, confirmed_at = :at, published_lane = 'routine', tries = :tries"
                " WHERE id = :row"
            ),
            {"at": at, "tries": tries, "row": row},
        )


async def due(engine: AsyncEngine) -> set[int]:
    """The rows that have a time."""
    async with reading(engine) as session:
        return set(await session.scalars(text("SELECT id FROM outbox WHERE next_at IS NOT NULL")))


async def test_lost_is_what_the_rule_says(engine: AsyncEngine, now: datetime) -> None:
    """For every number of tries and every age, the rows made due are exactly those of which `is_lost` holds."""
    ages = [*(pause + shift * SECOND for pause in BACK_OFF for shift in (-1, 0, 1)), timedelta(0)]
    cases = [(tries, now - age) for tries in range(1, 9) for age in ages]
    await add(engine, *(queued(now) for _ in cases))
    for row, (tries, confirmed_at) in enumerate(cases, start=1):
        await confirm(engine, row, confirmed_at, tries=tries)
    proof = now - timedelta(seconds=40)
    lost = {
        row
        for row, (tries, confirmed_at) in enumerate(cases, start=1)
        if is_lost(confirmed_at, tries, proof=proof, now=now)
    }
    assert 0 < len(lost) < len(cases)
    found = 0
    async with begin(engine) as session:
        while made := await passages.hasten_lost(session, Lane.ROUTINE, {"XA": proof}, pauses=BACK_OFF, now=now):
            found += made
            assert made <= MOST_AT_ONCE
    assert (found, await due(engine)) == (len(lost), lost)


async def test_only_its_own_way(engine: AsyncEngine, now: datetime) -> None:
    """Proof of one peer and lane makes nothing due that another peer, or the other lane, has not receipted."""
    await add(engine, queued(now), queued(now, peer="XS"))
    for row in (1, 2):
        await confirm(engine, row, now - timedelta(hours=1))
    async with begin(engine) as session:
        assert await passages.hasten_lost(session, Lane.URGENT, {"XA": now}, pauses=BACK_OFF, now=now) == 0
        assert await passages.hasten_lost(session, Lane.ROUTINE, {"XA": now}, pauses=BACK_OFF, now=now) == 1
    assert await due(engine) == {1}


async def test_probes_are_what_the_rule_says(engine: AsyncEngine, now: datetime) -> None:
    """The probe after each one is the one that `choose_probe` names, among those of which nothing is proven."""
    await add(engine, *(queued(now) for _ in range(5)))
    proof = now - 10 * SECOND
    for row, age in enumerate((5, 20, 5, 20, 5), start=1):
        await confirm(engine, row, now - age * SECOND)
    for after in (None, 0, 1, 2, 3, 4, 5, 6):
        async with begin(engine) as session:
            chosen = await passages.hasten_probe(session, WAY, proof=proof, after=after, now=now)
        assert chosen == choose_probe({1, 3, 5}, after)
        await confirm(engine, chosen or 0, now - 5 * SECOND)


async def test_a_probe_in_other_hands_is_left_alone(engine: AsyncEngine, now: datetime) -> None:
    """A row that somebody else has locked is not waited for, and there is no probe then."""
    await add(engine, queued(now))
    await confirm(engine, 1, now)
    async with begin(engine) as holding:
        await outbox.lock(holding, [1])
        async with begin(engine) as session, asyncio.timeout(5):
            assert await passages.hasten_probe(session, WAY, proof=None, after=None, now=now) is None
            assert (
                await passages.hasten_lost(session, Lane.ROUTINE, {"XA": now + SECOND}, pauses=BACK_OFF, now=now) == 0
            )


async def test_what_waits_longest(engine: AsyncEngine, now: datetime) -> None:
    """Of each way the earliest confirmation is told of which nothing is proven; ways without any are left out."""
    await add(engine, *(queued(now, peer=peer) for peer in ("XA", "XA", "XA", "XS", "XT")))
    for row, age in ((1, 30), (2, 20), (3, 10), (4, 10)):
        await confirm(engine, row, now - age * SECOND)
    proofs = {"XA": now - 25 * SECOND, "XS": None, "XT": None, "XZ": None}
    async with reading(engine) as session:
        found = await passages.oldest_waiting(session, Lane.ROUTINE, proofs)
    assert found == {"XA": now - 20 * SECOND, "XS": now - 10 * SECOND}


async def test_receipts_at_once_are_both_heard(engine: AsyncEngine, now: datetime) -> None:
    """Two transactions that hear of the same way one after the other leave what `hear` makes of both."""
    heard = [(now, now + SECOND), (now + 4 * SECOND, now + 7 * SECOND), (now + 9 * SECOND, now + 13 * SECOND)]
    expected = Passage()
    for began_at, moment in heard:
        expected = hear(expected, began_at, now=moment)
        async with begin(engine) as session:
            await passages.hear_of(session, {WAY: began_at}, now=moment)
    async with reading(engine) as session:
        assert await passages.load(session, Lane.ROUTINE) == {"XA": expected}
        assert await passages.load(session, Lane.URGENT) == {}


async def test_an_operator_asks_at_once(engine: AsyncEngine, now: datetime) -> None:
    """`hasten_oldest` makes one message per way due, the oldest, of all peers or of one."""
    await add(engine, *(queued(now, peer=peer) for peer in ("XA", "XA", "XS")))
    for row in (1, 2, 3):
        await confirm(engine, row, now)
    async with begin(engine) as session:
        assert await receipts.hasten_oldest(session, peer="XZ", now=now) == 0
        assert await receipts.hasten_oldest(session, peer="XA", now=now) == 1
    assert await due(engine) == {1}
    async with begin(engine) as session:
        assert await receipts.hasten_oldest(session, now=now) == 2
    assert await due(engine) == {1, 2, 3}


class Explained(Executable, ClauseElement):
    """A query with EXPLAIN before it, its parameters as they are."""

    inherit_cache = False

    def __init__(self, query: Select[Any]) -> None:
        self.query = query


@compiles(Explained)
def explain(element: Explained, compiler: SQLCompiler, **_options: object) -> str:
    """Put the word before the query."""
    return f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiler.process(element.query)}"


async def read_blocks(engine: AsyncEngine, query: Select[Any]) -> int:
    """How many pages a query reads."""
    async with begin(engine) as session:
        top = (await session.execute(Explained(query))).scalar_one()[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


MANY = """INSERT INTO outbox (jti, peer, type, body, lane, created_at, next_at, confirmed_at, published_lane, tries)
    SELECT gen_random_uuid(), 'XA', 'incident/1', '', 'routine', :now, :next,
           CAST(:now AS timestamptz) + n * interval '1 millisecond', 'routine', 1
    FROM generate_series(1, 20000) n"""


async def add_many(engine: AsyncEngine, now: datetime, next_at: datetime | None) -> None:
    """Queue twenty thousand rows for XA: confirmed one after the other, or due at a time."""
    async with begin(engine) as session:
        await session.execute(text(MANY), {"now": now, "next": next_at})


async def test_what_is_confirmed_is_not_read(engine: AsyncEngine, now: datetime) -> None:
    """With twenty thousand confirmed rows, to look for lost ones and for due ones costs a handful of pages."""
    await add_many(engine, now, None)
    late, proofs = now + timedelta(minutes=1), {"XA": now + timedelta(milliseconds=3)}
    lost = passages.lost_rows(Lane.ROUTINE, proofs, pauses=BACK_OFF, now=late)
    assert await read_blocks(engine, lost) < 30
    assert await read_blocks(engine, outbox.due_rows(Lane.ROUTINE, most=200, now=late)) < 30
    async with begin(engine) as session:
        assert await passages.hasten_lost(session, Lane.ROUTINE, proofs, pauses=BACK_OFF, now=late) == 2
        claimed = await outbox.claim(session, Lane.ROUTINE, limit=50, now=late, lease_until=late + LEASE)
    assert len(claimed) == 2


async def test_what_is_stuck_is_not_read(engine: AsyncEngine, now: datetime) -> None:
    """With twenty thousand due rows of a peer that is stuck, to claim what another is to get costs a few pages."""
    await add_many(engine, now, now)
    await add(engine, queued(now, peer="XS"), queued(now, peer="XT"))
    async with begin(engine) as session:
        await passages.store(session, {WAY: Passage(stuck=1, stuck_until=now + timedelta(minutes=1))})
    late = now + SECOND
    assert await read_blocks(engine, outbox.due_rows(Lane.ROUTINE, most=200, now=late)) < 30
    async with begin(engine) as session:
        claimed = await outbox.claim(session, Lane.ROUTINE, limit=50, now=late, lease_until=late + LEASE)
    assert {letter.peer for letter in claimed} == {"XS", "XT"}


async def test_what_is_not_due_is_not_read(engine: AsyncEngine, now: datetime) -> None:
    """With twenty thousand rows waiting for their next attempt, a claim reads a handful of pages."""
    await add_many(engine, now, now + timedelta(hours=1))
    await add(engine, queued(now))
    assert await read_blocks(engine, outbox.due_rows(Lane.ROUTINE, most=200, now=now)) < 30
    async with begin(engine) as session:
        assert len(await outbox.claim(session, Lane.ROUTINE, limit=50, now=now, lease_until=now + LEASE)) == 1
