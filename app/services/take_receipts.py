"""A peer says what it did with texts of ours: they leave the outbox, or are asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import publications, quarantine, receipts
from app.db.quarantine import Suspect
from app.db.receipts import Sent, Taken
from app.domain.codes import Fate, ReceiptStatus
from app.domain.message_reading import read_body
from app.domain.messages import ReceiptBody, write_body
from app.envelope.canonical import canonical
from app.errors import Malformed
from app.services.inbound import Applied, audit_thread
from app.services.node import SYSTEM
from app.services.record import record_all

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.audit.facts import JSON
    from app.db.engine import Session
    from app.domain.messages import ReceiptEntry
    from app.services.inbound import Received
    from app.services.node import Node

MALFORMED = "malformed"
UNKNOWN_TEXT = "receipt_for_unknown_text"
"""A receipt for what we do not know to have signed: the peer errs, lies, or our database is older than what it saw."""


async def take_receipts(session: Session, node: Node, received: Received, now: datetime) -> Applied:
    """End the rows that this `receipt/1` speaks of; taking the same one twice changes nothing.

    A receipt counts for any text that we signed under its `jti` for this very peer (ruling 10). `held` ends a row too:
    the peer has the text. What it misses before it is due at once, on the urgent lane (ruling 13).
    """
    try:
        entries = read_body(ReceiptBody, received.body).body.receipts
    except Malformed:
        return Applied(Fate.REFUSED, MALFORMED)
    sent = await receipts.lock_sent(session, {entry.jti for entry in entries})
    ours = await _ours(session, entries, sent, received.peer)
    known = [(entry, sent[entry.jti]) for entry in entries if (entry.jti, entry.inner_hash) in ours]
    await receipts.end_rows(session, [Taken(row.id, entry.status, entry.reason) for entry, row in known], now=now)
    await publications.receipt_known(session, [(row.id, entry.copy_number) for entry, row in known], now=now)
    await record_all(session, node, _facts(received, known), actor=SYSTEM, now=now)
    await _ask_again(session, known, received.peer, now=now)
    for entry in entries:
        if (entry.jti, entry.inner_hash) not in ours:
            await _alarm(session, node, entry, received, now)
    return Applied(Fate.APPLIED)


async def _ours(
    session: Session, entries: Sequence[ReceiptEntry], sent: Mapping[UUID, Sent], peer: str
) -> set[tuple[UUID, str]]:
    """Return those of the texts in `entries` that we signed for `peer`: the present ones, and the replaced ones."""
    mine = {row.jti: row.jws_hash for row in sent.values() if row.peer == peer}
    present = {(jti, jws_hash) for jti, jws_hash in mine.items() if jws_hash is not None}
    other = {entry.jti for entry in entries if entry.jti in mine and (entry.jti, entry.inner_hash) not in present}
    return present | (await receipts.earlier_hashes(session, other) if other else set())


async def _ask_again(
    session: Session, known: Collection[tuple[ReceiptEntry, Sent]], peer: str, *, now: datetime
) -> None:
    for thread in sorted({row.thread for entry, row in known if entry.missing and row.thread is not None}):
        await receipts.hasten_thread(session, peer, thread, now=now)


def _facts(received: Received, known: Sequence[tuple[ReceiptEntry, Sent]]) -> list[Fact]:
    """One fact per text that the peer had not receipted yet, or of which it now says something else."""
    return [
        Fact(
            FactType.RECEIPT_RECEIVED,
            thread=audit_thread(row.thread),
            jti=str(row.jti),
            peer=received.peer,
            contents={"receipt": write_body(entry), "carrier": str(received.jti)},
        )
        for entry, row in known
        if row.status is None or (row.status is not entry.status and entry.status is not ReceiptStatus.HELD)
    ]


async def _alarm(session: Session, node: Node, entry: ReceiptEntry, received: Received, now: datetime) -> None:
    """Keep a claim about a text that we never signed, or not for this peer; for people to look into."""
    suspect = Suspect(
        f"receipt:{received.peer}:{entry.jti}:{entry.inner_hash}",
        canonical(write_body(entry)),
        UNKNOWN_TEXT,
        authenticated=True,
        lane=received.lane,
        iss=received.peer,
        jti=str(entry.jti),
    )
    if await quarantine.add(session, suspect, now=now):
        contents: Mapping[str, JSON] = {"unknown": write_body(entry), "carrier": str(received.jti)}
        fact = Fact(FactType.RECEIPT_RECEIVED, jti=str(entry.jti), peer=received.peer, contents=contents)
        await record_all(session, node, [fact], actor=SYSTEM, now=now)
