"""What must hold after every step, and what must hold when the courier has been honest for long enough."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from app.db.tables_delivery import InboxState, LeftBy
from app.domain.codes import Lane, MessageType, ReceiptStatus, Tier
from app.domain.exchange_codes import Flag
from app.domain.snapshot import public_view
from app.domain.tiers import lane_of
from tests.model import desks, world
from tests.model.receiving import EQUIVOCATION
from tests.model.sending import sign_again

if TYPE_CHECKING:
    from tests.model.ground import Ground, Node
    from tests.model.values import Letter, Record, Store

HEALING_ROUNDS = 48
PAUSE = timedelta(minutes=30)
STORED = frozenset({ReceiptStatus.STORED, ReceiptStatus.HELD})


def check_committed(ground: Ground) -> None:
    """After every step, of each node that has committed anything."""
    for code in sorted(ground.witness.committed):
        node = ground.nodes[code]
        _each_once_and_in_order(node)
        _nothing_left_without_receipt(node)
        _texts_stand(node)
        _urgent_is_urgent(node)
        for peer in node.peers:
            _delivered_is_stored(node, ground.nodes[peer])
            _delivered_is_stored(ground.nodes[peer], node)
    ground.witness.committed.clear()


def _each_once_and_in_order(node: Node) -> None:
    store, code, require = node.store, node.code, node.ground.witness.require
    times = Counter((effect.iss, effect.jti) for effect in store.effects)
    twice = [name for name, count in times.items() if count > 1]
    require(not twice, "once", f"{code} gave {len(twice)} messages their effect more than once")
    numbers: dict[tuple[str, str], int] = {}
    for effect in store.effects:
        if effect.thread is not None and effect.seq is not None:
            last = numbers.get((effect.iss, effect.thread), 0)
            require(effect.seq == last + 1, "order", f"{code} applied {effect.seq} after {last}")
            numbers[effect.iss, effect.thread] = effect.seq


def _texts_stand(node: Node) -> None:
    """The first text of a message stands, no revoked key is believed, and expiry is a matter of the first copy."""
    first, require = node.ground.witness.first, node.ground.witness.require
    for key, kept in node.store.inbox.items():
        text = kept.text
        former = first.get((node.code, key))
        if former is None:
            revoked_at = node.directory.get(text.kid)
            in_time = revoked_at is None or kept.received_at < revoked_at
            require(in_time, "key", f"{node.code} believes {text.type} under a key that was revoked before it came")
        elif former is not text:
            again = former.said == text.said and former.kid in node.directory
            require(again, "first text", f"{node.code} let a second text of {text.type} take the place of the first")
        first[node.code, key] = text
        if text.exp is not None and kept.state in {InboxState.EXPIRED, InboxState.APPLIED} and not node.was_restored:
            expired = kept.received_at >= text.exp
            require(expired is (kept.state is InboxState.EXPIRED), "expiry", f"{text.type} is {kept.state}")


def _nothing_left_without_receipt(node: Node) -> None:
    store, code, require = node.store, node.code, node.ground.witness.require
    for row in store.outbox.values():
        if row.left_by is LeftBy.CONFIRM:
            require(row.type == MessageType.RECEIPT, "outbox", f"{row.type} left {code} without a receipt")
        if row.left_by is LeftBy.RECEIPT:
            require(row.status is not None, "outbox", f"{row.type} left {code} without a receipt")


def _urgent_is_urgent(node: Node) -> None:
    """Whatever still waits of an exchange that is urgent now goes out on the urgent lane next."""
    urgent = {
        str(record.value.id)
        for record in node.store.exchanges.values()
        if lane_of(_tier(node.store, record)) is Lane.URGENT
    }
    slow = [
        row
        for row in node.store.outbox.values()
        if row.left_by is None and row.thread in urgent and row.lane is Lane.ROUTINE
    ]
    node.ground.witness.require(not slow, "lane", f"{len(slow)} messages of an urgent exchange are to go as routine")


def _delivered_is_stored(sender: Node, receiver: Node) -> None:
    """Not for texts that a restored receiver has forgotten: that is what the resync is for."""
    require = sender.ground.witness.require
    if receiver.was_restored:
        return
    for row in sender.store.outbox.values():
        if row.peer != receiver.code or row.status not in STORED or row.text is None:
            continue
        kept = receiver.store.inbox.get((sender.code, row.jti))
        require(kept is not None, "receipt", f"{row.type} is shown as stored at {receiver.code}, and is not there")
        if kept is not None:
            ours = kept.text.hash == row.text.hash or (row.jti, kept.text.hash) in sender.store.earlier
            require(ours, "receipt", f"{receiver.code} has another text of {row.type} than the receipt was taken for")


def heal(ground: Ground) -> None:
    """The courier is honest from now on, everybody lives, hears everything and has the next release."""
    ground.courier.bring_late()
    world.finish_rounds(ground)
    check_committed(ground)  # what came until now was judged by the directories until now
    for node in ground.nodes.values():
        world.learn(node)
        world.upgrade(node)
    _until_quiet(ground, (Lane.URGENT,))
    _urgent_is_through(ground)
    _until_quiet(ground, (Lane.URGENT, Lane.ROUTINE))


def _until_quiet(ground: Ground, lanes: tuple[Lane, ...]) -> None:
    for _ in range(HEALING_ROUNDS):
        ground.now += PAUSE
        for node in ground.nodes.values():
            desks.let_timers_run(node)
            sign_again(node)
            world.sweep(node)
        moved = world.deliver_all(ground, lanes)
        for node in ground.nodes.values():
            for lane in lanes:
                while world.relay(node, lane):
                    moved += 1
        if not moved and not any(_owed(node, lanes) for node in ground.nodes.values()):
            return


def _owed(node: Node, lanes: tuple[Lane, ...]) -> list[Letter]:
    return [row for row in node.store.outbox.values() if row.left_by is None and row.lane in lanes]


def _urgent_is_through(ground: Ground) -> None:
    """While the routine lane stands still, everything of an exchange that is urgent now has got through."""
    require = ground.witness.require
    if any(node.store.closed for node in ground.nodes.values()):
        return
    for node in ground.nodes.values():
        for record in node.store.exchanges.values():
            if lane_of(_tier(node.store, record)) is Lane.URGENT:
                thread = str(record.value.id)
                waiting = [row for row in node.store.outbox.values() if row.thread == thread and row.left_by is None]
                require(not waiting, "urgent", f"{len(waiting)} messages of an urgent exchange wait at {node.code}")


def _tier(store: Store, record: Record) -> Tier:
    raised = [act.tier for act in store.acts.values() if act.exchange == record.value.id and act.fate is None]
    return next((Tier(tier) for tier in reversed(raised) if tier is not None), record.value.tier)


def check_healed(ground: Ground) -> None:
    """Both sides show the same, nothing is owed, and every number has one fate, the same on both sides."""
    require = ground.witness.require
    for node in ground.nodes.values():
        require(not node.store.closed, "recovery", f"{node.code} is still recovering from {list(node.store.closed)}")
        owed = _owed(node, tuple(Lane))
        require(not owed, "delivery", f"{node.code} still owes {[(row.type, row.peer, row.seq) for row in owed]}")
        waits = [kept.text.type for kept in node.store.inbox.values() if kept.state in _WAITING]
        require(not waits, "delivery", f"{waits} still wait at {node.code}")
        contradicted = [reason for _, reason in node.store.aside.values() if reason == EQUIVOCATION]
        require(not contradicted, "one text", f"{node.code} holds {len(contradicted)} texts that contradict another")
    for node in ground.nodes.values():
        for record in node.store.exchanges.values():
            if record.is_incoming:
                _not_noted_for_ever(node, record)
            else:
                _same_on_both_sides(node, ground.nodes[record.value.requested], record)
        for peer in node.peers:
            _same_fates(node, ground.nodes[peer])
    check_committed(ground)


_WAITING = frozenset({InboxState.HELD, InboxState.QUARANTINED})


def _not_noted_for_ever(node: Node, record: Record) -> None:
    jti = node.store.places.get((record.value.requesting, str(record.value.id), 1))
    is_opened = jti is not None and node.store.inbox[record.value.requesting, jti].state is InboxState.APPLIED
    is_marked = Flag.NOTED in record.value.flags
    node.ground.witness.require(not (is_opened and is_marked), "noted", f"{node.code} has applied it and shows a call")


def _same_on_both_sides(node: Node, other: Node, record: Record) -> None:
    value, require = record.value, node.ground.witness.require
    there = other.store.exchanges.get(value.id)
    require(there is not None, "equal", f"{other.code} does not have the exchange that {node.code} shows")
    if there is None:
        return
    told = public_view(there.value)
    for member in ("state", "generation", "tier", "flags", "holds", "question", "condition", "results", "reason"):
        ours, theirs = getattr(value, member), getattr(told, member)
        require(ours == theirs, "equal", f"{member}: {node.code} shows {ours}, {other.code} has {theirs}")
    require(not record.undeliverable, "undeliverable", f"{node.code} still shows an answered exchange as undeliverable")


def _same_fates(node: Node, other: Node) -> None:
    require = node.ground.witness.require
    for jti, act in node.store.acts.items():
        if node.store.exchanges[act.exchange].value.requested != other.code:
            continue
        require(act.fate is not None, "fate", f"{act.action} of {node.code} is still under way")
        kept = other.store.inbox.get((node.code, jti))
        ended = None if kept is None else kept.state.value
        require(ended == act.fate, "fate", f"{act.action}: {act.fate} at {node.code}, {ended} at {other.code}")
    threads = {row.thread for row in node.store.outbox.values() if row.peer == other.code and row.thread is not None}
    for thread in threads:
        sent = node.store.threads[thread, other.code].next_out - 1
        there = other.store.threads.get((thread, node.code))
        taken = 0 if there is None else there.consumed_in
        require(sent == taken, "delivery", f"of {sent} numbers of {node.code}, {other.code} has consumed {taken}")
