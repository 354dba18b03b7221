"""Give stored messages their effect, each in its turn, and say how they ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import inbox, recoveries, resyncs, threads
from app.db.inbox import Ending
from app.db.tables_delivery import InboxState, QuarantineState
from app.domain.codes import Fate, MessageType
from app.errors import StorageInconsistent
from app.services.heartbeat import note_heartbeat
from app.services.inbound import Applied, as_received, has_expired, read_kept
from app.services.recovery.restate import take_again
from app.services.send import ATTACHMENT_THREAD, EXPIRING
from app.services.take_receipts import lock_named, take_receipts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.resyncs import AdoptedFate
    from app.db.threads import Thread, ThreadKey
    from app.services.inbound import Apply, Due, Effects
    from app.services.node import Node

NOT_YOURS = "not_yours"

IN_ATTACHMENTS = frozenset({MessageType.ATTACHMENT_CHUNK, MessageType.ERASE, MessageType.VOID})
"""Types that an attachment's thread may hold. It belongs to whoever sends the file."""

REQUESTING_ACTS = frozenset({MessageType.EXCHANGE_ACTION, MessageType.HOLD_ACTION})
"""What the side that opened a thread says in it. Behind an opening that was refused it comes too late (ruling 14)."""

DECIDED: Mapping[str | None, Applied] = {
    QuarantineState.REJECTED.value: Applied(Fate.REFUSED, "rejected"),
    QuarantineState.VOIDED.value: Applied(Fate.VOID),
}
"""How a held message ends, when its turn comes, of which officers have decided that it has no effect."""

MOVING = frozenset({MessageType.EXCHANGE_STATE, MessageType.EXCHANGE_ACTION})
"""Types whose effect may change the lane of what is under way."""

SWEEP = 200
"""Messages that one sweep looks for."""


async def settle(session: Session, node: Node, due: Sequence[Due], *, effects: Effects, now: datetime) -> list[Due]:
    """Apply those of `due` whose turn it still is; returns them. For messages stored in an earlier transaction.

    Somebody else may have taken them meanwhile, the one before may have been stopped, or their sender is closed since:
    then nothing happens.
    """
    locked = await threads.lock(session, {one.row.thread_key for one in due if one.row.thread_key is not None})
    held = await inbox.lock_waiting(session, [one.row.key for one in due])
    closed = await recoveries.closed_peers(session)
    waiting = [
        one for one in due if one.row.key in held and (one.row.iss not in closed or one.row.type in inbox.RESYNCING)
    ]
    await lock_outbox(session, waiting)
    applied = await apply_in_turn(session, node, (locked, waiting), effects=effects, now=now)
    return [*applied, *await end_receipted(session, node, waiting, now=now)]


async def lock_outbox(session: Session, due: Sequence[Due]) -> None:
    """Lock now, in one order, what of the outbox the effects of a batch and its receipts might lock one by one.

    Nothing to do where they cannot come to more than one lock: then this asks the database nothing.
    """
    said = [as_received(one, MessageType.RECEIPT, None) for one in due if one.row.type == MessageType.RECEIPT]
    threads_ = {one.row.thread for one in due if one.row.type in MOVING and one.row.thread is not None}
    moving = {UUID(one) for one in threads_ if not one.startswith(ATTACHMENT_THREAD)}
    if moving and (said or len(moving) > 1):
        await lock_named(session, said, moving)


async def find_unsettled(session: ReadSession) -> list[Due]:
    """Return what waits although its turn has come: left by a crash between two commits, or released from quarantine.

    To be swept at every start and regularly, until it returns nothing: the effect of one message brings up the next.
    """
    return [read_kept(row) for row in await inbox.next_in_turn(session, limit=SWEEP)]


async def apply_in_turn(
    session: Session,
    node: Node,
    held: tuple[dict[ThreadKey, Thread], Sequence[Due]],
    *,
    effects: Effects,
    now: datetime,
) -> list[Due]:
    """Apply held messages whose threads are locked, in the order given; those whose number is not next are passed over.

    Their fates and the threads' counters are stored once, after the last; then each thread is answered once. Receipts
    are left to `end_receipted`.
    """
    locked, waiting = dict(held[0]), held[1]
    owners = await threads.owners(session, _opened_in(waiting))
    decided = await resyncs.fates_of(session, [one.row.key for one in waiting])
    applied: list[Due] = []
    endings: list[Ending] = []
    for one in waiting:
        if one.row.type == MessageType.RECEIPT:
            continue
        key = one.row.thread_key
        thread = None if key is None else locked[key]
        if thread is not None:
            if one.row.seq != thread.consumed_in + 1:
                continue
            locked[thread.key] = thread = _admit(one, thread, owners)
        known = decided.get(one.row.key)
        if known is None:
            ended = await _apply(session, node, (one, thread), effects=effects, now=now)
        else:
            ended = await _end_as_answered(session, node, (one, thread), known, now=now)
        endings.append(Ending(one.row.key, InboxState(ended.fate.value), ended.code))
        applied.append(one)
    await inbox.end(session, endings, now=now)
    moved = [locked[key] for key in sorted({one.row.thread_key for one in applied if one.row.thread_key is not None})]
    await threads.move(session, moved)
    for thread in moved:
        if thread.opened_by is not None or await _was_refused(session, thread):
            await effects.answer(session, node, thread.key, now)
    return applied


