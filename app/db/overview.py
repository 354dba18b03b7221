"""How this node is doing, in numbers: what is open, what waits, who was heard from last. Never a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.tables_audit import audit_checkpoint, audit_pending, audit_tree
from app.db.tables_delivery import QuarantineState, inbox, outbox, quarantine
from app.db.tables_domestic import request
from app.db.tables_exchange import exchange
from app.domain.codes import IntakeState, Lane, State

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from app.db.engine import ReadSession

UNDECIDED = (
    IntakeState.INTAKE,
    IntakeState.TRIAGE,
    IntakeState.RETURNED,
    IntakeState.DECLINE_PROPOSED,
    IntakeState.DRAFTED,
)
"""States of a request that still wait for somebody of this state."""

UNACKNOWLEDGED = (State.DISPATCHED, State.DELIVERED)


@dataclass(frozen=True, slots=True)
class Open:
    """How many there are. `direction` is `domestic` for requests that have not left."""

    direction: str
    state: str
    tier: str
    count: int


@dataclass(frozen=True, slots=True)
class Oldest:
    """The oldest exchange of a tier that no person has acknowledged."""

    direction: str
    tier: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages of a lane, or of a state, that wait; `since` is None when none does."""

    name: str
    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class PeerSeen:
    """A counterpart: when its latest message was received, and how many of ours wait for its receipt."""

    code: str
    last_seen: datetime | None
    pending: int


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The log: entries, how many a published checkpoint covers, when that was signed, and facts still pending."""

    size: int
    published_size: int
    checkpoint_at: datetime | None
    pending: int


async def open_requests(session: ReadSession) -> Sequence[Open]:
    """Requests of our agencies that wait for a decision here."""
    rows = await session.execute(
        select(request.c.state, request.c.tier, func.count())
        .where(request.c.state.in_([str(state) for state in UNDECIDED]))
        .group_by(request.c.state, request.c.tier)
        .order_by(request.c.state, request.c.tier)
    )
    return [Open("domestic", state, tier, count) for state, tier, count in rows]


async def open_exchanges(session: ReadSession, ended: Collection[State]) -> Sequence[Open]:
    """Exchanges that are in none of the `ended` states, by direction, state and tier."""
    columns = (exchange.c.direction, exchange.c.state, exchange.c.tier)
    rows = await session.execute(
        select(*columns, func.count())
        .where(exchange.c.state.not_in([str(state) for state in ended]))
        .group_by(*columns)
        .order_by(*columns)
    )
    return [Open(direction, state, tier, count) for direction, state, tier, count in rows]


async def oldest_unacknowledged(session: ReadSession) -> Sequence[Oldest]:
    """Per direction and tier, since when the oldest one waits for a person at the requested side."""
    columns = (exchange.c.direction, exchange.c.tier)
    rows = await session.execute(
        select(*columns, func.count(), func.min(exchange.c.created_at))
        .where(exchange.c.state.in_([str(state) for state in UNACKNOWLEDGED]))
        .group_by(*columns)
        .order_by(*columns)
    )
    return [Oldest(direction, tier, count, since) for direction, tier, count, since in rows]


async def outbox_backlog(session: ReadSession) -> Sequence[Backlog]:
    """Per lane, the messages without a receipt."""
    rows = await session.execute(
        select(outbox.c.lane, func.count(), func.min(outbox.c.created_at))
        .where(outbox.c.left_at.is_(None), outbox.c.fleeting.is_(False))
        .group_by(outbox.c.lane)
    )
    found = {lane: Backlog(lane, count, since) for lane, count, since in rows}
    return [found.get(str(lane), Backlog(str(lane), 0, None)) for lane in Lane]


async def inbox_backlog(session: ReadSession) -> Sequence[Backlog]:
    """The messages that wait: `held` for an earlier one, `quarantined` for a person or a newer release."""
    rows = await session.execute(
        select(inbox.c.state, func.count(), func.min(inbox.c.received_at))
        .where(inbox.c.applied_at.is_(None))
        .group_by(inbox.c.state)
    )
    found = {state: Backlog(state, count, since) for state, count, since in rows}
    return [found.get(state, Backlog(state, 0, None)) for state in ("held", "quarantined")]


async def quarantine_open(session: ReadSession) -> int:
    """Deliveries that could not be trusted or understood and that nobody has dealt with."""
    waiting = select(func.count()).select_from(quarantine).where(quarantine.c.state == QuarantineState.OPEN.value)
    return int((await session.execute(waiting)).scalar_one())


_PEERS = text("""
    SELECT p.code,
           (SELECT i.received_at FROM inbox i WHERE i.iss = p.code ORDER BY i.jti DESC LIMIT 1) AS last_seen,
           (SELECT count(*) FROM outbox o WHERE o.peer = p.code AND o.left_at IS NULL AND NOT o.fleeting) AS pending
    FROM unnest(:codes) AS p (code) ORDER BY p.code
""").bindparams(bindparam("codes", type_=ARRAY(Text)))


async def peers_seen(session: ReadSession, codes: Collection[str]) -> Sequence[PeerSeen]:
    """Each of `codes`, sorted. Ids of messages are ordered by time, so each peer's latest is one step in an index."""
    rows = await session.execute(_PEERS, {"codes": list(codes)})
    return [PeerSeen(row.code, row.last_seen, row.pending) for row in rows]


async def audit_head(session: ReadSession, origin: str) -> AuditHead:
    """The log of that origin; sizes of 0 before it was opened."""
    pending = (await session.execute(select(func.count()).select_from(audit_pending))).scalar_one()
    tree = (await session.execute(select(audit_tree).where(audit_tree.c.origin == origin))).one_or_none()
    if tree is None:
        return AuditHead(size=0, published_size=0, checkpoint_at=None, pending=pending)
    signed_at = await session.execute(
        select(audit_checkpoint.c.at).where(
            audit_checkpoint.c.epoch == tree.epoch, audit_checkpoint.c.size == tree.published_size
        )
    )
    return AuditHead(tree.size, tree.published_size, checkpoint_at=signed_at.scalar_one_or_none(), pending=pending)
