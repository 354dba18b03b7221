"""The node found proof that its database is older than its word: from this commit on it says nothing new."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.audit.facts import JSON, Fact, FactType
from app.db import own_texts, recoveries
from app.db.recoveries import Recovery
from app.domain.codes import Lane, MessageType
from app.services.announce import Event, announce
from app.services.identifiers import new_id
from app.services.node import SYSTEM
from app.services.record import record
from app.services.send import Outgoing, put

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.db.engine import Session
    from app.domain.resync import Proof
    from app.services.node import Node


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows that memory is missing, and from when on: without `since`, from the newest moment that is known."""

    proof: Proof
    detail: Mapping[str, JSON]
    since: datetime | None = None


async def begin_recovery(session: Session, node: Node, evidence: Evidence, *, now: datetime) -> Recovery:
    """Close every peer of the directory and stop the log; the recovery that the same loss began before, if one did.

    The operator opens the next epoch of the log; each peer opens again by itself when its resync is done.
    """
    await recoveries.take_beginning(session)
    proof, detail = evidence.proof, dict(evidence.detail)
    for known in await recoveries.history(session):
        if known.reopened_at is None or (known.proof, known.detail) == (proof, detail):
            return known
    begun = Recovery(
        id=new_id(),
        began_at=now,
        proof=proof,
        detail=detail,
        remembers_until=evidence.since or await own_texts.newest_moment(session),
    )
    for peer, body in await own_texts.give_up_unnumbered(session, now=now):
        # It leaves once that peer is open again, perhaps for the second time: the same report twice changes nothing.
        report = Outgoing(peer, MessageType.INCIDENT, json.loads(body), lane=Lane.URGENT)
        await put(session, node, report, now=now)
    others = [point.code for point in node.directory.contact_points if point.code != node.code]
    await recoveries.add(session, begun, {peer: new_id() for peer in others})
    contents: dict[str, JSON] = {"recovery": {"id": str(begun.id), "proof": str(proof), "detail": detail}}
    await record(session, node, Fact(FactType.RECOVERY_BEGAN, contents=contents), actor=SYSTEM, now=now)
    await announce(session, Event("node.recovering", "node", node.code, None, {"proof": str(proof)}), now=now)
    return begun
