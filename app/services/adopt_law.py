"""Take an edition of the law into use, and enter in the log which one it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db.law_editions import SeenEdition, add_edition
from app.services.node import SYSTEM
from app.services.record import record

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.services.node import Node


async def adopt_law(session: Session, node: Node, *, now: datetime) -> bool:
    """Remember that this node goes by `node.law` from now on; returns whether that is another edition than before.

    An earlier edition may come back: the operator decides, and the log shows it.
    """
    law = node.law
    if not await add_edition(session, SeenEdition(law.version, law.dated, law.digest, now)):
        return False
    edition = {"version": law.version, "dated": law.dated.isoformat(), "digest": law.digest}
    await record(session, node, Fact(FactType.LAW_UPDATED, contents={"law": edition}), actor=SYSTEM, now=now)
    return True
