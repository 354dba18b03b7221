"""Tell peers, under our signature, which of their texts we have."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeAlias

from app.audit.facts import Fact, FactType
from app.domain.codes import Lane, MessageType
from app.domain.messages import ReceiptBody, ReceiptEntry, write_body
from app.services.node import SYSTEM
from app.services.record import record
from app.services.send import Outgoing, put

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from app.db.engine import Session
    from app.services.node import Node

Addressed: TypeAlias = tuple[str, Lane, ReceiptEntry]
"""The peer, the lane on which the copy came, and what is to be said of it."""

MAX_ENTRIES = 100
"""Entries of one `receipt/1`: 25 kB, so that a lost one repeats little."""


async def send_receipts(
    session: Session,
    node: Node,
    entries: Iterable[Addressed],
    *,
    of_heartbeats: Iterable[Addressed] = (),
    now: datetime,
) -> None:
    """Queue one `receipt/1` per peer and lane, in the transaction that stored what it speaks of.

    A receipt takes the lane of what it receipts, so that no urgent one waits behind routine traffic. Heartbeats are
    receipted apart from all else: no fact tells of it, and nothing of it is kept for longer than a day.
    """
    for peer, lane, body in _bodies(entries):
        jti = await put(session, node, Outgoing(peer, MessageType.RECEIPT, body, lane=lane), now=now)
        fact = Fact(FactType.RECEIPT_SENT, jti=str(jti), peer=peer, contents=body)
        await record(session, node, fact, actor=SYSTEM, now=now)
    for peer, lane, body in _bodies(of_heartbeats):
        await put(session, node, Outgoing(peer, MessageType.RECEIPT, body, lane=lane, fleeting=True), now=now)


def _bodies(entries: Iterable[Addressed]) -> Iterator[tuple[str, Lane, dict[str, Any]]]:
    lists: defaultdict[tuple[str, Lane], list[ReceiptEntry]] = defaultdict(list)
    for peer, lane, entry in entries:
        lists[peer, lane].append(entry)
    for (peer, lane), mine in sorted(lists.items()):
        for start in range(0, len(mine), MAX_ENTRIES):
            yield peer, lane, write_body(ReceiptBody(receipts=tuple(mine[start : start + MAX_ENTRIES])))
