"""From the courier to an effect, as `services/keep.py`, `file_arrivals.py` and `settle.py` do it, in their order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.db.tables_delivery import InboxState
from app.domain.codes import Fate, Lane, MessageType, ReceiptStatus
from app.domain.messages import ReceiptBody, ReceiptEntry, known_message
from tests.model import effects
from tests.model.rules import Rule
from tests.model.sending import RESYNCING, Outgoing, put
from tests.model.values import MAX_AHEAD, Effect, Kept, Thread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.model.ground import Node
    from tests.model.values import MessageKey, Parcel, Store, Text, ThreadKey

EQUIVOCATION = "equivocation"
AWAITING = "awaiting_directory"
REVOKED = "key_revoked"
WAITING = frozenset({InboxState.HELD, InboxState.QUARANTINED})


@dataclass(slots=True)
class Filed:
    """An arrival and the key of its row; None if it contradicts one. `silent`: it is kept, and nothing is said."""

    parcel: Parcel
    key: MessageKey | None
    is_new: bool
    silent: bool = False


def keep(node: Node, store: Store, parcels: Iterable[Parcel]) -> list[MessageKey]:
    """Store what arrived and queue its receipts; returns, in order, what has its turn."""
    proven = [parcel for parcel in parcels if _prove(node, store, parcel)]
    near = [parcel for parcel in proven if _is_near(node, store, parcel)]
    filed = [_file(node, store, parcel) for parcel in near]
    turn = [one.key for one in filed if one.is_new and one.key is not None and one.parcel.text.thread is None]
    turn = [key for key in turn if store.inbox[key].state is InboxState.HELD]
    touched = {_thread_key(one.parcel.text): None for one in filed if one.parcel.text.thread is not None}
    for key in touched:
        turn += in_turn(node, store, key)
    _receipt(node, store, [one for one in filed if not one.silent], turn)
    return turn


def _thread_key(text: Text) -> ThreadKey:
    return (text.thread or "", text.iss)


def _prove(node: Node, store: Store, parcel: Parcel) -> bool:
    """Whether its sender is proven to have said it: under a key that was not known to be revoked when it came."""
    if parcel.text.aud != node.code:
        return False
    revoked_at = node.directory.get(parcel.text.kid)
    if revoked_at is None or node.now < revoked_at or not node.keeps(Rule.REVOKED_REFUSED):
        return True
    store.aside[f"{parcel.text.hash}:{REVOKED}"] = (parcel, REVOKED)
    node.ground.witness.dropped(parcel.number)
    return False


def _is_near(node: Node, store: Store, parcel: Parcel) -> bool:
    if parcel.text.thread is None:
        return True
    thread = store.threads.setdefault(_thread_key(parcel.text), Thread(lane=parcel.lane))
    if (parcel.text.seq or 0) <= thread.consumed_in + MAX_AHEAD:
        return True
    node.ground.witness.dropped(parcel.number)
    return False


def _file(node: Node, store: Store, parcel: Parcel) -> Filed:
    """Insert it, or tell whether it is the same text again or another one in its place."""
    text = parcel.text
    key = (text.iss, text.jti)
    there = store.inbox.get(key)
    taken = None if text.thread is None else store.places.get((text.iss, text.thread, text.seq or 0))
    if there is not None and there.text.hash != text.hash:
        return _second_text(node, store, parcel, there)
    if there is None and taken is not None:
        return _put_aside(node, store, parcel, EQUIVOCATION)
    if there is not None and node.keeps(Rule.DEDUPE):
        return Filed(parcel, key, is_new=False, silent=_is_silent(node, store, parcel))
    if there is not None:
        _again(node, store, text)
        return Filed(parcel, key, is_new=False)
    state, code = InboxState.HELD, None
    is_past = text.thread is not None and (text.seq or 0) <= store.threads[_thread_key(text)].consumed_in
    if is_past and node.keeps(Rule.ORDER):
        state, code = InboxState.REFUSED, "seq_taken"
    elif not _is_understood(node, text):
        state, code = InboxState.QUARANTINED, "unknown_type"
    store.inbox[key] = Kept(text, parcel.lane, node.now, state, code)
    if text.thread is not None:
        store.places[text.iss, text.thread, text.seq or 0] = text.jti
    return Filed(parcel, key, is_new=True, silent=_is_silent(node, store, parcel))


def _again(node: Node, store: Store, text: Text) -> None:
    """(Without deduplication) The effect a second time."""
    thread = store.threads.get(_thread_key(text))
    if text.type != MessageType.RECEIPT and (thread is None or (text.seq or 0) <= thread.consumed_in):
        fate, _ = effects.apply(node, store, (text, node.now), thread)
        store.effects.append(Effect(text.iss, text.jti, text.thread, text.seq, fate))


def _is_silent(node: Node, store: Store, parcel: Parcel) -> bool:
    """Nobody receipts a receipt, and a node that is recovering receipts nothing but what it recovers by."""
    closed = parcel.text.iss in store.closed and parcel.text.type not in RESYNCING
    if closed:
        node.ground.witness.dropped(parcel.number)
    return closed or parcel.text.type == MessageType.RECEIPT


def _is_understood(node: Node, text: Text) -> bool:
    return node.reads_all or known_message(text.type) is not None


def _second_text(node: Node, store: Store, parcel: Parcel, there: Kept) -> Filed:
    """Ruling 10: taken if it was signed again because the first one's key was revoked, else equivocation."""
    text, key = parcel.text, (parcel.text.iss, parcel.text.jti)
    if not node.keeps(Rule.FIRST_STANDS):
        store.inbox[key] = replace(there, text=text)
        return Filed(parcel, key, is_new=False)
    if text.said != there.text.said or text.kid == there.text.kid:
        return _put_aside(node, store, parcel, EQUIVOCATION)
    if there.text.kid not in node.directory:
        if not node.keeps(Rule.AWAITS_DIRECTORY):
            return _put_aside(node, store, parcel, EQUIVOCATION)
        store.aside[f"{text.hash}:{AWAITING}"] = (parcel, AWAITING)
        node.ground.witness.dropped(parcel.number)
        return Filed(parcel, None, is_new=False, silent=True)
    if there.state in WAITING:
        store.inbox[key] = replace(there, text=text)
    return Filed(parcel, key, is_new=False, silent=_is_silent(node, store, parcel))


