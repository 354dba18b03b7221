"""Keep aside what cannot be trusted, contradicts what we have, is not understood, or breaks us."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import inbox, quarantine, reopening, threads
from app.db.inbox import Ending
from app.db.quarantine import Suspect
from app.db.tables_delivery import InboxState, QuarantineState
from app.domain.codes import ReceiptStatus
from app.domain.messages import ReceiptEntry
from app.envelope.format import encode_part
from app.services.inbound import audit_thread
from app.services.node import SYSTEM
from app.services.record import record
from app.services.send_receipts import send_receipts

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from app.db.engine import Session
    from app.db.inbox import Stored
    from app.domain.codes import Lane
    from app.envelope.reasons import Rejected
    from app.services.inbound import Arrived, Due, Proven
    from app.services.node import Node

CRASHED = "crashed"
EQUIVOCATION = "equivocation"
UNOPENED = "unopened"


async def quarantine_unproven(
    session: Session, node: Node, *, arrived: Arrived, rejected: Rejected, now: datetime
) -> None:
    """Keep what no sender is proven to have said to us. It consumes nothing, and nobody is told: no receipt.

    Here stays, too, what a proven sender said in claims that cannot be read; that it came is receipted by its name. Of
    an envelope that opened the signed text is kept, else the bytes; the same text in another envelope is the same case.
    """
    seen, claims = rejected.seen, rejected.claims
    digest = f"unproven:{seen.inner_hash}" if seen.jws is not None else _digest_of(arrived.raw)
    suspect = Suspect(
        digest,
        arrived.raw if seen.jws is None else seen.jws.encode("ascii"),
        rejected.reason.value,
        authenticated=rejected.authenticated,
        lane=arrived.lane,
        iss=seen.iss,
        jti=claims.jti if claims else None,
        thread=claims.thread if claims else None,
        seq=claims.seq if claims else None,
    )
    if await quarantine.add(session, suspect, now=now):
        contents = {"rejection": {"reason": suspect.reason, "iss": suspect.iss, "digest": digest}}
        await record(session, node, Fact(FactType.ENVELOPE_REJECTED, contents=contents), actor=SYSTEM, now=now)


async def quarantine_unopened(session: Session, node: Node, raw: bytes, *, lane: Lane, now: datetime) -> None:
    """Keep bytes that are not to be touched again: whoever tried to open them did not live to tell."""
    suspect = Suspect(_digest_of(raw), raw, UNOPENED, authenticated=False, lane=lane)
    if await quarantine.add(session, suspect, now=now):
        contents = {"rejection": {"reason": UNOPENED, "iss": None, "digest": suspect.digest}}
        await record(session, node, Fact(FactType.ENVELOPE_REJECTED, contents=contents), actor=SYSTEM, now=now)


async def quarantine_text(session: Session, node: Node, row: Stored, *, reason: str, now: datetime) -> None:
    """Keep a text of a proven sender that this node cannot act on; its inbox row is what stops its thread."""
    suspect = Suspect(
        digest_of_text(row.inner_hash),
        row.jws.encode("ascii"),
        reason,
        authenticated=True,
        lane=row.lane,
        iss=row.iss,
        jti=str(row.jti),
        thread=row.thread,
        seq=row.seq,
    )
    if await quarantine.add(session, suspect, now=now):
        fact = Fact(
            FactType.ENVELOPE_QUARANTINED,
            thread=audit_thread(row.thread),
            jti=str(row.jti),
            peer=row.iss,
            contents={"message": {"type": row.type, "inner_hash": row.inner_hash, "reason": reason}},
        )
        await record(session, node, fact, actor=SYSTEM, now=now)
    else:
        # Stopped before, released, and stopped again: whoever decides has to see it once more.
        await reopening.reopen(session, suspect.digest, reason)


async def quarantine_equivocation(session: Session, node: Node, proven: Proven, *, now: datetime) -> None:
    """Keep a second text under one `jti` or one place of a thread: two signatures that together convict their sender.

    The first text stands, and its thread goes on.
    """
    claims = proven.claims
    suspect = Suspect(
        digest_of_text(proven.inner_hash),
        proven.jws.encode("ascii"),
        EQUIVOCATION,
        authenticated=True,
        lane=proven.lane,
        iss=claims.iss,
        jti=claims.jti,
        thread=claims.thread,
        seq=claims.seq,
    )
    if await quarantine.add(session, suspect, now=now):
        fact = Fact(
            FactType.ENVELOPE_EQUIVOCATED,
            thread=audit_thread(claims.thread),
            jti=claims.jti,
            peer=claims.iss,
            contents={"message": {"type": claims.type, "seq": claims.seq, "inner_hash": proven.inner_hash}},
        )
        await record(session, node, fact, actor=SYSTEM, now=now)


async def quarantine_crashed(session: Session, node: Node, due: Due, *, now: datetime) -> None:
    """Stop a message whose effect raised, and with it its own thread; for the supervisor that saw it raise.

    The transaction of the attempt has been rolled back; this one must be another. The sender is told.
    """
    row = due.row
    if row.thread_key is not None:
        await threads.lock(session, [row.thread_key])
    if row.key not in await inbox.lock_waiting(session, [row.key]):
        return
    await inbox.end(session, [Ending(row.key, InboxState.QUARANTINED, CRASHED)], now=now)
    await quarantine_text(session, node, row, reason=CRASHED, now=now)
    entry = ReceiptEntry.model_validate(
        {
            "jti": row.jti,
            "copy": row.copy,
            "inner_hash": row.inner_hash,
            "status": ReceiptStatus.QUARANTINED,
            "reason": CRASHED,
            "received_at": row.received_at,
        }
    )
    await send_receipts(session, node, [(row.iss, row.lane, entry)], now=now)


async def release_texts(session: Session, rows: Collection[Stored]) -> None:
    """Let quarantined messages take their turn again; the caller has locked their threads."""
    if rows:
        await inbox.release(session, [row.key for row in rows])
        digests = [digest_of_text(row.inner_hash) for row in rows]
        await quarantine.close(session, digests, QuarantineState.RELEASED)


def digest_of_text(inner_hash: str) -> str:
    """Return the name under which a text of a proven sender is kept."""
    return f"text:{inner_hash}"


def _digest_of(raw: bytes) -> str:
    return f"raw:{encode_part(hashlib.sha256(raw).digest())}"
