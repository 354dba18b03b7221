"""What each type of message does, by the functions of `app/domain`; the services around them are mirrored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from app.db.tables_delivery import InboxState, LeftBy
from app.domain.codes import Fate, Lane, MessageType, ReceiptStatus, Tier
from app.domain.exchange.judging import Judged, awaiting_withdrawal, judge
from app.domain.exchange.moves import moved
from app.domain.exchange.opening import attach, attach_again, not_opened, open_exchange, read_opening
from app.domain.exchange.requesting_effects import carry_out
from app.domain.exchange.values import TERMINAL
from app.domain.exchange_codes import Flag
from app.domain.messages import ActionBody, FateBody, HoldActionBody, OpenBody, ReceiptBody, StateBody
from app.domain.passage import Passage, hear
from app.domain.requesting_acts import Stop, Withdraw
from app.domain.snapshot import adopt, read_snapshot, take_snapshot
from app.domain.tiers import lane_of
from app.domain.transitions import X29
from app.errors import Conflict
from tests.model import resync
from tests.model.records import RULES, save
from tests.model.rules import Rule
from tests.model.sending import Outgoing, hasten, move_lane, put
from tests.model.values import REMARK, Kept, Record

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.exchange.values import Exchange
    from app.domain.messages import ReceiptEntry
    from tests.model.ground import Node
    from tests.model.values import Store, Text, Thread, ThreadKey

NOT_YOURS = (Fate.REFUSED, "not_yours")
APPLIED = (Fate.APPLIED, None)
Ended = tuple[Fate, str | None]
Come = tuple["Text", "datetime"]
"""A text and when its first copy came."""


def apply(node: Node, store: Store, come: Come, thread: Thread | None) -> Ended:
    """The rules of delivery first, then what the message itself does."""
    text, received_at = come
    adopted = store.fates.get((text.iss, text.jti))
    if adopted is not None and node.keeps(Rule.FATES_ADOPTED):
        if text.type == MessageType.EXCHANGE_OPEN:
            _reopen(node, store, text)
        return adopted
    if text.type == REMARK:
        return APPLIED if thread is not None and thread.opened_by is not None else NOT_YOURS
    type_ = MessageType(text.type)
    if thread is not None and not _may_speak(type_, text, thread):
        return NOT_YOURS
    judged_at = received_at if node.keeps(Rule.EXPIRED_BY_FIRST_COPY) else node.now
    if text.exp is not None and judged_at >= text.exp:
        return Fate.EXPIRED, None
    return _effect(node, store, come)


def _effect(node: Node, store: Store, come: Come) -> Ended:
    text = come[0]
    effects = {
        MessageType.RECEIPT: take_receipts,
        MessageType.RESYNC: resync.apply,
        MessageType.RESYNC_COPY: resync.apply,
        MessageType.VOID: _void,
        MessageType.EXCHANGE_OPEN: _open,
        MessageType.EXCHANGE_STATE: _state,
    }
    effect = effects.get(MessageType(text.type))
    return _wish(node, store, come) if effect is None else effect(node, store, text)


def _void(_node: Node, _store: Store, _text: Text) -> Ended:
    return Fate.VOID, None


def _may_speak(type_: MessageType, text: Text, thread: Thread) -> bool:
    if type_ is MessageType.EXCHANGE_OPEN:
        return thread.opened_by == text.iss and text.seq == 1
    if type_ is MessageType.EXCHANGE_STATE:
        return thread.opened_by not in {None, text.iss}
    return thread.opened_by is not None or type_ is MessageType.VOID


def take_receipts(node: Node, store: Store, text: Text) -> Ended:
    """Rows end by the receipt of a text that we signed; what is missing before them hurries."""
    began: dict[Lane, datetime] = {}
    for entry in ReceiptBody.model_validate_json(text.body).receipts:
        row = store.row_of(entry.jti)
        if row is None or row.peer != text.iss or not _is_ours(node, store, row.id, entry):
            node.ground.witness.unknown_receipts += 1
            continue
        publication = store.publications.get((row.id, entry.copy_number))
        if publication is not None and publication.receipted_at is None:
            store.publications[row.id, entry.copy_number] = replace(publication, receipted_at=node.now)
            began[publication.lane] = max(began.get(publication.lane, publication.began_at), publication.began_at)
        is_news = row.status is None or entry.status is not ReceiptStatus.HELD
        status, reason = (entry.status, entry.reason) if is_news else (row.status, row.reason)
        store.outbox[row.id] = replace(row, status=status, reason=reason, left_by=row.left_by or LeftBy.RECEIPT)
        if entry.missing and row.thread is not None:
            hasten(node, store, text.iss, row.thread)
    for lane, moment in began.items():
        way = (text.iss, lane)
        store.passages[way] = hear(store.passages.get(way, Passage()), moment, now=node.now)
    return APPLIED


def _is_ours(node: Node, store: Store, id: int, entry: ReceiptEntry) -> bool:
    row = store.outbox[id]
    present = row.text is not None and row.text.hash == entry.inner_hash
    return present or (entry.jti, entry.inner_hash) in store.earlier or not node.keeps(Rule.RECEIPT_NAMES_TEXT)


def _open(node: Node, store: Store, text: Text) -> Ended:
    body = OpenBody.model_validate_json(text.body)
    exchange_id = UUID(text.thread)
    noted = store.exchanges.get(exchange_id)
    if noted is None:
        save(node, store, Record(open_exchange(exchange_id, body, now=node.now), is_incoming=True))
        return APPLIED
    try:
        value = attach(noted.value, body, now=node.now)
    except Conflict:
        return NOT_YOURS
    save(node, store, replace(noted, value=value))
    return APPLIED


def _reopen(node: Node, store: Store, text: Text) -> None:
    """An opening that was answered before our database was restored: the exchange is what that answer said.

    A call about it that was noted since has begun there, and only its mark goes.
    """
    exchange_id, body = UUID(text.thread), OpenBody.model_validate_json(text.body)
    newest, noted = store.adopted.get(text.thread or ""), store.exchanges.get(exchange_id)
    if noted is not None and Flag.NOTED in noted.value.flags:
        value = attach_again(noted.value, body, now=node.now)
    elif noted is not None or newest is None:
        return
    else:
        value = read_snapshot(StateBody.model_validate_json(newest[1]).snapshot, asked=read_opening(body))
    save(node, store, Record(value, is_incoming=True))
    move_lane(node, store, str(exchange_id), lane_of(value.tier))


def _wish(node: Node, store: Store, come: Come) -> Ended:
    text, received_at = come
    form = HoldActionBody if text.type == MessageType.HOLD_ACTION else ActionBody
    wish = form.model_validate_json(text.body)
    record = store.exchanges.get(UUID(text.thread))
    if record is None:
        return Fate.STALE, None
    if not record.is_incoming or record.value.requesting != text.iss:
        return NOT_YOURS
    before = record.value
    judged = judge(before, wish, now=node.now, first_received_at=received_at, zone=RULES.zone)
    if not node.keeps(Rule.JUDGED) and isinstance(wish.act, Withdraw) and judged.fate is Fate.STALE:
        forced = replace(moved(carry_out(before, wish.act, now=node.now), X29, now=node.now))
        judged = Judged(Fate.APPLIED, None, replace(forced, generation=before.generation + 1))
    if judged.exchange is not before:
        save(node, store, replace(record, value=judged.exchange))
    if judged.exchange.tier is not before.tier:
        move_lane(node, store, str(before.id), lane_of(judged.exchange.tier))
    return judged.fate, judged.code


def _state(node: Node, store: Store, text: Text) -> Ended:
    body = StateBody.model_validate_json(text.body)
    record = store.exchanges.get(UUID(text.thread))
    if record is None or record.is_incoming or record.value.requested != text.iss:
        return NOT_YOURS
    if node.keeps(Rule.GENERATION_ADOPTED):
        try:
            value = adopt(record.value, body.snapshot)
        except Conflict:
            return NOT_YOURS
    else:
        value = read_snapshot(body.snapshot, asked=record.value.asked)
    ended = _end_acts(store, body)
    save(node, store, replace(record, value=value, undeliverable=False, delivery_due_at=None))
    if value.tier is not record.value.tier or "raise_tier" in ended:
        move_lane(node, store, str(value.id), lane_of(present_tier(node, store, value)))
    stale = body.snapshot.generation < record.value.generation
    return (Fate.STALE, None) if stale else APPLIED


def present_tier(node: Node, store: Store, value: Exchange) -> Tier:
    """That of the snapshot; a raise of our own that is still under way counts, also when another one has ended."""
    raised = [act.tier for act in store.acts.values() if act.exchange == value.id and act.fate is None]
    if not node.keeps(Rule.RAISE_UNDER_WAY_COUNTS):
        return value.tier
    return next((Tier(tier) for tier in reversed(raised) if tier is not None), value.tier)


def _end_acts(store: Store, body: StateBody) -> set[str]:
    ended = set()
    for answer in body.answers:
        act = store.acts.get(answer.jti)
        if act is not None and act.fate is None:
            store.acts[answer.jti] = replace(act, fate=answer.fate, code=answer.code)
            ended.add(act.action)
    return ended


def answer(node: Node, store: Store, key: ThreadKey) -> None:
    """One `exchange.state/1` if the peer opened the thread towards us."""
    thread_id, peer = key
    if store.threads[key].opened_by != peer:
        return
    record = store.exchanges.get(UUID(thread_id))
    if record is None:
        record = _record_not_opened(node, store, key)
    if record is not None and record.is_incoming:
        send_state(node, store, record)


def _record_not_opened(node: Node, store: Store, key: ThreadKey) -> Record | None:
    thread_id, peer = key
    jti = store.places.get((peer, thread_id, 1))
    opening = None if jti is None else store.inbox[peer, jti]
    if opening is None or opening.text.type != MessageType.EXCHANGE_OPEN or opening.state is InboxState.APPLIED:
        return None
    if not node.keeps(Rule.EXPIRED_ANSWERED):
        return None
    body = OpenBody.model_validate_json(opening.text.body)
    value = not_opened(UUID(thread_id), body, fate=Fate(opening.state.value), now=node.now)
    record = Record(value, is_incoming=True)
    save(node, store, record)
    return record


def send_state(node: Node, store: Store, record: Record) -> None:
    """The whole of it, and what became of the other side's messages."""
    value = record.value
    key = (str(value.id), value.requesting)
    thread = store.threads.get(key)
    body = StateBody(
        snapshot=take_snapshot(value),
        answers=tuple(_fates(store, key)) if node.keeps(Rule.FATE_TOLD) else (),
        consumed=0 if thread is None else thread.consumed_in,
    )
    text = body.model_dump_json(by_alias=True, exclude_none=True)
    letter = Outgoing(value.requesting, MessageType.EXCHANGE_STATE, text, str(value.id), lane=lane_of(value.tier))
    put(node, store, letter)


