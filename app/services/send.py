"""Queue a message for another contact point, in the transaction of the act that causes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import uuid_utils

from app.audit.facts import Fact, FactType
from app.db import outbox, receipts, threads
from app.db.threads import NewThread, Place, ThreadKey
from app.domain.codes import Lane, MessageType
from app.envelope.canonical import canonical
from app.envelope.format import MAX_BODY_BYTES, encode_part
from app.errors import Refused, StorageInconsistent
from app.services.node import SYSTEM
from app.services.record import record
from app.services.recovery.closed import refuse_closed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.db.engine import Session
    from app.services.node import Node

THREADED = frozenset(
    {
        MessageType.EXCHANGE_OPEN,
        MessageType.EXCHANGE_ACTION,
        MessageType.EXCHANGE_STATE,
        MessageType.HOLD_ACTION,
        MessageType.ATTACHMENT_CHUNK,
        MessageType.ERASE,
        MessageType.VOID,
    }
)
"""Types that have a thread and a number; all others have neither (ruling 11)."""

EXPIRING = frozenset({MessageType.EXCHANGE_OPEN, MessageType.TEST_CALL})
"""Types that may carry `exp` (ruling 16)."""

UNRECORDED = frozenset({MessageType.RECEIPT, MessageType.HEARTBEAT})
"""Types whose queuing is no fact of its own: a receipt has `receipt.sent`, a heartbeat says nothing."""

ATTACHMENT_THREAD = "att:"

MAX_COPIED_BODY_BYTES = 192 * 1024
"""Of a message that its receiver may have to give back one day: inside `resync.copy/1` it is a third longer."""

NEVER_RETURNED = frozenset({MessageType.ATTACHMENT_CHUNK})
"""Types with a thread that no peer gives back after a restore: they are published again from their file."""

OF_EXCHANGES = frozenset(
    {MessageType.EXCHANGE_OPEN, MessageType.EXCHANGE_ACTION, MessageType.EXCHANGE_STATE, MessageType.HOLD_ACTION}
)
"""What nobody may say to a peer that is closed: what was said before we lost our memory is not known yet."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be queued.

    `lane` is the present lane of the exchange; None takes that of the thread, which is routine until somebody says
    otherwise. `exchange_id` needs to be given for attachment threads only: the thread of an exchange is its id.
    `fleeting`: nobody will want to see it again.
    """

    peer: str
    type: MessageType
    body: Mapping[str, Any]
    thread: str | None = None
    exp: datetime | None = None
    lane: Lane | None = None
    exchange_id: UUID | None = None
    fleeting: bool = False


async def put(session: Session, node: Node, outgoing: Outgoing, *, now: datetime) -> UUID:
    """Queue it and return its `jti`; it leaves this state when, and only if, the caller's transaction commits.

    Takes the next number of the thread and locks the thread row until then, which is how two acts in one thread get
    their order. Raises `Refused` (`message_too_large`) for a body that no envelope could carry, `Unavailable`
    (`recovering`) for an exchange with a peer that is closed.
    """
    _check_form(outgoing)
    if outgoing.type in OF_EXCHANGES:
        await refuse_closed(session, node, outgoing.peer)
    jti = UUID(bytes=uuid_utils.uuid7().bytes)
    place = None
    if outgoing.thread is not None:
        opened_by = node.code if outgoing.type is MessageType.EXCHANGE_OPEN else None
        key = ThreadKey(outgoing.thread, outgoing.peer)
        row = NewThread(key, _exchange_of(outgoing), opened_by, outgoing.lane)
        place = await threads.take_place(session, row, jti, now=now)
    await _queue(session, node, outgoing, (jti, place), now=now)
    return jti


async def put_at(session: Session, node: Node, outgoing: Outgoing, place: Place, *, now: datetime) -> UUID:
    """Queue it at a place that is free, below the next number; the caller has locked the thread row.

    For `void/1` alone: everything else takes its turn.
    """
    _check_form(outgoing)
    jti = UUID(bytes=uuid_utils.uuid7().bytes)
    await _queue(session, node, outgoing, (jti, place), now=now)
    return jti


async def _queue(
    session: Session, node: Node, outgoing: Outgoing, named: tuple[UUID, Place | None], *, now: datetime
) -> None:
    jti, place = named
    body = canonical(dict(outgoing.body))
    most = MAX_COPIED_BODY_BYTES if outgoing.type in THREADED - NEVER_RETURNED else MAX_BODY_BYTES
    if len(body) > most:
        raise Refused("message_too_large", f"A message has at most {most} bytes; attach the rest.")
    queued = outbox.Queued(
        jti=jti,
        peer=outgoing.peer,
        thread=outgoing.thread,
        seq=place.seq if place else None,
        prev=place.prev if place else None,
        type=outgoing.type.value,
        body=body,
        exp=outgoing.exp,
        exchange_id=_exchange_of(outgoing),
        lane=place.lane if place else outgoing.lane or Lane.ROUTINE,
        created_at=now,
        fleeting=outgoing.fleeting,
    )
    await outbox.put(session, queued)
    if outgoing.type not in UNRECORDED:
        await record(session, node, _fact(queued), actor=SYSTEM, now=now)


async def move_lane(session: Session, exchange_id: UUID, lane: Lane, *, now: datetime) -> None:
    """Follow a change of tier: all threads of the exchange take `lane` from now on.

    Raised to urgent, everything that has no receipt yet is published again at once on that lane. Call it before `put`
    when the change itself is to travel on the new lane.
    """
    await threads.set_lane(session, exchange_id, lane)
    if lane is Lane.URGENT:
        await receipts.hasten_exchange(session, exchange_id, now=now)
    else:
        await receipts.slow_down_exchange(session, exchange_id)


def _check_form(outgoing: Outgoing) -> None:
    """Refuse what our own code may not queue: the receiver would have to."""
    if (outgoing.thread is not None) != (outgoing.type in THREADED):
        raise StorageInconsistent("message_form", f"{outgoing.type} and its thread do not go together.")
    if outgoing.exp is not None and outgoing.type not in EXPIRING:
        raise StorageInconsistent("message_form", f"{outgoing.type} does not expire.")


def _exchange_of(outgoing: Outgoing) -> UUID | None:
    if outgoing.thread is None or outgoing.thread.startswith(ATTACHMENT_THREAD):
        return outgoing.exchange_id
    return UUID(outgoing.thread)


def _fact(queued: outbox.Queued) -> Fact:
    message = {"type": queued.type, "seq": queued.seq, "body": encode_part(hashlib.sha256(queued.body).digest())}
    return Fact(
        FactType.ENVELOPE_QUEUED,
        thread=queued.thread,
        jti=str(queued.jti),
        peer=queued.peer,
        contents={"message": message},
    )
