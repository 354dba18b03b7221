"""Rows of the outbox seen from a recovery: what we have of our own texts, and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.db.holdings import IS_THERE
from app.db.tables_delivery import LeftBy, inbox, outbox, signed_text, thread
from app.domain.codes import Lane, MessageType, ReceiptStatus

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement

    from app.db.engine import ReadSession, Session
    from app.db.threads import ThreadKey


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A message of ours, and the name of its text if it was signed."""

    id: int
    jti: UUID
    peer: str
    thread: str | None
    seq: int | None
    type: str
    jws_hash: str | None
    is_superseded: bool


@dataclass(frozen=True, slots=True)
class OwnText:
    """A text of ours as a peer returned it, verified; with what the outbox keeps of it."""

    jti: UUID
    peer: str
    thread: str
    seq: int
    prev: UUID | None
    type: str
    body: bytes
    exp: datetime | None
    jws: str
    kid: str
    jws_hash: str
    signed_at: datetime


async def give_up_unnumbered(session: Session, *, now: datetime) -> list[tuple[str, bytes]]:
    """Take out of the outbox what has neither a number nor a text here: receipts, heartbeats, test calls, incidents.

    Their texts may have been signed after the backup; signed once more under the same name they would contradict them.
    Whoever misses such a receipt sends its message again. Nobody asks for an incident: whom we had to tell of one is
    returned with what there was to say, and has to be told under a new name.
    """
    unsigned = (outbox.c.thread.is_(None), outbox.c.jws.is_(None), outbox.c.left_at.is_(None))
    given_up = update(outbox).where(*unsigned).values(left_at=now, left_by=LeftBy.SUPERSEDED.value)
    rows = (await session.execute(given_up.returning(outbox.c.id, outbox.c.peer, outbox.c.type, outbox.c.body))).all()
    return [(row.peer, row.body) for row in sorted(rows, key=attrgetter("id")) if row.type == MessageType.INCIDENT]


async def find(session: Session, peer: str, jti: UUID, place: tuple[str, int]) -> tuple[OwnRow | None, OwnRow | None]:
    """Lock and return the row of this name, and the row at this place if that is another one."""
    by_place = and_(outbox.c.peer == peer, outbox.c.thread == place[0], outbox.c.seq == place[1])
    query = (
        select(
            outbox.c.id,
            outbox.c.jti,
            outbox.c.peer,
            outbox.c.thread,
            outbox.c.seq,
            outbox.c.type,
            outbox.c.jws_hash,
            (func.coalesce(outbox.c.left_by, "") == LeftBy.SUPERSEDED.value).label("is_superseded"),
        )
        .where(or_(outbox.c.jti == jti, by_place))
        .order_by(outbox.c.id)
        .with_for_update()
    )
    rows = [OwnRow(**row) for row in (await session.execute(query)).mappings()]
    named = next((row for row in rows if row.jti == jti), None)
    return named, next((row for row in rows if row.jti != jti), None)


async def is_known(session: ReadSession, jti: UUID, inner_hash: str) -> bool:
    """Whether this text is one that we know to have signed: the present one of its message, or an earlier one."""
    present = select(outbox.c.id).where(outbox.c.jti == jti, outbox.c.jws_hash == inner_hash)
    earlier = select(signed_text.c.jti).where(signed_text.c.jti == jti, signed_text.c.inner_hash == inner_hash)
    return (await session.execute(present)).first() is not None or (await session.execute(earlier)).first() is not None


async def add(session: Session, text: OwnText, *, exchange_id: UUID | None, lane: Lane, now: datetime) -> None:
    """Insert a message that we do not remember, as one that its peer has."""
    await session.execute(
        insert(outbox).values(
            jti=text.jti,
            peer=text.peer,
            thread=text.thread,
            seq=text.seq,
            prev=text.prev,
            type=text.type,
            body=text.body,
            exp=text.exp,
            exchange_id=exchange_id,
            lane=lane,
            created_at=text.signed_at,
            **_as_there(text, now),
        )
    )


async def give_text(session: Session, row: OwnRow, text: OwnText, *, now: datetime) -> None:
    """Give a message its first text back; one that was signed for it after the restore is kept as evidence."""
    if row.jws_hash is not None:
        await _keep_earlier(session, row, now=now)
    await session.execute(
        update(outbox)
        .where(outbox.c.id == row.id)
        .values(thread=text.thread, seq=text.seq, prev=text.prev, body=text.body, **_as_there(text, now))
    )


async def take_as_receipted(session: Session, row: OwnRow, *, now: datetime) -> None:
    """The peer showed that it has the text: that is as good as its receipt."""
    await session.execute(update(outbox).where(outbox.c.id == row.id, outbox.c.left_at.is_(None)).values(**_there(now)))


