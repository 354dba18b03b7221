"""What waits to be published, and what has been: put, claim, sign, settle.

A claim is a short lease kept in `next_at`: a relay that dies leaves nothing locked, its rows are due again when the
lease ends. The text of a row is signed once; every other signature for it loses against the stored one. A row whose
latest copy is confirmed has no `next_at`: what makes it due again is in `passages` and `receipts`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, DateTime, Text, bindparam, case, column, func, insert, or_, select, true, update
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.tables_delivery import outbox
from app.db.tables_passage import passage
from app.db.tables_recovery import recovering_peer
from app.domain.codes import MessageType

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Row, Select

    from app.db.engine import ReadSession, Session
    from app.db.tables_delivery import LeftBy, Trouble
    from app.domain.codes import Lane


@dataclass(frozen=True, slots=True)
class Queued:
    """A message as the business transaction queues it. `body` is canonical JSON; `exp` only where the type has one.

    `fleeting` ones are cleared after a day.
    """

    jti: UUID
    peer: str
    thread: str | None
    seq: int | None
    prev: UUID | None
    type: str
    body: bytes
    exp: datetime | None
    exchange_id: UUID | None
    lane: Lane
    created_at: datetime
    fleeting: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A claimed row: everything that is signed, the text if it has been, and how often it was tried."""

    id: int
    jti: UUID
    peer: str
    thread: str | None
    seq: int | None
    prev: UUID | None
    type: str
    body: bytes
    exp: datetime | None
    jws: str | None
    tries: int


@dataclass(frozen=True, slots=True)
class SignedText:
    """One signature for one row. `inner_hash` is the name of `jws` in receipts."""

    jws: str
    kid: str
    inner_hash: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A publication about to happen: the stored text, whoever signed it, and the number of this copy."""

    letter: Letter
    jws: str
    copy: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an attempt ended for its row: confirmed at a moment, or in trouble and due at `next_at`.

    With `left_by` the row leaves the outbox, whichever it was.
    """

    id: int
    next_at: datetime | None
    trouble: Trouble | None
    left_by: LeftBy | None = None
    confirmed_at: datetime | None = None


_LETTER = (
    outbox.c.id,
    outbox.c.jti,
    outbox.c.peer,
    outbox.c.thread,
    outbox.c.seq,
    outbox.c.prev,
    outbox.c.type,
    outbox.c.body,
    outbox.c.exp,
    outbox.c.jws,
    outbox.c.tries,
)

_MOMENT = DateTime(timezone=True)

OF_RECOVERY = (MessageType.RESYNC.value, MessageType.RESYNC_COPY.value)
"""The only types that leave for a peer whose threads are closed while our database recovers (ruling 22)."""


AT_HAND = 4
"""Claims that may be under way at once on a lane without one of them going away empty-handed."""


async def put(session: Session, queued: Queued) -> None:
    """Add a row that is due at once; it exists when, and only if, the caller's transaction commits."""
    await session.execute(insert(outbox).values(**asdict(queued), next_at=queued.created_at))


async def is_empty(session: ReadSession) -> bool:
    """Whether everything that was ever queued has left, on both lanes. One step in an index, however much has left."""
    waiting = select(outbox.c.id).where(outbox.c.left_at.is_(None))
    first = waiting.order_by(outbox.c.lane, outbox.c.peer, outbox.c.next_at, outbox.c.id).limit(1)
    return (await session.execute(first)).first() is None


