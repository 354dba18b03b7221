"""The ways to peers: what their receipts prove, which messages that makes due, what is asked of a silent one.

Rows of `passage` are locked last, after everything else, in the order of peer and lane.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    DateTime,
    Text,
    bindparam,
    case,
    column,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.db.outbox import may_leave
from app.db.tables_delivery import outbox
from app.db.tables_passage import passage
from app.domain.codes import Lane
from app.domain.passage import Passage, hear

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Row, Select, TableValuedAlias

    from app.db.engine import ReadSession, Session


class Way(NamedTuple):
    """Where a passage leads. Sorts in the order in which rows are locked."""

    peer: str
    lane: Lane


_MEMBERS = tuple(field.name for field in fields(Passage))
_COLUMNS = (passage.c.peer, passage.c.lane, *(passage.c[name] for name in _MEMBERS))
_MOMENT = DateTime(timezone=True)

MOST_AT_ONCE = 50
"""Lost messages that one call makes due per peer: as many as are under way at once; the next call brings the next."""


async def load(session: ReadSession, lane: Lane) -> dict[str, Passage]:
    """Return the ways of one lane that anything was ever confirmed on, or got stuck, by peer."""
    rows = await session.execute(select(*_COLUMNS).where(passage.c.lane == lane))
    return {row.peer: _read(row) for row in rows}


async def lock(session: Session, ways: Collection[Way], *, skip_locked: bool = False) -> dict[Way, Passage]:
    """Lock these rows in order and return them; absent ones are left out, so are locked ones if `skip_locked`."""
    if not ways:
        return {}
    query = (
        select(*_COLUMNS)
        .where(tuple_(passage.c.peer, passage.c.lane).in_([(way.peer, way.lane.value) for way in ways]))
        .order_by(passage.c.peer, passage.c.lane)
        .with_for_update(skip_locked=skip_locked)
    )
    return {Way(row.peer, Lane(row.lane)): _read(row) for row in await session.execute(query)}


async def store(session: Session, passages: Mapping[Way, Passage]) -> None:
    """Write these rows, locked or new, in order."""
    new = insert(passage)
    upsert = new.on_conflict_do_update(
        index_elements=[passage.c.peer, passage.c.lane], set_={name: new.excluded[name] for name in _MEMBERS}
    )
    if passages:
        await session.execute(upsert, [{**_key(way), **asdict(passages[way])} for way in sorted(passages)])


async def ensure(session: Session, ways: Collection[Way]) -> None:
    """Create the rows that do not exist, in order."""
    if ways:
        await session.execute(insert(passage).on_conflict_do_nothing(), [_key(way) for way in sorted(ways)])


async def hear_of(session: Session, heard: Mapping[Way, datetime], *, now: datetime) -> None:
    """Note first receipts: `heard` has the latest beginning of the copies that were receipted, per way."""
    known = await lock(session, heard.keys())
    moved = {way: hear(known.get(way, Passage()), began_at, now=now) for way, began_at in heard.items()}
    await store(session, moved)


async def hasten_lost(
    session: Session, lane: Lane, proofs: Mapping[str, datetime], *, pauses: Sequence[timedelta], now: datetime
) -> int:
    """Make due what was confirmed on this lane before its peer's proof and has no receipt; returns how many.

    At most `MOST_AT_ONCE` per peer, the longest confirmed first, each not before the pause of its number of tries
    (`pauses`) is over. What somebody else has in hand is passed over.
    """
    if not proofs:
        return 0
    found = lost_rows(lane, proofs, pauses=pauses, now=now).cte("found")
    result = await session.execute(update(outbox).where(outbox.c.id == found.c.id).values(next_at=now))
    return int(result.rowcount)


def lost_rows(
    lane: Lane, proofs: Mapping[str, datetime], *, pauses: Sequence[timedelta], now: datetime
) -> Select[tuple[int]]:
    """The query for what `hasten_lost` makes due; it locks what it finds and reads nothing else."""
    way = _ways(list(proofs.items()))
    shorter = [(outbox.c.tries <= tries, pause) for tries, pause in enumerate(pauses[:-1], start=1)]
    lost = (
        select(outbox.c.id)
        .where(
            *_confirmed_on(lane, way.c.peer),
            outbox.c.confirmed_at < way.c.proof,
            outbox.c.confirmed_at + case(*shorter, else_=pauses[-1]) <= now,
        )
        .order_by(outbox.c.confirmed_at, outbox.c.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True, of=outbox)
        .lateral("lost")
    )
    return select(lost.c.id).select_from(way.join(lost, true()))


async def oldest_waiting(
    session: ReadSession, lane: Lane, proofs: Mapping[str, datetime | None]
) -> dict[str, datetime]:
    """Return for each of these peers when the longest waiting message was confirmed of which nothing is proven.

    Peers for which nothing waits, or nothing that may leave, are left out.
    """
    if not proofs:
        return {}
    way = _ways(list(proofs.items()))
    oldest = (
        select(outbox.c.confirmed_at)
        .where(*_unproven_on(lane, way.c.peer, way.c.proof))
        .order_by(outbox.c.confirmed_at)
        .limit(1)
        .lateral("oldest")
    )
    rows = await session.execute(select(way.c.peer, oldest.c.confirmed_at).select_from(way.join(oldest, true())))
    return {row.peer: row.confirmed_at for row in rows}


async def hasten_probe(
    session: Session, way: Way, *, proof: datetime | None, after: int | None, now: datetime
) -> int | None:
    """Make due the oldest message that waits on this way, or the next oldest after `after`; return its id.

    None if nothing waits, or somebody else has it in hand.
    """
    oldest = func.min(outbox.c.id)
    chosen = select(func.coalesce(oldest.filter(outbox.c.id > (after or 0)), oldest)).where(
        *_unproven_on(way.lane, literal(way.peer), literal(proof, _MOMENT))
    )
    free = (
        select(outbox.c.id)
        .where(outbox.c.id == chosen.scalar_subquery(), outbox.c.left_at.is_(None), outbox.c.next_at.is_(None))
        .with_for_update(skip_locked=True)
        .cte("free")
    )
    statement = update(outbox).where(outbox.c.id == free.c.id).values(next_at=now).returning(outbox.c.id)
    probed: int | None = (await session.execute(statement)).scalar_one_or_none()
    return probed


async def free_stuck(session: Session, *, lane: Lane | None, peer: str | None) -> None:
    """Let ways that got nothing out be tried again now: all, or those of a lane or a peer."""
    which = passage.c.stuck > 0
    if lane is not None:
        which &= passage.c.lane == lane
    if peer is not None:
        which &= passage.c.peer == peer
    stuck = select(passage.c.peer, passage.c.lane).where(which).order_by(passage.c.peer, passage.c.lane)
    ways = [Way(row.peer, Lane(row.lane)) for row in await session.execute(stuck.with_for_update())]
    if ways:
        mine = tuple_(passage.c.peer, passage.c.lane).in_([(way.peer, way.lane.value) for way in ways])
        await session.execute(update(passage).where(mine).values(stuck=0, stuck_until=None))


def _key(way: Way) -> dict[str, str]:
    return {"peer": way.peer, "lane": way.lane.value}


def _ways(proofs: Sequence[tuple[str, datetime | None]]) -> TableValuedAlias:
    peers = bindparam(None, [peer for peer, _ in proofs], type_=ARRAY(Text), unique=True)
    moments = bindparam(None, [proof for _, proof in proofs], type_=ARRAY(_MOMENT), unique=True)
    columns = (column("peer", Text), column("proof", _MOMENT))
    return func.unnest(peers, moments).table_valued(*columns).render_derived(name="way")


def _confirmed_on(lane: Lane, peer: ColumnElement[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        outbox.c.peer == peer,
        outbox.c.published_lane == lane,
        outbox.c.left_at.is_(None),
        outbox.c.next_at.is_(None),
    )


def _unproven_on(
    lane: Lane, peer: ColumnElement[str], proof: ColumnElement[datetime]
) -> tuple[ColumnElement[bool], ...]:
    """Of what is proven lost the pauses of `hasten_lost` decide, and of what may not leave, whoever closed the peer."""
    return (*_confirmed_on(lane, peer), or_(proof.is_(None), outbox.c.confirmed_at >= proof), may_leave())


def _read(row: Row[Any]) -> Passage:
    return Passage(**{name: row._mapping[name] for name in _MEMBERS})  # noqa: SLF001 - the public name begins with one