def _put_aside(node: Node, store: Store, parcel: Parcel, reason: str) -> Filed:
    store.aside[f"{parcel.text.hash}:{reason}"] = (parcel, reason)
    return Filed(parcel, None, is_new=False, silent=parcel.text.iss in store.closed)


def in_turn(node: Node, store: Store, key: ThreadKey) -> list[MessageKey]:
    """What follows from the next number on without a gap; nothing of a peer with whom this node is recovering."""
    thread_id, iss = key
    if iss in store.closed:
        return []
    run = []
    number = store.threads[key].consumed_in + 1
    while (jti := store.places.get((iss, thread_id, number))) is not None:
        number += 1
        state = store.inbox[iss, jti].state
        if state is InboxState.QUARANTINED:
            if node.keeps(Rule.QUARANTINE_STOPS):
                break
            continue
        if state is InboxState.HELD:
            run.append((iss, jti))
    if not node.keeps(Rule.ORDER):
        waiting = ((name, kept) for name, kept in store.inbox.items() if (kept.text.thread, name[0]) == key)
        return [name for name, kept in waiting if kept.state is InboxState.HELD]
    return run


def _missing(store: Store, text: Text) -> tuple[int, ...]:
    key = _thread_key(text)
    present = {seq for iss, thread, seq in store.places if (thread, iss) == key}
    highest = max(present, default=0)
    return tuple(number for number in range(store.threads[key].consumed_in + 1, highest) if number not in present)


def _receipt(node: Node, store: Store, filed: list[Filed], turn: list[MessageKey]) -> None:
    """One `receipt/1` per peer and lane, in the same transaction."""
    lists: dict[tuple[str, Lane], list[Parcel]] = {}
    entries: dict[int, ReceiptEntry] = {}
    for position, one in enumerate(filed):
        entry = _entry(node, store, one, turn)
        if entry is not None:
            entries[position] = entry
            lists.setdefault((one.parcel.text.iss, one.parcel.lane), []).append(one.parcel)
    for peer, lane in lists:
        mine = [
            (filed[place].parcel, entry)
            for place, entry in entries.items()
            if (filed[place].parcel.text.iss, filed[place].parcel.lane) == (peer, lane)
        ]
        body = ReceiptBody(receipts=tuple(entry for _, entry in mine))
        put(node, store, Outgoing(peer, MessageType.RECEIPT, write(body), lane=lane))
        for parcel, _ in mine:
            node.ground.witness.answered(parcel.number, node.now)


