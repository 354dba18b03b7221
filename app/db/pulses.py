"""The latest heartbeat to and from each peer on each lane; and the clearing of what only heartbeats leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Text, bindparam, delete, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.db.passages import Way
from app.db.tables_delivery import LeftBy, inbox, outbox, publication
from app.db.tables_passage import pulse
from app.domain.codes import Lane, MessageType

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat of a peer: when it came, what its clock said, what runs there, which types it reads."""

    way: Way
    heard_at: datetime
    said_at: datetime
    software: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One entry of a receipt: `copy` of a text of ours was taken at `taken_at` by the peer's clock."""

    jti: UUID
    copy: int
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is known of one way. `skew_ms`: the peer's clock minus ours, known to within half the round trip."""

    way: Way
    sent_at: datetime | None
    answered_at: datetime | None
    round_trip_ms: int | None
    heard_at: datetime | None
    skew_ms: int | None
    software: str | None


async def begin_beats(
    session: Session, ways: Collection[Way], *, not_since: datetime, now: datetime
) -> dict[Way, UUID | None]:
    """Take it on to send a heartbeat on those of `ways` that had none since `not_since`; returns each's last one.

    Of several processes that do so at once one gets each way; it holds the row until its transaction ends.
    """
    wanted = sorted((way.peer, str(way.lane)) for way in ways)
    given = select(
        func.unnest(bindparam("peers", [peer for peer, _ in wanted], type_=ARRAY(Text))),
        func.unnest(bindparam("lanes", [lane for _, lane in wanted], type_=ARRAY(Text))),
        literal(now),
    )
    new = insert(pulse).from_select(["peer", "lane", "sent_at"], given)
    taken = new.on_conflict_do_update(
        index_elements=[pulse.c.peer, pulse.c.lane],
        set_={"sent_at": now},
        where=or_(pulse.c.sent_at.is_(None), pulse.c.sent_at <= not_since),
    ).returning(pulse.c.peer, pulse.c.lane, pulse.c.sent_jti)
    return {Way(row.peer, Lane(row.lane)): row.sent_jti for row in await session.execute(taken)} if wanted else {}


async def replace_beats(session: Session, jtis: Collection[UUID], *, now: datetime) -> None:
    """End heartbeats that have not left yet: a fresher one takes their place."""
    mine = (
        select(outbox.c.id)
        .where(outbox.c.jti.in_(jtis), outbox.c.left_at.is_(None))
        .order_by(outbox.c.id)
        .with_for_update()
    )
    if jtis:
        await session.execute(
            update(outbox).where(outbox.c.id.in_(mine)).values(left_at=now, left_by=LeftBy.REPLACED.value)
        )


async def name_beats(session: Session, sent: Sequence[tuple[Way, UUID]]) -> None:
    """Remember which message is the latest heartbeat of each way."""
    statement = (
        update(pulse)
        .where(pulse.c.peer == bindparam("to"), pulse.c.lane == bindparam("on"))
        .values(sent_jti=bindparam("name"))
    )
    if sent:
        await session.execute(statement, [{"to": way.peer, "on": str(way.lane), "name": jti} for way, jti in sent])


async def hear_beat(session: Session, beat: Beat) -> None:
    """Remember a heartbeat of a peer, unless a later one is known: they may come in any order, and again."""
    new = insert(pulse).values(
        peer=beat.way.peer,
        lane=str(beat.way.lane),
        heard_at=beat.heard_at,
        said_at=beat.said_at,
        software=beat.software,
        reads=list(beat.reads),
    )
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[pulse.c.peer, pulse.c.lane],
            set_={name: new.excluded[name] for name in ("heard_at", "said_at", "software", "reads")},
            where=or_(pulse.c.said_at.is_(None), pulse.c.said_at < new.excluded.said_at),
        )
    )


# Three moments tell the two clocks apart: ours before the first byte left and when the answer had come, theirs when it
# was taken. The peer's clock is ahead of the middle of ours by the skew, give or take half the round trip.
_ANSWERED = text("""
    UPDATE pulse p
    SET answered_at = :now,
        round_trip_ms = CAST(extract(epoch FROM greatest(:now - b.began_at, interval '0')) * 1000 AS integer),
        skew_ms = CAST(extract(epoch FROM :taken_at - (b.began_at + (:now - b.began_at) / 2)) * 1000 AS bigint)
    FROM publication b JOIN outbox o ON o.id = b.outbox_id
    WHERE o.jti = :jti AND b.copy = :copy AND p.peer = o.peer AND p.lane = b.lane AND p.sent_jti = o.jti
      AND (p.answered_at IS NULL OR p.answered_at < p.sent_at)
""")


async def answer_beats(session: Session, answers: Collection[Answer], *, now: datetime) -> None:
    """Measure round trip and clock by receipts for our latest heartbeats, which came at `now`.

    Answers that came too late, after the next heartbeat, change nothing.
    """
    for one in sorted(answers, key=lambda one: one.jti):
        values = {"jti": one.jti, "copy": one.copy, "taken_at": one.taken_at, "now": now}
        await session.execute(_ANSWERED, values)


async def mark_fleeting(session: Session, iss: str, jti: UUID) -> None:
    """Let a received message be cleared after a day: a heartbeat, or a receipt that speaks of heartbeats alone."""
    await session.execute(update(inbox).where(inbox.c.iss == iss, inbox.c.jti == jti).values(fleeting=True))


async def clear_fleeting(session: Session, *, before: datetime, unanswered_before: datetime, limit: int) -> int:
    """Delete up to `limit` rows each of inbox and outbox that are no evidence of anything; returns how many.

    Of ours what left, and heartbeats what was receipted too: a receipt for a text that we do not know is an alarm.
    Those that nobody has receipted go when they are older than `unanswered_before`.
    """
    answered = or_(outbox.c.type != MessageType.HEARTBEAT, outbox.c.receipted_at < before)
    old = (
        select(outbox.c.id)
        .where(outbox.c.fleeting, outbox.c.created_at < before, outbox.c.left_at < before)
        .where(or_(answered, outbox.c.created_at < unanswered_before))
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(await session.scalars(old))
    if ids:
        await session.execute(delete(publication).where(publication.c.outbox_id.in_(ids)))
        await session.execute(delete(outbox).where(outbox.c.id.in_(ids)))
    read = (
        select(inbox.c.iss, inbox.c.jti)
        .where(inbox.c.fleeting, inbox.c.received_at < before, inbox.c.applied_at.is_not(None))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .subquery()
    )
    gone = await session.execute(delete(inbox).where(inbox.c.iss == read.c.iss, inbox.c.jti == read.c.jti))
    return len(ids) + int(gone.rowcount)


async def pulses(session: ReadSession) -> dict[Way, Pulse]:
    """Return what is known of every way."""
    columns = [pulse.c[name] for name in Pulse.__dataclass_fields__ if name != "way"]
    rows = await session.execute(select(pulse.c.peer, pulse.c.lane, *columns))
    return {way: Pulse(way, *values) for peer, lane, *values in rows for way in (Way(peer, Lane(lane)),)}
