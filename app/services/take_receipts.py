"""A peer says what it did with texts of ours: they leave the outbox, or are asked for again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import passages, publications, quarantine, receipts
from app.db.pulses import Answer
from app.db.quarantine import Suspect
from app.db.receipts import Sent, Taken
from app.domain.codes import Fate, MessageType, ReceiptStatus
from app.domain.message_reading import read_body
from app.domain.messages import ReceiptBody, write_body
from app.envelope.canonical import canonical
from app.errors import Malformed
from app.services.heartbeat import take_answers
from app.services.inbound import Applied, audit_thread
from app.services.node import SYSTEM
from app.services.record import record_all
from app.services.recovery.want import ask_for_texts

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


@dataclass(frozen=True, slots=True)
class _Said:
    """One entry of one receipt, and the row of ours that it speaks of as the entries before it left it."""

    received: Received
    entry: ReceiptEntry
    row: Sent

    @property
    def is_news(self) -> bool:
        """Whether it changes what is known: receipts overtake each other, so `held` never takes back another word."""
        return self.row.status is None or self.entry.status is not ReceiptStatus.HELD


async def take_receipts(session: Session, node: Node, batch: Sequence[Received], now: datetime) -> list[Applied]:
    """End the rows that these `receipt/1` speak of; taking the same ones twice changes nothing.

    A receipt counts for any text that we signed under its `jti` for that very peer (ruling 10). `held` ends a row too:
    the peer has the text. What it misses before it is due at once, on the urgent lane (ruling 13). First receipts are
    evidence of what was lost on their way (ruling 12). A text of which only the receipt is known here is asked for
    (ruling 22).

    All receipts of a transaction are taken together and after everything else, so that rows of the outbox are locked
    once and in order: two that took theirs one by one would wait for each other.
    """
    lists = [_read(received) for received in batch]
    entries = [(received, entry) for received, read in zip(batch, lists, strict=True) for entry in read or ()]
    gaps = {entry.jti for _, entry in entries if entry.missing}
    sent = await receipts.lock_sent(session, {entry.jti for _, entry in entries}, gaps=gaps)
    known = _in_order(entries, sent, await _replaced(session, entries, sent))
    final = {one.row.id: _taken(one) for one in known}
    await receipts.end_rows(session, list(final.values()), now=now)
    copies = {(one.row.id, one.entry.copy_number) for one in known}
    heard = await publications.receipt_known(session, sorted(copies), now=now)
    await record_all(session, node, _facts(known), actor=SYSTEM, now=now)
    await _take_answers(session, known)
    await _ask_again(session, known, now=now)
    for received, read in zip(batch, lists, strict=True):
        if read is None:
            await _record_malformed(session, node, received, now)
    ours = {(one.received.jti, one.entry) for one in known}
    strange = [(received, entry) for received, entry in entries if (received.jti, entry) not in ours]
    await _look_into(session, node, strange, sent, now)
    await passages.hear_of(session, heard, now=now)
    return [Applied(Fate.APPLIED) if read is not None else Applied(Fate.REFUSED, MALFORMED) for read in lists]


async def lock_named(session: Session, batch: Sequence[Received], exchanges: Collection[UUID]) -> None:
    """Lock in one order what these receipts speak of and what these exchanges still have in the outbox.

    For a transaction whose effects may hurry or slow down those exchanges before it takes the receipts: the two one
    after the other could wait for a relay that has the one and wants the other.
    """
    entries = [entry for received in batch for entry in _read(received) or ()]
    gaps = {entry.jti for entry in entries if entry.missing}
    await receipts.lock_sent(session, {entry.jti for entry in entries}, gaps=gaps, exchanges=exchanges)


def _read(received: Received) -> tuple[ReceiptEntry, ...] | None:
    try:
        return read_body(ReceiptBody, received.body).body.receipts
    except Malformed:
        return None


async def _replaced(
    session: Session, entries: Sequence[tuple[Received, ReceiptEntry]], sent: Mapping[UUID, Sent]
) -> set[tuple[UUID, str]]:
    """Return those texts of `entries` that newer signatures of ours have replaced."""
    other = {entry.jti for _, entry in entries if entry.jti in sent and sent[entry.jti].jws_hash != entry.inner_hash}
    return await receipts.earlier_hashes(session, other) if other else set()


def _in_order(
    entries: Sequence[tuple[Received, ReceiptEntry]], sent: Mapping[UUID, Sent], replaced: set[tuple[UUID, str]]
) -> list[_Said]:
    """Return what is said of texts that we signed for whoever says it, each with its row as the one before left it."""
    rows = dict(sent)
    known: list[_Said] = []
    for received, entry in entries:
        row = rows.get(entry.jti)
        if row is None or row.peer != received.peer:
            continue
        if entry.inner_hash != row.jws_hash and (entry.jti, entry.inner_hash) not in replaced:
            continue
        said = _Said(received, entry, row)
        known.append(said)
        taken = _taken(said)
        rows[entry.jti] = replace(row, status=taken.status, reason=taken.reason)
    return known


def _taken(said: _Said) -> Taken:
    status = said.row.status
    if status is None or said.is_news:
        return Taken(said.row.id, said.entry.status, said.entry.reason)
    return Taken(said.row.id, status, said.row.reason)


async def _take_answers(session: Session, known: Sequence[_Said]) -> None:
    """Learn from the receipts for heartbeats; one that speaks of nothing else need not be kept."""
    for _, group in groupby(known, key=lambda one: one.received.jti):
        said = list(group)
        received = said[0].received
        beats = [one for one in said if one.row.type == MessageType.HEARTBEAT]
        if beats:
            answers = [Answer(one.row.jti, one.entry.copy_number, one.entry.received_at) for one in beats]
            entries = _read(received) or ()
            await take_answers(session, received, answers, alone=len(beats) == len(entries))


async def _ask_again(session: Session, known: Sequence[_Said], *, now: datetime) -> None:
    gaps = {(one.row.peer, one.row.thread) for one in known if one.entry.missing and one.row.thread is not None}
    for peer, thread in sorted(gaps):
        await receipts.hasten_thread(session, peer, thread, now=now)


def _facts(known: Sequence[_Said]) -> list[Fact]:
    """One fact per text that the peer had not receipted yet, or of which it now says something else.

    It stands for the arrival of the receipt too, which has no fact of its own. Heartbeats leave none.
    """
    return [
        Fact(
            FactType.RECEIPT_RECEIVED,
            thread=audit_thread(one.row.thread),
            jti=str(one.row.jti),
            peer=one.received.peer,
            contents={"receipt": write_body(one.entry), "carrier": _carrier(one.received)},
        )
        for one in known
        if one.row.type != MessageType.HEARTBEAT and one.is_news and one.row.status is not one.entry.status
    ]


def _carrier(received: Received) -> JSON:
    """The message that a fact about a receipt is taken from, and the name of its signed text."""
    return {"jti": str(received.jti), "inner_hash": received.inner_hash}


async def _record_malformed(session: Session, node: Node, received: Received, now: datetime) -> None:
    message = {"type": received.type.value, "seq": None, "kid": received.kid, "inner_hash": received.inner_hash}
    fact = Fact(FactType.ENVELOPE_RECEIVED, jti=str(received.jti), peer=received.peer, contents={"message": message})
    await record_all(session, node, [fact], actor=SYSTEM, now=now)


async def _look_into(
    session: Session,
    node: Node,
    strange: Sequence[tuple[Received, ReceiptEntry]],
    sent: Mapping[UUID, Sent],
    now: datetime,
) -> None:
    """Alarm about claims that concern no text of ours, and ask for the texts of which we know not even the name."""
    wanted: dict[str, set[UUID]] = {}
    for received, entry in strange:
        if await _alarm(session, node, entry, received, now) and entry.jti not in sent:
            wanted.setdefault(received.peer, set()).add(entry.jti)
    for peer in sorted(wanted):
        await ask_for_texts(session, node, peer, wanted[peer], now=now)


async def _alarm(session: Session, node: Node, entry: ReceiptEntry, received: Received, now: datetime) -> bool:
    """Keep a claim about a text that we never signed, or not for this peer, for people; False for a known one."""
    suspect = Suspect(
        f"receipt:{received.peer}:{entry.jti}:{entry.inner_hash}",
        canonical(write_body(entry)),
        UNKNOWN_TEXT,
        authenticated=True,
        lane=received.lane,
        iss=received.peer,
        jti=str(entry.jti),
    )
    if not await quarantine.add(session, suspect, now=now):
        return False
    contents: Mapping[str, JSON] = {"unknown": write_body(entry), "carrier": _carrier(received)}
    fact = Fact(FactType.RECEIPT_RECEIVED, jti=str(entry.jti), peer=received.peer, contents=contents)
    await record_all(session, node, [fact], actor=SYSTEM, now=now)
    return True
