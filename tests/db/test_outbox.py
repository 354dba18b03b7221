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

from app.db import backlog, outbox, passages, publications
from app.db.backlog import Incoming, Outgoing
from app.db.engine import begin, reading
from app.db.outbox import Queued, Settlement, SignedText
from app.db.passages import Way
from app.db.publications import Ended
from app.db.tables_delivery import InboxState, LeftBy, Trouble
from app.domain.codes import Lane
from app.domain.passage import Passage

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


async def test_settling_respects_what_happened_meanwhile(engine: AsyncEngine, now: datetime) -> None:
    """A row that was receipted or made due during its publication keeps that, whatever the publication came to."""
    await add(engine, queued(now), queued(now), queued(now))
    await claim(engine, now)
    later = now + timedelta(hours=1)
    async with begin(engine) as session:
        await session.execute(text("UPDATE outbox SET left_at = :now, left_by = 'receipt' WHERE id = 1"), {"now": now})
        await session.execute(text("UPDATE outbox SET next_at = :now WHERE id = 2"), {"now": now})
        settlements = [Settlement(number, later, Trouble.OUTCOME_UNKNOWN) for number in (1, 2, 3)]
        await outbox.settle(session, settlements, lane=Lane.ROUTINE, lease_until=now + LEASE, now=now)
    async with reading(engine) as session:
        found = await session.execute(text("SELECT left_by, trouble, next_at FROM outbox ORDER BY id"))
        assert [tuple(row) for row in found] == [
            ("receipt", None, now + LEASE),
            (None, "outcome_unknown", now),
            (None, "outcome_unknown", later),
        ]


async def test_a_confirmed_row_has_no_time(engine: AsyncEngine, now: datetime) -> None:
    """A confirmation takes the row's time away, unless the row was made due meanwhile; moment and lane are kept."""
    await add(engine, queued(now), queued(now))
    await claim(engine, now)
    async with begin(engine) as session:
        await session.execute(text("UPDATE outbox SET next_at = :now WHERE id = 2"), {"now": now})
        settlements = [Settlement(number, None, None, confirmed_at=now + LEASE / 2) for number in (1, 2)]
        await outbox.settle(session, settlements, lane=Lane.URGENT, lease_until=now + LEASE, now=now + LEASE)
    async with reading(engine) as session:
        found = await session.execute(text("SELECT next_at, confirmed_at, published_lane FROM outbox ORDER BY id"))
        assert [tuple(row) for row in found] == [
            (None, now + LEASE / 2, "urgent"),
            (now, now + LEASE / 2, "urgent"),
        ]


async def test_the_later_of_two_confirmations_counts(engine: AsyncEngine, now: datetime) -> None:
    """A relay that notes its confirmation late, after another one's newer copy, does not turn the clock back."""
    await add(engine, queued(now))
    for confirmed_at in (now + LEASE, now):
        async with begin(engine) as session:
            settlement = Settlement(1, None, None, confirmed_at=confirmed_at)
            await outbox.settle(session, [settlement], lane=Lane.ROUTINE, lease_until=now, now=now)
    async with reading(engine) as session:
        assert await session.scalar(text("SELECT confirmed_at FROM outbox")) == now + LEASE


async def test_the_monitor_sees_what_waits(engine: AsyncEngine, now: datetime) -> None:
    """Depth, age, trouble, unsigned and confirmed rows are told per peer and lane, and what its way rests for."""
    rows = [queued(now - timedelta(minutes=5)), queued(now), queued(now), queued(now), queued(now)]
    await add(engine, *rows, queued(now, peer="XS", lane=Lane.URGENT))
    failed, confirmed, left, *_ = await claim(engine, now)
    async with begin(engine) as session:
        drafts = [(letter, SignedText("j", "k", "h")) for letter in (failed, confirmed)]
        begun = await outbox.begin_copies(session, drafts, now=now)
        await publications.begin(session, begun, Lane.ROUTINE, now=now)
        await publications.end(
            session, [Ended(failed.id, 1, None, Trouble.NOT_TAKEN), Ended(confirmed.id, 1, now, None)]
        )
        settlements = [
            Settlement(failed.id, now + LEASE / 2, Trouble.NOT_TAKEN),
            Settlement(confirmed.id, None, None, confirmed_at=now),
            Settlement(left.id, None, None, LeftBy.CONFIRM),
        ]
        await outbox.settle(session, settlements, lane=Lane.ROUTINE, lease_until=now + LEASE, now=now)
        resting = Passage(silent=2, probe_at=now + LEASE, stuck=1, stuck_until=now + LEASE)
        await passages.store(session, {Way("XA", Lane.ROUTINE): resting})
    async with reading(engine) as session:
        lines = await backlog.outgoing(session)
    rest = (2, now + LEASE, now + LEASE)
    first = (4, 2, 1, now - timedelta(minutes=5), now + LEASE / 2, {Trouble.NOT_TAKEN: 1})
    assert lines == [Outgoing("XA", Lane.ROUTINE, *first, *rest), Outgoing("XS", Lane.URGENT, 1, 1, 0, now, now, {})]


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