async def end_receipted(session: Session, node: Node, waiting: Sequence[Due], *, now: datetime) -> list[Due]:
    """Take the receipts among `waiting`; returns them. To be called last in a transaction, see `take_receipts`."""
    said = [one for one in waiting if one.row.type == MessageType.RECEIPT]
    if not said:
        return []
    ended = await take_receipts(session, node, [as_received(one, MessageType.RECEIPT, None) for one in said], now)
    endings = [Ending(one.row.key, InboxState(end.fate.value), end.code) for one, end in zip(said, ended, strict=True)]
    await inbox.end(session, endings, now=now)
    return said


async def _was_refused(session: ReadSession, thread: Thread) -> bool:
    """Whether the thread began with an opening that was not its sender's to make: it opened nothing, and is answered.

    Only then is there a number one without an opener; nearly every thread has its opener, and is not looked up.
    """
    if thread.opened_by is not None or thread.key.id.startswith(ATTACHMENT_THREAD):
        return False
    return any(row.type == MessageType.EXCHANGE_OPEN for row in await inbox.find(session, (), [(thread.key, 1)]))


def _opened_in(waiting: Sequence[Due]) -> set[str]:
    return {
        one.row.thread for one in waiting if one.row.thread is not None and one.row.type == MessageType.EXCHANGE_OPEN
    }


def _admit(one: Due, thread: Thread, owners: dict[str, str]) -> Thread:
    """Count the message, and let it open the thread if it may, which is then noted in `owners`.

    Only the first message of a thread opens it, and only while it is nobody else's. It may have been noted as that
    peer's beforehand: its request was passed by voice (ruling 15).
    """
    opened_by = thread.opened_by
    opens = one.row.type == MessageType.EXCHANGE_OPEN and not thread.key.id.startswith(ATTACHMENT_THREAD)
    if opens and opened_by is None and one.row.seq == 1:
        is_free = owners.setdefault(thread.key.id, one.row.iss) == one.row.iss
        opened_by = one.row.iss if is_free else None
    return replace(thread, consumed_in=thread.consumed_in + 1, opened_by=opened_by)


async def _end_as_answered(
    session: Session, node: Node, turn: tuple[Due, Thread | None], known: AdoptedFate, *, now: datetime
) -> Applied:
    """Give a message the fate that we had answered before we lost our memory of it; it has no effect a second time."""
    due, thread = turn
    if thread is not None:
        received = as_received(due, MessageType(due.row.type), thread.opened_by)
        await take_again(session, node, received, known.fate, now=now)
    return Applied(known.fate, known.code)


async def _apply(
    session: Session, node: Node, turn: tuple[Due, Thread | None], *, effects: Effects, now: datetime
) -> Applied:
    """Decide by the rules of delivery whether the message may have its effect, and if so let it."""
    due, thread = turn
    if due.row.code in DECIDED:
        return DECIDED[due.row.code]
    type_ = MessageType(due.row.type)
    if thread is not None and not _may_speak(type_, due, thread):
        late = type_ in REQUESTING_ACTS and await _was_refused(session, thread)
        return Applied(Fate.STALE) if late else Applied(Fate.REFUSED, NOT_YOURS)
    if type_ in EXPIRING and has_expired(due):
        return Applied(Fate.EXPIRED)
    received = as_received(due, type_, thread.opened_by if thread else None)
    return await _effect_of(type_, effects)(session, node, received, now)


def _may_speak(type_: MessageType, due: Due, thread: Thread) -> bool:
    """Whose act it is, as far as the thread can tell: the state is the requested side's, an opening is made once."""
    if thread.key.id.startswith(ATTACHMENT_THREAD) or type_ is MessageType.ATTACHMENT_CHUNK:
        return thread.key.id.startswith(ATTACHMENT_THREAD) and type_ in IN_ATTACHMENTS
    if type_ is MessageType.VOID:
        return True
    if type_ is MessageType.EXCHANGE_OPEN:
        return thread.opened_by == due.row.iss and due.row.seq == 1
    if type_ is MessageType.EXCHANGE_STATE:
        return thread.opened_by not in {None, due.row.iss}
    return thread.opened_by is not None


def _effect_of(type_: MessageType, effects: Effects) -> Apply:
    if type_ is MessageType.HEARTBEAT:
        return note_heartbeat
    apply = effects.apply.get(type_)
    if apply is None:
        raise StorageInconsistent("no_effect", f"A message of type {type_} is held that this release cannot apply.")
    return apply