def write(body: ReceiptBody) -> str:
    """The JSON of a receipt."""
    return body.model_dump_json(by_alias=True, exclude_none=True)


def _entry(node: Node, store: Store, filed: Filed, turn: list[MessageKey]) -> ReceiptEntry | None:
    text = filed.parcel.text
    status, reason = ReceiptStatus.STORED, None
    missing: tuple[int, ...] = ()
    received_at = node.now
    if filed.key is None:
        status, reason = ReceiptStatus.QUARANTINED, EQUIVOCATION
    else:
        row = store.inbox[filed.key]
        received_at = row.received_at
        if not filed.is_new and not node.keeps(Rule.DUPLICATE_RECEIPTED):
            return None
        if row.state is InboxState.QUARANTINED:
            status, reason = ReceiptStatus.QUARANTINED, row.code
        elif row.state is InboxState.HELD and filed.key not in turn:
            status = ReceiptStatus.HELD
            missing = _missing(store, text) if text.thread is not None else ()
            if not node.keeps(Rule.HELD_RECEIPTED):
                return None
    members = {
        "jti": text.jti,
        "copy": filed.parcel.copy,
        "inner_hash": text.hash,
        "status": status,
        "reason": reason,
        "received_at": received_at,
        "missing": missing or None,
    }
    return ReceiptEntry.model_validate(members)


def settle_turn(node: Node, store: Store, turn: Iterable[MessageKey]) -> None:
    """Give what has its turn its effect, then answer each thread once."""
    moved: dict[ThreadKey, None] = {}
    for key in turn:
        kept = store.inbox[key]
        if kept.state is not InboxState.HELD:
            continue
        text = kept.text
        thread = store.threads.get(_thread_key(text)) if text.thread is not None else None
        if thread is not None:
            if text.seq != thread.consumed_in + 1 and node.keeps(Rule.ORDER) and node.keeps(Rule.QUARANTINE_STOPS):
                continue
            thread = admit(store, text)
            moved[_thread_key(text)] = None
        fate, code = effects.apply(node, store, (text, kept.received_at), thread)
        end(store, key, fate, code)
    for thread_key in moved:
        after_moving(node, store, thread_key)


def after_moving(node: Node, store: Store, key: ThreadKey) -> None:
    """The thread is answered if the peer opened it, and what waits in it is looked at again."""
    if store.threads[key].opened_by is not None:
        effects.answer(node, store, key)
    if node.keeps(Rule.WITHDRAWAL_FOUND_LATER):
        effects.look_for_withdrawal(node, store, key)


def admit(store: Store, text: Text) -> Thread:
    """Count the message, and let it open the thread if it may."""
    key = _thread_key(text)
    thread = store.threads[key]
    opened_by = thread.opened_by
    if text.type == MessageType.EXCHANGE_OPEN and opened_by is None and text.seq == 1:
        elsewhere = any(one.opened_by and name[0] == key[0] for name, one in store.threads.items() if name != key)
        opened_by = None if elsewhere else text.iss
    consumed = max(thread.consumed_in, text.seq or 0)
    store.threads[key] = replace(thread, consumed_in=consumed, opened_by=opened_by)
    return store.threads[key]


def end(store: Store, key: MessageKey, fate: Fate, code: str | None) -> None:
    """Note how a message ended."""
    kept = store.inbox[key]
    store.inbox[key] = replace(kept, state=InboxState(fate.value), code=code)
    text = kept.text
    store.effects.append(Effect(text.iss, text.jti, text.thread, text.seq, fate))


def find_unsettled(node: Node) -> list[MessageKey]:
    """What waits although its turn has come: left between two commits, released, or reopened."""
    found = [key for thread in node.store.threads for key in in_turn(node, node.store, thread)]
    loose = (key for key, kept in node.store.inbox.items() if kept.text.thread is None)
    return found + [
        key for key in loose if node.store.inbox[key].state is InboxState.HELD and not _is_closed(node, key)
    ]


def _is_closed(node: Node, key: MessageKey) -> bool:
    return key[0] in node.store.closed and node.store.inbox[key].text.type not in RESYNCING