def _fates(store: Store, key: ThreadKey) -> list[FateBody]:
    thread_id, peer = key
    ended: list[tuple[int, Kept]] = [
        (kept.text.seq or 0, kept)
        for kept in store.inbox.values()
        if kept.text.thread == thread_id and kept.text.iss == peer
        if kept.state not in {InboxState.HELD, InboxState.QUARANTINED}
    ]
    return [
        FateBody(jti=kept.text.jti, fate=Fate(kept.state.value), code=kept.code)
        for _, kept in sorted(ended, key=lambda one: one[0])
    ]


def look_for_withdrawal(node: Node, store: Store, key: ThreadKey) -> None:
    """A verified `withdraw` or `stop` that waits behind a gap blocks the exchange (ruling 14)."""
    thread_id, peer = key
    record = store.exchanges.get(UUID(thread_id))
    if record is None or not record.is_incoming or not node.keeps(Rule.WITHDRAWAL_BLOCKS):
        return
    value = record.value
    waits = withdrawal_waits(store, thread_id, peer)
    if waits and value.state not in TERMINAL and not value.private.withdrawal_waiting:
        save(node, store, replace(record, value=awaiting_withdrawal(value)))


def withdrawal_waits(store: Store, thread_id: str, peer: str) -> bool:
    """Whether one is held in the thread."""
    return any(
        kept.state is InboxState.HELD and wants_out(kept.text)
        for kept in store.inbox.values()
        if kept.text.thread == thread_id and kept.text.iss == peer
    )


def wants_out(text: Text) -> bool:
    """Whether it is a `withdraw` or a `stop`."""
    if text.type != MessageType.EXCHANGE_ACTION:
        return False
    return isinstance(ActionBody.model_validate_json(text.body).act, Stop | Withdraw)