async def supersede(session: Session, row: OwnRow, *, now: datetime) -> None:
    """Take its place in the thread from a message made after the restore: an earlier text of ours has it."""
    await session.execute(
        update(outbox)
        .where(outbox.c.id == row.id)
        .values(
            thread=None,
            seq=None,
            prev=None,
            next_at=None,
            left_at=func.coalesce(outbox.c.left_at, now),
            left_by=LeftBy.SUPERSEDED,
        )
    )


async def set_owner(session: Session, key: ThreadKey, code: str) -> None:
    """Note who opened a locked thread, unless that is known."""
    await session.execute(
        update(thread)
        .where(thread.c.id == key.id, thread.c.peer == key.peer, thread.c.opened_by.is_(None))
        .values(opened_by=code)
    )


async def raise_counter(session: Session, key: ThreadKey, *, above: int) -> None:
    """Let the next number of a locked thread lie above that one, and name the right predecessor."""
    latest = (
        select(outbox.c.jti)
        .where(outbox.c.peer == key.peer, outbox.c.thread == key.id)
        .order_by(outbox.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    await session.execute(
        update(thread)
        .where(thread.c.id == key.id, thread.c.peer == key.peer)
        .values(next_out=func.greatest(thread.c.next_out, above + 1), last_out=latest)
    )


async def name_at(session: ReadSession, key: ThreadKey, seq: int) -> UUID | None:
    """The `jti` of our message at this place."""
    found: UUID | None = await session.scalar(select(outbox.c.jti).where(_in(key), outbox.c.seq == seq))
    return found


async def states(session: ReadSession, key: ThreadKey) -> list[tuple[bool, bytes]]:
    """Every `exchange.state/1` of ours in a thread, by number: whether the peer is known to have it, and its body."""
    query = select(IS_THERE.label("is_there"), outbox.c.body).where(
        _in(key), outbox.c.type == MessageType.EXCHANGE_STATE.value
    )
    return [(row.is_there, row.body) for row in await session.execute(query.order_by(outbox.c.seq))]


async def newest_moment(session: ReadSession) -> datetime | None:
    """The latest time of which this database knows: something queued, or something received."""
    sent = await session.scalar(select(func.max(outbox.c.created_at)))
    came = await session.scalar(select(func.max(inbox.c.received_at)))
    known: list[datetime] = [moment for moment in (sent, came) if moment is not None]
    return max(known, default=None)


async def heard_since(session: ReadSession, peer: str, moment: datetime) -> bool:
    """Whether anything of this peer has arrived since then."""
    query = select(inbox.c.jti).where(inbox.c.iss == peer, inbox.c.received_at > moment).limit(1)
    return (await session.execute(query)).first() is not None


async def end_asks(session: Session, peer: str, *, now: datetime) -> None:
    """What was asked under an earlier name needs no answer any more."""
    await session.execute(
        update(outbox).where(outbox.c.id.in_(_asks(peer))).values(left_at=now, left_by=LeftBy.REPLACED)
    )


async def repeat_asks(session: Session, peer: str, *, confirmed_before: datetime, now: datetime) -> int:
    """Publish again what was asked and confirmed by the broker before that moment; returns how many.

    A closed peer's receipts wait like everything else of it, so there is no evidence by which to resend.
    """
    again = _asks(peer).where(outbox.c.next_at.is_(None), outbox.c.confirmed_at < confirmed_before)
    result = await session.execute(update(outbox).where(outbox.c.id.in_(again)).values(next_at=now))
    return int(result.rowcount)


def _asks(peer: str) -> Any:  # noqa: ANN401 - a select that is narrowed further
    return (
        select(outbox.c.id)
        .where(outbox.c.peer == peer, outbox.c.type == MessageType.RESYNC.value, outbox.c.left_at.is_(None))
        .order_by(outbox.c.id)
        .with_for_update()
    )


def _in(key: ThreadKey) -> ColumnElement[bool]:
    return and_(outbox.c.peer == key.peer, outbox.c.thread == key.id)


def _as_there(text: OwnText, now: datetime) -> dict[str, Any]:
    return {
        "jws": text.jws,
        "jws_kid": text.kid,
        "jws_hash": text.jws_hash,
        "signed_at": text.signed_at,
        "trouble": None,
        **_there(now),
    }


def _there(now: datetime) -> dict[str, Any]:
    return {
        "receipted_at": now,
        "receipt_status": ReceiptStatus.STORED.value,
        "receipt_reason": None,
        "next_at": None,
        "left_at": now,
        "left_by": LeftBy.RECEIPT.value,
    }


async def _keep_earlier(session: Session, row: OwnRow, *, now: datetime) -> None:
    kept = select(
        outbox.c.jti, outbox.c.jws_hash, outbox.c.jws_kid, outbox.c.jws, func.coalesce(outbox.c.signed_at, now)
    ).where(outbox.c.id == row.id)
    names = ["jti", "inner_hash", "kid", "jws", "signed_at"]
    await session.execute(upsert(signed_text).from_select(names, kept).on_conflict_do_nothing())
