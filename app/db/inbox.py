"""Every authenticated message once: what is new, what is a duplicate, what waits, and how each one ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, Text, and_, bindparam, column, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.db.tables_delivery import InboxState, inbox, thread
from app.db.tables_recovery import recovering_peer
from app.db.threads import ThreadKey
from app.domain.codes import Fate, Lane, MessageType

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row, Select

    from app.db.engine import ReadSession, Session

WAITING = (InboxState.HELD, InboxState.QUARANTINED)

RESYNCING = (MessageType.RESYNC.value, MessageType.RESYNC_COPY.value)
"""What has its turn also while its sender is closed (ruling 22)."""

MessageKey = tuple[str, "UUID"]
"""`(iss, jti)`: what makes two arrivals the same message."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One row. `inner_hash` names the text `jws`; `lane`, `copy` and `received_at` (our clock) are its first copy's."""

    iss: str
    jti: UUID
    thread: str | None
    seq: int | None
    type: str
    kid: str
    inner_hash: str
    jws: str
    lane: Lane
    copy: int
    received_at: datetime
    state: InboxState
    code: str | None

    @property
    def key(self) -> MessageKey:
        """What makes another arrival a duplicate of this one."""
        return self.iss, self.jti

    @property
    def thread_key(self) -> ThreadKey | None:
        """The thread it has a number in, if any."""
        return None if self.thread is None else ThreadKey(self.thread, self.iss)


@dataclass(frozen=True, slots=True)
class InLine:
    """A message that waits in a thread; its text is not loaded."""

    key: MessageKey
    seq: int
    state: InboxState


@dataclass(frozen=True, slots=True)
class Ending:
    """How a waiting message ended, or that it is now quarantined; `code` says why where that needs saying."""

    key: MessageKey
    state: InboxState
    code: str | None = None


@dataclass(frozen=True, slots=True)
class FateOf:
    """One consumed message of a thread, for the answer that tells the other side (`exchange.state/1: answers`)."""

    jti: UUID
    seq: int
    type: str
    fate: Fate
    code: str | None


_COLUMNS = tuple(inbox.c[name] for name in Stored.__dataclass_fields__)


async def remember(session: Session, rows: Collection[Stored]) -> set[tuple[MessageKey, str]]:
    """Insert what is new and return its keys with the names of the stored texts; the rest is there already.

    A row whose `(iss, jti)` or `(iss, thread, seq)` is taken is not inserted, whatever its text: the caller looks at
    what is there and tells a duplicate from an equivocation. Waits for a concurrent insert of the same key to end.
    """
    # Those of threads come under the lock of their thread and keep the order of arrival. The others have no lock:
    # inserted by key, no two transactions can wait for each other.
    ordered = sorted((row for row in rows if row.thread is None), key=lambda row: row.key)
    ordered += [row for row in rows if row.thread is not None]
    values = [
        {name: getattr(row, name) for name in Stored.__dataclass_fields__}
        | {"applied_at": None if row.state in WAITING else row.received_at}
        for row in ordered
    ]
    if not values:
        return set()
    # The rows are parameters and not part of the statement: it is compiled once, not for each number of rows anew.
    statement = insert(inbox).on_conflict_do_nothing().returning(inbox.c.iss, inbox.c.jti, inbox.c.inner_hash)
    new = await session.execute(statement, values)
    return {((row.iss, row.jti), row.inner_hash) for row in new}


async def find(
    session: ReadSession, keys: Collection[MessageKey], places: Collection[tuple[ThreadKey, int]] = ()
) -> list[Stored]:
    """Return the rows with one of these keys, and those that hold one of these places of a thread."""
    wanted = []
    if keys:
        wanted.append(tuple_(inbox.c.iss, inbox.c.jti).in_(keys))
    if places:
        taken = [(key.peer, key.id, seq) for key, seq in places]
        wanted.append(tuple_(inbox.c.iss, inbox.c.thread, inbox.c.seq).in_(taken))
    return await _load(session, select(*_COLUMNS).where(or_(*wanted))) if wanted else []


async def lock_found(
    session: Session, keys: Collection[MessageKey], places: Collection[tuple[ThreadKey, int]] = ()
) -> list[Stored]:
    """Return the same as `find`, every row locked, in the order of their keys."""
    found = await find(session, keys, places)
    query = select(*_COLUMNS).where(tuple_(inbox.c.iss, inbox.c.jti).in_([row.key for row in found]))
    return await _load(session, query.order_by(inbox.c.iss, inbox.c.jti).with_for_update()) if found else []


async def replace_text(session: Session, row: Stored) -> None:
    """Store another text of a message that waits, and how it stands with it; for a caller that has locked the row."""
    await session.execute(
        update(inbox)
        .where(inbox.c.iss == row.iss, inbox.c.jti == row.jti, inbox.c.applied_at.is_(None))
        .values(kid=row.kid, inner_hash=row.inner_hash, jws=row.jws, state=row.state, code=row.code)
    )


