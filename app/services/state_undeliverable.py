"""The requesting node states, under its own signature, that a request could not be delivered in time (ruling 15).

It is for whoever asks later why nobody abroad had it: what was tried, when, and which clock ran out. It says nothing of
the request but its type and tier, and can be verified with the directory alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.checkpoint import parse_checkpoint
from app.audit.strict import to_base64
from app.db import statements
from app.db.statements import Statement
from app.db.tables_evidence import StatementKind
from app.domain.exchange.clocks import DELIVERY, delivery_due
from app.domain.moments import write_instant
from app.envelope.format import inner_hash
from app.envelope.statement import sign_statement
from app.errors import Unavailable
from app.services.identifiers import new_id
from app.services.prove import newest_checkpoint

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import ReadSession, Session
    from app.db.exchanges import ExchangeRecord
    from app.db.statements import Attempts
    from app.envelope.keys import SigningKey
    from app.services.node import Node

VERSION = 1


async def state_undeliverable(
    session: Session, node: Node, record: ExchangeRecord, *, key: SigningKey, now: datetime
) -> str | None:
    """Make and keep the statement; returns the name of its text (SHA-256, base64url), None if it was made before."""
    attempts = await statements.attempts_to_open(session, record.value.id)
    content = _content(node, record, attempts, now=now)
    head = await _log_head(session, node.log_origin)
    if head is not None:
        content["log"] = head
    jws = sign_statement(content, key)
    made = Statement(new_id(), record.value.id, StatementKind.UNDELIVERABLE, jws, now)
    return inner_hash(jws) if await statements.add(session, made) else None


def _content(node: Node, record: ExchangeRecord, attempts: Attempts | None, *, now: datetime) -> dict[str, object]:
    value = record.value
    return {
        "v": VERSION,
        "kind": StatementKind.UNDELIVERABLE.value,
        "iss": node.code,
        "exchange_id": str(value.id),
        "requesting": value.requesting,
        "requested": value.requested,
        "type": value.type.value,
        "tier": value.tier.value,
        "clock": {
            "began_at": write_instant(value.opened_at),
            "seconds": int(DELIVERY[value.tier].total_seconds()),
            "ran_out_at": write_instant(delivery_due(value)),
        },
        **({} if attempts is None else _sent(attempts)),
        "made_at": write_instant(now),
        "dir_version": node.directory.version,
    }


def _sent(attempts: Attempts) -> dict[str, object]:
    copies = []
    for one in attempts.copies:
        copy: dict[str, object] = {"copy": one.copy, "lane": one.lane.value, "began_at": write_instant(one.began_at)}
        if one.confirmed_at is not None:
            copy["confirmed_at"] = write_instant(one.confirmed_at)
        if one.trouble is not None:
            copy["trouble"] = one.trouble
        copies.append(copy)
    return {
        "jti": str(attempts.jti),
        "queued_at": write_instant(attempts.queued_at),
        "copies_in_all": attempts.in_all,
        "copies": copies,
    }


async def _log_head(session: ReadSession, origin: str) -> dict[str, object] | None:
    """The newest head of our log that anyone can have seen: the statement was made after it."""
    try:
        head = parse_checkpoint((await newest_checkpoint(session, origin)).partition("\n\n")[0] + "\n")
    except Unavailable:
        return None
    return {"origin": head.origin, "size": head.size, "root": to_base64(head.root)}
