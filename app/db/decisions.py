"""Who decided what about something in quarantine: proposals of one officer, and the word of a second one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from app.db.tables_access import person
from app.db.tables_delivery import InboxState, inbox
from app.db.tables_evidence import QuarantineAct, quarantine_decision

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session
    from app.db.inbox import MessageKey
    from app.db.tables_delivery import QuarantineState

DECIDING = 0x71756172
"""First key of the advisory locks under which one thing in quarantine is decided on: the word `quar` in ASCII."""

LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Decision:
    """`decided_at` is None while a second officer is waited for. People are told apart by their pseudonyms."""

    id: int
    act: QuarantineAct
    reasons: str
    proposed_by: UUID
    proposer: str
    proposed_at: datetime
    confirmer: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewDecision:
    """What one officer says about one row; `decided`: it needs nobody else's word."""

    quarantine_id: int
    act: QuarantineAct
    reasons: str
    person_id: UUID
    decided: bool


async def take_turn(session: Session, quarantine_id: int) -> None:
    """Wait for whoever is deciding on this row, until the transaction ends. Locks nothing that others wait for."""
    await session.execute(select(func.pg_advisory_xact_lock(DECIDING, quarantine_id % LARGEST)))


async def decisions_on(session: ReadSession, quarantine_id: int) -> Sequence[Decision]:
    """Everything proposed or decided about one row, in order."""
    second = person.alias("second")
    query = (
        select(
            quarantine_decision,
            person.c.pseudonym.label("proposer"),
            second.c.pseudonym.label("confirmer"),
        )
        .join(person, person.c.id == quarantine_decision.c.proposed_by)
        .outerjoin(second, second.c.id == quarantine_decision.c.confirmed_by)
        .where(quarantine_decision.c.quarantine_id == quarantine_id)
        .order_by(quarantine_decision.c.id)
    )
    return [
        Decision(
            row.id,
            QuarantineAct(row.act),
            row.reasons,
            row.proposed_by,
            row.proposer,
            row.proposed_at,
            row.confirmer,
            row.decided_at,
        )
        for row in await session.execute(query)
    ]


async def add_decision(session: Session, new: NewDecision, *, now: datetime) -> None:
    """Store what one officer proposes, or decides alone."""
    await session.execute(
        insert(quarantine_decision).values(
            quarantine_id=new.quarantine_id,
            act=new.act.value,
            reasons=new.reasons,
            proposed_by=new.person_id,
            proposed_at=now,
            decided_at=now if new.decided else None,
        )
    )


async def confirm(session: Session, decision_id: int, person_id: UUID, *, now: datetime) -> None:
    """Store that a second officer agrees; the table refuses the first one."""
    await session.execute(
        update(quarantine_decision)
        .where(quarantine_decision.c.id == decision_id)
        .values(confirmed_by=person_id, decided_at=now)
    )


async def hold_decided(session: Session, key: MessageKey, state: QuarantineState) -> bool:
    """Let a quarantined message wait for its turn, in which it ends as decided; False if it is not quarantined."""
    held = await session.execute(
        update(inbox)
        .where(inbox.c.iss == key[0], inbox.c.jti == key[1], inbox.c.state == InboxState.QUARANTINED.value)
        .values(state=InboxState.HELD.value, code=state.value)
    )
    return int(held.rowcount) == 1
