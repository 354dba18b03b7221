"""Everything that may happen, as one call each: what nodes do, what the courier does to them, and what breaks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.db.tables_delivery import InboxState
from app.domain.codes import Fate, Lane, MessageType
from tests.model import effects, receiving, resync
from tests.model.courier import Outcome
from tests.model.ground import LANES, DiedError, Ground, Handed
from tests.model.receiving import AWAITING
from tests.model.rules import Rule
from tests.model.sending import Outgoing, begin_round, publish_next, put, settle, sign, sign_again
from tests.model.values import REMARK, Parcel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from tests.model.ground import Node, Round
    from tests.model.values import MessageKey, Store

ALL = 10_000


def relay(node: Node, lane: Lane, outcomes: Sequence[Outcome] = ()) -> int:
    """One whole round; the publications beyond `outcomes` are confirmed. Returns how many there were."""
    if not any(row.left_by is None for row in node.store.outbox.values()):
        return 0
    begun = begin_round(node, lane)
    count = len(begun.pending)
    publish(node, begun, outcomes)
    settle(node, begun)
    return count


def publish(node: Node, begun: Round, outcomes: Sequence[Outcome] = ()) -> None:
    """What is left of a round leaves."""
    left = list(outcomes)
    while begun.pending:
        publish_next(node, begun, left.pop(0) if left else Outcome.TAKEN)


def hand_over(node: Node, lane: Lane, most: int) -> Handed | None:
    """The courier gives a process of the node the head of a queue; from a first-in-first-out one to one at a time."""
    if node.ground.fifo and any(handed.lane is lane for handed in node.hands):
        return None
    parcels = node.ground.courier.take(node.code, lane, most)
    if not parcels:
        return None
    handed = Handed(lane, parcels)
    node.hands.append(handed)
    return handed


def receive(node: Node, handed: Handed, *, dies: str = "") -> None:
    """Store, receipt and apply a batch in one transaction, then acknowledge it; or die on the way."""
    if not node.keeps(Rule.RECEIPT_AFTER_COMMIT):
        _receipt_early(node, handed.parcels)
    with suppress(DiedError), node.transaction() as store:
        turn = receiving.keep(node, store, handed.parcels)
        receiving.settle_turn(node, store, turn)
        _look(node, store, handed.parcels)
        if dies == "before commit":
            raise DiedError
    if dies:
        node.die()
        return
    node.hands.remove(handed)


def store_only(node: Node, handed: Handed) -> None:
    """What an effect that raises leaves: the batch is stored and receipted, and a sweep gives it its effects."""
    with node.transaction() as store:
        receiving.keep(node, store, handed.parcels)
        _look(node, store, handed.parcels)
    node.hands.remove(handed)


def _receipt_early(node: Node, parcels: Sequence[Parcel]) -> None:
    """(Without the rule) The receipts leave, and then what they speak of is committed, if nothing comes between."""
    scratch = node.store.copy()
    receiving.keep(node, scratch, parcels)
    for row in scratch.outbox.values():
        if row.id not in node.store.outbox and row.type == MessageType.RECEIPT:
            parcel = Parcel(node.ground.new_number(), row.peer, row.lane, sign(node, row), 1)
            node.ground.courier.publish(parcel, Outcome.TAKEN)


def _look(node: Node, store: Store, parcels: Sequence[Parcel]) -> None:
    """Show the desk a withdrawal that has come and must wait."""
    for parcel in parcels:
        if parcel.text.thread is not None and effects.wants_out(parcel.text):
            effects.look_for_withdrawal(node, store, (parcel.text.thread, parcel.text.iss))


def sweep(node: Node) -> None:
    """Give what was left between two commits its effect, message by message."""
    for _ in range(ALL):
        found = receiving.find_unsettled(node)
        if not found:
            return
        with node.transaction() as store:
            receiving.settle_turn(node, store, found[:1])


def learn(node: Node) -> None:
    """The node reads the newest directory, signs again what it must, and tries again what waited for it."""
    node.version = len(node.ground.versions) - 1
    sign_again(node)
    waiting = {name: parcel for name, (parcel, reason) in node.store.aside.items() if reason == AWAITING}
    if waiting:
        with node.transaction() as store:
            for name in waiting:
                del store.aside[name]
            turn = receiving.keep(node, store, list(waiting.values()))
            receiving.settle_turn(node, store, turn)


def revoke(node: Node) -> None:
    """The key that the node signs with is revoked from now on; others hear of it when they read the directory."""
    newest = dict(node.ground.versions[-1])
    newest[node.key] = node.now
    node.ground.versions.append(newest)


def forge(node: Node, row_id: int, *, kid: str) -> None:
    """Somebody who has a key of the node signs another text in the name of one of its messages."""
    row = node.store.outbox[row_id]
    text = replace(sign(node, row), kid=kid, iat=node.now + timedelta(milliseconds=1))
    node.ground.courier.publish(Parcel(node.ground.new_number(), row.peer, row.lane, text, 1), Outcome.TAKEN)


def remark(node: Node, thread: str, peer: str) -> None:
    """Queue a message that the other side cannot read before it has the next release."""
    with node.transaction() as store:
        store_key = (thread, peer)
        if store_key in store.threads and peer not in store.closed:
            put(node, store, Outgoing(peer, REMARK, "{}", thread))


def upgrade(node: Node) -> None:
    """The next release: what was quarantined for its type is held again, and swept."""
    node.reads_all = True
    with node.transaction() as store:
        for key, kept in list(store.inbox.items()):
            if kept.state is InboxState.QUARANTINED:
                store.inbox[key] = replace(kept, state=InboxState.HELD, code=None)
    sweep(node)


def crash_on(node: Node, key: MessageKey) -> None:
    """The effect of this held message raises whenever it is tried: it is quarantined and stops its thread."""
    with node.transaction() as store:
        kept = store.inbox[key]
        if kept.state is InboxState.HELD:
            store.inbox[key] = replace(kept, state=InboxState.QUARANTINED, code="crashed")


def void(node: Node, key: MessageKey) -> None:
    """Two officers void a quarantined message: it consumes its number, and the thread goes on."""
    kept = node.store.inbox[key]
    thread = kept.text.thread
    if thread is None or kept.text.seq != node.store.threads[thread, kept.text.iss].consumed_in + 1:
        return
    if kept.text.iss in node.store.closed:
        return
    with node.transaction() as store:
        receiving.admit(store, kept.text)
        receiving.end(store, key, Fate.VOID, None)
        receiving.after_moving(node, store, (thread, kept.text.iss))
    sweep(node)


def restore(node: Node, commits: int) -> None:
    """The disk is put back to what it was so many commits ago; files and the world stay as they are."""
    if not node.past or commits == 0:
        return
    node.die()
    node.store = node.past[-min(commits, len(node.past))]
    del node.past[-min(commits, len(node.past)) :]
    node.was_restored = True
    node.ground.witness.forget(node.code, node.store.inbox)
    node.ground.witness.committed.add(node.code)
    if node.keeps(Rule.RESYNC):
        resync.ask_everybody(node)


def pass_time(ground: Ground, by: timedelta) -> None:
    """The clock of everybody goes on."""
    ground.now += by


def deliver_all(ground: Ground, lanes: Sequence[Lane] = LANES) -> int:
    """Hand everything over that is under way on these lanes; returns how much that was."""
    count = 0
    for node in ground.nodes.values():
        for lane in lanes:
            while (handed := hand_over(node, lane, ALL)) is not None:
                count += len(handed.parcels)
                receive(node, handed)
    return count


def finish_rounds(ground: Ground) -> None:
    """Processes come to the end of what they were at."""
    for node in ground.nodes.values():
        for begun in list(node.rounds):
            publish(node, begun)
            settle(node, begun)
        for handed in list(node.hands):
            receive(node, handed)


def exchange_ids(node: Node, *, incoming: bool) -> list[UUID]:
    """The exchanges of one direction that this node has."""
    return [id for id, record in node.store.exchanges.items() if record.is_incoming is incoming]
