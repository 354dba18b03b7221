"""An operator does not want to wait: what has no receipt is tried again now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import receipts
from app.services.record import record

if TYPE_CHECKING:
    from app.services.node import Acting


@dataclass(frozen=True, slots=True)
class Hastened:
    """How many messages go out now: those with trouble, and as probes the oldest that the broker confirmed."""

    troubled: int
    probes: int


async def retry_outbox(acting: Acting, *, peer: str | None) -> Hastened:
    """Make due at once what did not get out, to one peer or to all, and one probe per way for what did; on record.

    Everything confirmed is not sent again: the first receipt brings what was lost by itself.
    """
    session, now = acting.session, acting.now
    troubled = await receipts.hasten_troubled(session, peer=peer, now=now)
    probes = await receipts.hasten_oldest(session, peer=peer, now=now)
    action = {"act": "outbox.retry", "peer": peer, "troubled": troubled, "probes": probes}
    fact = Fact(FactType.OPERATOR_ACTION, peer=peer, contents={"action": action})
    await record(session, acting.node, fact, actor=acting.actor, now=now)
    return Hastened(troubled, probes)
