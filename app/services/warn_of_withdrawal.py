"""A withdrawal that waits behind a gap is shown to the desk at once, and nothing is executed meanwhile (ruling 14)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from app.db import exchanges
from app.domain.codes import Direction
from app.domain.exchange.judging import awaiting_withdrawal
from app.domain.exchange.values import TERMINAL
from app.services.look_ahead import wants_out
from app.services.node import SYSTEM
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from datetime import datetime

    from app.db.engine import Session
    from app.domain.exchange.values import Exchange
    from app.services.inbound import Due
    from app.services.node import Node


async def warn_of_withdrawal(session: Session, node: Node, due: Due, now: datetime) -> None:
    """Mark the exchange if `due` is a verified `withdraw` or `stop` of its requesting side; else do nothing.

    The mark is ours alone: no generation, nothing sent. It goes when the act is judged in its turn.
    """
    row = due.row
    if row.thread is None or wants_out(due) is None:
        return
    record = await exchanges.load(session, UUID(row.thread), for_update=True)
    if record is None or record.direction is not Direction.INCOMING or record.value.requesting != row.iss:
        return
    if record.value.state in TERMINAL or record.value.private.withdrawal_waiting:
        return
    value = awaiting_withdrawal(record.value)
    await exchanges.save(session, replace(record, value=value), read_generation=value.generation, now=now)
    await tell(session, node, withdrawal_waits(value), actor=SYSTEM, now=now)


def withdrawal_waits(value: Exchange) -> Happening:
    """What the desk is told at once when a verified wish to end it waits behind a gap."""
    return Happening(
        kind="exchange",
        subject=value.id,
        event="withdrawal_waiting",
        state=value.state,
        generation=value.generation,
        party=value.requesting,
        for_agency=False,
        ids={"reference": value.request_reference},
    )
