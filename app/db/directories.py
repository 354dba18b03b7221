"""The versions of the directory this node has worked with, and what it learned from them too late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, exists, func, literal, select, union
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_delivery import InboxState, LeftBy, QuarantineState, inbox, outbox, quarantine
from app.db.tables_evidence import directory_seen, replaced_text, revocation_seen
from app.domain.codes import MessageType

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, CompoundSelect

    from app.db.engine import ReadSession, Session

HIGHEST_VERSION = 2**31 - 1
"""What the column holds."""

UNPROVEN = "unproven:"
"""How the quarantine names a text whose key was not believed: this, and the name of the text."""


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """A version of the directory, the digest of its file, and since when this node has worked with it."""

    version: int
    digest: str
    seen_at: datetime


@dataclass(frozen=True, slots=True, order=True)
class Revocation:
    """A signing key of `code` and the moment from which it is not believed."""

    code: str
    kid: str
    revoked_at: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """A text of a peer that stands here although its key is now said to have been revoked before it came.

    `received_at` is when this very text came. `jws` is given where only the text itself says whether it is one of
    these: it came before `revoked_at`, and may have been dated after it.
    """

    iss: str
    jti: UUID
    kid: str
    type: str
    thread: str | None
    state: InboxState
    received_at: datetime
    revoked_at: datetime
    jws: str | None


async def newest_seen(session: ReadSession) -> SeenVersion | None:
    """Return the newest version this node has worked with, None before the first."""
    query = select(directory_seen).order_by(directory_seen.c.version.desc()).limit(1)
    row = (await session.execute(query)).first()
    return None if row is None else SeenVersion(row.version, row.digest, row.seen_at)


async def versions_seen(session: ReadSession, *, limit: int, before: int | None = None) -> list[SeenVersion]:
    """The versions this node has worked with, newest first; with `before` only lower ones."""
    query = select(directory_seen).order_by(directory_seen.c.version.desc()).limit(limit)
    if before is not None:
        query = query.where(directory_seen.c.version < min(before, HIGHEST_VERSION))
    return [SeenVersion(row.version, row.digest, row.seen_at) for row in await session.execute(query)]


async def add_seen(session: Session, seen: SeenVersion) -> bool:
    """Remember a version; False if it is there already, under whatever digest."""
    new = insert(directory_seen).values(version=seen.version, digest=seen.digest, seen_at=seen.seen_at)
    statement = new.on_conflict_do_nothing().returning(directory_seen.c.version)
    return (await session.execute(statement)).first() is not None


async def learn(session: Session, revocations: Collection[Revocation], *, now: datetime) -> list[Revocation]:
    """Remember since when these are known, and return those that were not, in order."""
    if not revocations:
        return []
    rows = [
        {"code": one.code, "kid": one.kid, "revoked_at": one.revoked_at, "learned_at": now}
        for one in sorted(revocations)
    ]
    statement = insert(revocation_seen).values(rows).on_conflict_do_nothing()
    columns = (revocation_seen.c.code, revocation_seen.c.kid, revocation_seen.c.revoked_at)
    return sorted(Revocation(*row) for row in await session.execute(statement.returning(*columns)))


async def accepted(
    session: ReadSession, revocation: Revocation, *, not_before: datetime, distrusted: Collection[str]
) -> list[Accepted]:
    """Return what came under that key from `not_before` on and stands, but for what is trusted for another reason.

    That is: two officers admitted it, or the same message came again under a key that is not among `distrusted`.
    Heartbeats are left out: the next one has replaced them.
    """
    own = and_(replaced_text.c.iss == inbox.c.iss, replaced_text.c.jti == inbox.c.jti)
    took_place = and_(own, replaced_text.c.noted_at > replaced_text.c.received_at)
    placed_at = select(func.max(replaced_text.c.noted_at)).where(took_place).scalar_subquery()
    came_at = func.greatest(inbox.c.received_at, placed_at)
    query = (
        select(
            inbox.c.iss,
            inbox.c.jti,
            inbox.c.kid,
            inbox.c.type,
            inbox.c.thread,
            inbox.c.state,
            came_at.label("received_at"),
            literal(revocation.revoked_at).label("revoked_at"),
            case((came_at < revocation.revoked_at, inbox.c.jws)).label("jws"),
        )
        .where(
            inbox.c.iss == revocation.code,
            inbox.c.kid == revocation.kid,
            inbox.c.type != MessageType.HEARTBEAT,
            inbox.c.jti.in_(_lately(revocation, not_before)),
        )
        .where(~_is_admitted(), ~exists().where(own, replaced_text.c.kid.not_in(distrusted)))
    )
    rows = (await session.execute(query.order_by(inbox.c.received_at, inbox.c.jti))).mappings()
    return [Accepted(**{**row, "state": InboxState(row["state"])}) for row in rows]


async def count_delivered(session: ReadSession, kid: str, *, since: datetime) -> int:
    """Count the messages of ours whose text is signed under `kid` and whose receipt came at `since` or later."""
    query = (
        select(func.count())
        .select_from(outbox)
        .where(
            outbox.c.jws_kid == kid,
            outbox.c.left_by == LeftBy.RECEIPT,
            outbox.c.receipted_at >= since,
            outbox.c.type != MessageType.HEARTBEAT,
        )
    )
    return int((await session.execute(query)).scalar_one())


def _lately(revocation: Revocation, not_before: datetime) -> CompoundSelect[tuple[UUID]]:
    """The messages of which some text came under that key from then on: two short ranges, however much it signed."""
    came = select(inbox.c.jti).where(
        inbox.c.iss == revocation.code, inbox.c.kid == revocation.kid, inbox.c.received_at >= not_before
    )
    took_place = select(replaced_text.c.jti).where(
        replaced_text.c.iss == revocation.code, replaced_text.c.noted_at >= not_before
    )
    return union(came, took_place)


def _is_admitted() -> ColumnElement[bool]:
    return exists().where(
        quarantine.c.digest == literal(UNPROVEN) + inbox.c.inner_hash,
        quarantine.c.state == QuarantineState.ADMITTED,
    )
