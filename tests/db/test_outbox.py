"""Claims are leases, and what waits is read from an index that holds nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
import uuid_utils
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db import backlog, outbox, publications
from app.db.backlog import Incoming, Outgoing
from app.db.engine import begin, reading
from app.db.outbox import Queued, Settlement, SignedText
from app.db.publications import Ended
from app.db.tables_delivery import InboxState, LeftBy, Trouble
from app.domain.codes import Lane

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.db.outbox import Letter

LEASE = timedelta(seconds=30)


def queued(now: datetime, *, peer: str = "XA", lane: Lane = Lane.ROUTINE) -> Queued:
    """A message without thread."""
    return Queued(
        jti=UUID(bytes=uuid_utils.uuid7().bytes),
        peer=peer,
        thread=None,
        seq=None,
        prev=None,
        type="incident/1",
        body=b"{}",
        exp=None,
        exchange_id=None,
        lane=lane,
        created_at=now,
    )


async def add(engine: AsyncEngine, *rows: Queued) -> None:
    """Queue these, one after the other."""
    async with begin(engine) as session:
        for row in rows:
            await outbox.put(session, row)


async def claim(engine: AsyncEngine, now: datetime, *, limit: int = 50, lane: Lane = Lane.ROUTINE) -> list[Letter]:
    """Claim in a transaction of its own."""
    async with begin(engine) as session:
        return await outbox.claim(session, lane, limit=limit, now=now, lease_until=now + LEASE)


async def test_a_claim_is_a_lease(engine: AsyncEngine, now: datetime) -> None:
    """A claimed row is nobody else's until its lease has run out, and then anybody's."""
    await add(engine, queued(now))
    (first,) = await claim(engine, now)
    assert await claim(engine, now + LEASE - timedelta(microseconds=1)) == []
    (again,) = await claim(engine, now + LEASE)
    assert again == replace(first, tries=2)


async def test_claims_at_once_do_not_wait(engine: AsyncEngine, now: datetime) -> None:
    """While one transaction holds its claim, another gets other rows at once."""
    await add(engine, *(queued(now) for _ in range(4)))
    async with begin(engine) as session:
        mine = await outbox.claim(session, Lane.ROUTINE, limit=2, now=now, lease_until=now + LEASE)
        async with asyncio.timeout(5):
            yours = await claim(engine, now)
    assert {letter.id for letter in mine}.isdisjoint(letter.id for letter in yours)
    assert len(mine) == len(yours) == 2


async def test_without_skipping_locked_rows_claims_wait(engine: AsyncEngine, now: datetime) -> None:
    """(Control) A claim that does not pass over locked rows waits for the other transaction."""
    await add(engine, queued(now))
    async with begin(engine) as session:
        await outbox.claim(session, Lane.ROUTINE, limit=1, now=now, lease_until=now + LEASE)
        async with engine.connect() as other:
            await other.execute(text("SET LOCAL lock_timeout = '200ms'"))
            with pytest.raises(DBAPIError, match="lock timeout"):
                await other.execute(text("SELECT id FROM outbox WHERE next_at <= :now FOR UPDATE"), {"now": now})


async def test_the_longest_due_comes_first(engine: AsyncEngine, now: datetime) -> None:
    """Of more than a claim takes, those come that have been due longest."""
    await add(engine, *(queued(now + timedelta(seconds=second)) for second in (3, 1, 2)))
    claimed = await claim(engine, now + timedelta(minutes=1), limit=2)
    assert [letter.id for letter in claimed] == [2, 3]


async def test_what_is_not_due_is_not_read(engine: AsyncEngine, now: datetime) -> None:
    """With twenty thousand rows waiting for their next attempt, a claim reads a handful of pages."""
    async with begin(engine) as session:
        await session.execute(
            text(
                """INSERT INTO outbox (jti, peer, type, body, lane, created_at, next_at)
                SELECT gen_random_uuid(), 'XA', 'incident/1', '', 'routine', :now, :later
                FROM generate_series(1, 20000)"""
            ),
            {"now": now, "later": now + timedelta(hours=1)},
        )
        await session.execute(text("ANALYZE outbox"))
    await add(engine, queued(now))
    async with reading(engine) as session:
        plan = await session.execute(
            text(
                """EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT id FROM outbox
                WHERE left_at IS NULL AND lane = 'routine' AND next_at <= :now ORDER BY next_at, id LIMIT 50"""
            ),
            {"now": now},
        )
        top = plan.scalar_one()[0]["Plan"]
    assert top["Actual Rows"] == 1
    assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 12
    assert len(await claim(engine, now)) == 1


async def test_settling_respects_what_happened_meanwhile(engine: AsyncEngine, now: datetime) -> None:
    """A row that was receipted or made due during its publication keeps that, whatever the publication came to."""
    await add(engine, queued(now), queued(now), queued(now))
    await claim(engine, now)
    later = now + timedelta(hours=1)
    async with begin(engine) as session:
        await session.execute(text("UPDATE outbox SET left_at = :now, left_by = 'receipt' WHERE id = 1"), {"now": now})
        await session.execute(text("UPDATE outbox SET next_at = :now WHERE id = 2"), {"now": now})
        settlements = [Settlement(number, later, Trouble.OUTCOME_UNKNOWN) for number in (1, 2, 3)]
        await outbox.settle(session, settlements, lease_until=now + LEASE, now=now)
    async with reading(engine) as session:
        found = await session.execute(text("SELECT left_by, trouble, next_at FROM outbox ORDER BY id"))
        assert [tuple(row) for row in found] == [
            ("receipt", None, now + LEASE),
            (None, "outcome_unknown", now),
            (None, "outcome_unknown", later),
        ]


async def test_the_monitor_sees_what_waits(engine: AsyncEngine, now: datetime) -> None:
    """Depth, age, trouble and unsigned rows are told per peer and lane; what has left is not among them."""
    rows = [queued(now - timedelta(minutes=5)), queued(now), queued(now), queued(now, peer="XS", lane=Lane.URGENT)]
    await add(engine, *rows)
    claimed = await claim(engine, now)
    async with begin(engine) as session:
        begun = await outbox.begin_copies(session, [(claimed[0], SignedText("j", "k", "h"))], now=now)
        await publications.begin(session, begun, Lane.ROUTINE, now=now)
        await publications.end(session, [Ended(claimed[0].id, 1, None, Trouble.NOT_TAKEN)])
        settlements = [
            Settlement(claimed[0].id, now + LEASE, Trouble.NOT_TAKEN),
            Settlement(claimed[2].id, None, None, LeftBy.CONFIRM),
        ]
        await outbox.settle(session, settlements, lease_until=now + LEASE, now=now)
    async with reading(engine) as session:
        assert await backlog.outgoing(session) == [
            Outgoing("XA", Lane.ROUTINE, 2, 1, now - timedelta(minutes=5), now + LEASE, {Trouble.NOT_TAKEN: 1}),
            Outgoing("XS", Lane.URGENT, 1, 1, now, now, {}),
        ]


async def test_the_monitor_sees_what_is_held(engine: AsyncEngine, now: datetime) -> None:
    """Held and quarantined messages are told per peer with the age of the oldest, and duplicates are summed up."""
    async with begin(engine) as session:
        for number, (state, ended, duplicates) in enumerate(
            [("held", None, 0), ("held", None, 2), ("quarantined", None, 0), ("applied", now, 5)]
        ):
            await session.execute(
                text(
                    """INSERT INTO inbox (iss, jti, type, kid, inner_hash, jws, lane, copy, received_at, state,
                        applied_at, duplicates)
                    VALUES ('XA', gen_random_uuid(), 't', 'k', 'h', 'j', 'urgent', 1, :at, :state, :ended, :duplicates)
                    """
                ),
                {"at": now - timedelta(hours=number), "state": state, "ended": ended, "duplicates": duplicates},
            )
    async with reading(engine) as session:
        assert await backlog.incoming(session) == [
            Incoming("XA", InboxState.HELD, 2, now - timedelta(hours=1)),
            Incoming("XA", InboxState.QUARANTINED, 1, now - timedelta(hours=2)),
        ]
        assert await backlog.duplicates(session) == {"XA": 7}