async def waiting_in(session: ReadSession, consumed: Mapping[ThreadKey, int]) -> dict[ThreadKey, list[InLine]]:
    """Return what each of these threads holds above its consumed number, by number."""
    keys = sorted(consumed)
    lines = func.unnest(
        bindparam("peers", [key.peer for key in keys], type_=ARRAY(Text)),
        bindparam("threads", [key.id for key in keys], type_=ARRAY(Text)),
        bindparam("consumed", [consumed[key] for key in keys], type_=ARRAY(Integer)),
    ).table_valued(column("peer", Text), column("id", Text), column("consumed", Integer))
    given = lines.render_derived(name="given")
    query = select(inbox.c.iss, inbox.c.jti, inbox.c.thread, inbox.c.seq, inbox.c.state).join(
        given,
        and_(inbox.c.iss == given.c.peer, inbox.c.thread == given.c.id, inbox.c.seq > given.c.consumed),
    )
    waiting: dict[ThreadKey, list[InLine]] = {key: [] for key in keys}
    if keys:
        for row in await session.execute(query.order_by(inbox.c.seq)):
            in_line = InLine((row.iss, row.jti), row.seq, InboxState(row.state))
            waiting[ThreadKey(row.thread, row.iss)].append(in_line)
    return waiting


async def next_in_turn(session: ReadSession, *, limit: int) -> list[Stored]:
    """Return held messages whose turn has come though nobody took it: what a crash between two commits leaves.

    Those of closed peers wait on (ruling 22), but for what opens them again.
    """
    closed = select(recovering_peer.c.peer).where(recovering_peer.c.done_at.is_(None))
    query = (
        select(*_COLUMNS)
        .outerjoin(thread, and_(thread.c.peer == inbox.c.iss, thread.c.id == inbox.c.thread))
        .where(
            inbox.c.state == InboxState.HELD,
            inbox.c.applied_at.is_(None),
            or_(inbox.c.thread.is_(None), inbox.c.seq == thread.c.consumed_in + 1),
            or_(inbox.c.type.in_(RESYNCING), inbox.c.iss.not_in(closed)),
        )
    )
    return await _load(session, query.order_by(inbox.c.received_at, inbox.c.jti).limit(limit))


async def lock_waiting(session: Session, keys: Collection[MessageKey]) -> set[MessageKey]:
    """Lock those of these messages that are still held, in the order of their keys."""
    query = (
        select(inbox.c.iss, inbox.c.jti)
        .where(tuple_(inbox.c.iss, inbox.c.jti).in_(keys), inbox.c.state == InboxState.HELD)
        .order_by(inbox.c.iss, inbox.c.jti)
        .with_for_update()
    )
    return {(row.iss, row.jti) for row in await session.execute(query)} if keys else set()


async def oldest_in(session: ReadSession, state: InboxState, *, limit: int) -> list[Stored]:
    """Return what has been `held` or `quarantined` longest, up to `limit`."""
    query = select(*_COLUMNS).where(inbox.c.state == state, inbox.c.applied_at.is_(None))
    return await _load(session, query.order_by(inbox.c.received_at, inbox.c.jti).limit(limit))


async def end(session: Session, endings: Sequence[Ending], *, now: datetime) -> None:
    """Store how messages ended. One that has ended is never changed again."""
    statement = (
        update(inbox)
        .where(inbox.c.iss == bindparam("of_iss"), inbox.c.jti == bindparam("of_jti"), inbox.c.applied_at.is_(None))
        .values(state=bindparam("new_state"), code=bindparam("new_code"), applied_at=bindparam("at"))
    )
    rows = [
        {
            "of_iss": one.key[0],
            "of_jti": one.key[1],
            "new_state": one.state,
            "new_code": one.code,
            "at": None if one.state in WAITING else now,
        }
        for one in sorted(endings, key=lambda one: one.key)
    ]
    if rows:
        await session.execute(statement, rows)


async def release(session: Session, keys: Collection[MessageKey]) -> None:
    """Turn quarantined messages into held ones: they take their turn again."""
    await session.execute(
        update(inbox)
        .where(tuple_(inbox.c.iss, inbox.c.jti).in_(keys), inbox.c.state == InboxState.QUARANTINED)
        .values(state=InboxState.HELD, code=None)
    )


async def count_duplicates(session: Session, keys: Sequence[MessageKey]) -> None:
    """Add one to each of these messages per time it is named."""
    statement = (
        update(inbox)
        .where(inbox.c.iss == bindparam("of_iss"), inbox.c.jti == bindparam("of_jti"))
        .values(duplicates=inbox.c.duplicates + 1)
    )
    if keys:
        await session.execute(statement, [{"of_iss": iss, "of_jti": jti} for iss, jti in sorted(keys)])


async def fates(session: ReadSession, key: ThreadKey) -> list[FateOf]:
    """Return every consumed message of the peer in this thread with its fate, by number."""
    query = (
        select(inbox.c.jti, inbox.c.seq, inbox.c.type, inbox.c.state, inbox.c.code)
        .where(inbox.c.iss == key.peer, inbox.c.thread == key.id, inbox.c.applied_at.is_not(None))
        .order_by(inbox.c.seq)
    )
    return [FateOf(row.jti, row.seq, row.type, Fate(row.state), row.code) for row in await session.execute(query)]


async def _load(session: ReadSession, query: Select[Any]) -> list[Stored]:
    return [_stored(row) for row in await session.execute(query)]


def _stored(row: Row[Any]) -> Stored:
    columns = dict(row._mapping)  # noqa: SLF001 - the public name of a row's mapping begins with an underscore
    columns |= {"lane": Lane(columns["lane"]), "state": InboxState(columns["state"])}
    return Stored(**columns)