async def claim(session: Session, lane: Lane, *, limit: int, now: datetime, lease_until: datetime) -> list[Letter]:
    """Lease up to `limit` due rows of one lane, the longest due first, passing over what another relay is claiming.

    Rows of a peer that is stuck or closed are passed over too. Returned in the order of their ids.
    """
    due = func.array(due_rows(lane, most=AT_HAND * limit, now=now).scalar_subquery())
    locked = (
        select(outbox.c.id, outbox.c.next_at, outbox.c.left_at)
        .where(outbox.c.id == func.any(due))
        .order_by(outbox.c.next_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("locked")
    )
    # Looked at again once it is locked: another relay may have claimed it, or a receipt ended it, a moment before.
    statement = (
        update(outbox)
        .where(outbox.c.id == locked.c.id, locked.c.left_at.is_(None), locked.c.next_at <= now)
        .values(next_at=lease_until, tries=outbox.c.tries + 1)
        .returning(*_LETTER)
    )
    rows = await session.execute(statement)
    return sorted((_letter(row) for row in rows), key=lambda letter: letter.id)


def due_rows(lane: Lane, *, most: int, now: datetime) -> Select[tuple[int]]:
    """The query for what may be claimed.

    It goes from peer to peer, one step in the index each, and by due time within each: neither a hundred thousand rows
    that wait for their time nor as many of a peer that is stuck are read on the way to the few that may leave.
    """
    mine = (outbox.c.left_at.is_(None), outbox.c.lane == lane)
    lowest = select(outbox.c.peer).where(*mine).order_by(outbox.c.peer).limit(1)
    walk = select(lowest.scalar_subquery().label("peer")).cte("walk", recursive=True)
    onward = lowest.where(outbox.c.peer > walk.c.peer).scalar_subquery()
    walk = walk.union_all(select(onward).where(walk.c.peer.is_not(None)))
    stuck = select(passage.c.peer).where(passage.c.lane == lane, passage.c.stuck_until > now)
    ways = select(walk.c.peer).where(walk.c.peer.is_not(None), walk.c.peer.not_in(stuck)).subquery("ways")
    order = (outbox.c.next_at, outbox.c.id)
    first = (
        select(*order)
        .where(*mine, outbox.c.peer == ways.c.peer, outbox.c.next_at <= now, may_leave())
        .order_by(*order)
        .limit(most)
        .lateral("first")
    )
    ordered = (first.c.next_at, first.c.id)
    return select(first.c.id).select_from(ways.join(first, true())).order_by(*ordered).limit(most)


def may_leave() -> ColumnElement[bool]:
    """The condition that a row's peer is not closed while this node recovers, or that the row is part of recovering."""
    closed = select(recovering_peer.c.peer).where(recovering_peer.c.done_at.is_(None))
    return or_(outbox.c.type.in_(OF_RECOVERY), outbox.c.peer.not_in(closed))


async def begin_copies(
    session: Session, drafts: Sequence[tuple[Letter, SignedText | None]], *, now: datetime
) -> list[Begun]:
    """Store the text of each row unless one is stored already, count the copy, and return what is to be published.

    A draft is a letter and a new signature, None where the letter came with its text. The guard is in the statement: of
    two relays that signed the same row the second gets the first one's text back. For rows that the caller has claimed.
    """
    if not drafts:
        return []
    letters = {letter.id: letter for letter, _ in drafts}
    texts = [text for _, text in drafts]
    draft = (
        func.unnest(
            _array([letter.id for letter, _ in drafts], BigInteger()),
            _array([text and text.jws for text in texts], Text()),
            _array([text and text.kid for text in texts], Text()),
            _array([text and text.inner_hash for text in texts], Text()),
        )
        .table_valued(column("id", BigInteger), column("jws", Text), column("kid", Text), column("hash", Text))
        .render_derived(name="draft")
    )
    statement = (
        update(outbox)
        .where(outbox.c.id == draft.c.id)
        .values(
            jws=func.coalesce(outbox.c.jws, draft.c.jws),
            jws_kid=func.coalesce(outbox.c.jws_kid, draft.c.kid),
            jws_hash=func.coalesce(outbox.c.jws_hash, draft.c.hash),
            signed_at=func.coalesce(outbox.c.signed_at, now),
            began_at=now,
            copy=outbox.c.copy + 1,
            trouble=None,  # it is what the latest attempt met with, and that one begins now
        )
        .returning(outbox.c.id, outbox.c.jws, outbox.c.copy)
    )
    stored = (Begun(letters[row.id], row.jws, row.copy) for row in await session.execute(statement))
    return sorted(stored, key=lambda begun: begun.letter.id)


async def settle(
    session: Session, settlements: Collection[Settlement], *, lane: Lane, lease_until: datetime, now: datetime
) -> None:
    """Note how attempts on a lane ended. Rows whose receipt came meanwhile have left, and stay as they are.

    `lease_until` is what the claim wrote: a row that was made due in between (its tier was raised, the peer misses it)
    keeps that time, since this attempt began before. All rows are locked first, in the order of their ids.
    """
    if not settlements:
        return
    await lock(session, [one.id for one in settlements])
    end = (
        func.unnest(
            _array([one.id for one in settlements], BigInteger()),
            _array([one.next_at for one in settlements], _MOMENT),
            _array([one.trouble and one.trouble.value for one in settlements], Text()),
            _array([one.left_by and one.left_by.value for one in settlements], Text()),
            _array([one.confirmed_at for one in settlements], _MOMENT),
        )
        .table_valued(
            column("id", BigInteger),
            column("next_at", _MOMENT),
            column("trouble", Text),
            column("left_by", Text),
            column("confirmed_at", _MOMENT),
        )
        .render_derived(name="ended")
    )
    statement = (
        update(outbox)
        .where(outbox.c.id == end.c.id, outbox.c.left_at.is_(None))
        .values(
            next_at=case((outbox.c.next_at == lease_until, end.c.next_at), else_=outbox.c.next_at),
            trouble=end.c.trouble,
            left_at=case((end.c.left_by.is_not(None), now)),
            left_by=end.c.left_by,
            # Of two attempts at once, as after a lease ran out, the later confirmation is the one that counts.
            confirmed_at=func.greatest(outbox.c.confirmed_at, end.c.confirmed_at),
            published_lane=case((end.c.confirmed_at.is_not(None), lane.value), else_=outbox.c.published_lane),
        )
    )
    await session.execute(statement)


async def lock(session: Session, ids: Collection[int]) -> None:
    """Lock these rows in the order that lets no two transactions wait for each other, left ones too."""
    query = select(outbox.c.id).where(outbox.c.id == func.any(_array(ids, BigInteger())))
    await session.execute(query.order_by(outbox.c.id).with_for_update())


def _array(values: Collection[Any], kind: BigInteger | DateTime | Text) -> ColumnElement[Any]:
    return bindparam(None, list(values), type_=ARRAY(kind), unique=True)


def _letter(row: Row[Any]) -> Letter:
    return Letter(**row._mapping)  # noqa: SLF001 - the public name of a row's mapping begins with an underscore
