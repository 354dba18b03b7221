"""What a new directory may let in: rows of the quarantine that wait for it and for nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from app.db.quarantine import Kept, Suspect
from app.db.tables_delivery import QuarantineState, quarantine
from app.domain.codes import Lane

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Row

    from app.db.engine import ReadSession, Session


async def waiting(session: ReadSession, reasons: Collection[str], *, after: int, limit: int) -> list[Kept]:
    """Return open rows with one of these reasons from behind the row `after`, in order.

    Not locked: whoever receives locks threads before rows of the quarantine, and to look twice does no harm.
    """
    query = (
        select(quarantine)
        .where(
            quarantine.c.state == QuarantineState.OPEN,
            quarantine.c.reason.in_(reasons),
            quarantine.c.iss.is_not(None),
            quarantine.c.id > after,
        )
        .order_by(quarantine.c.id)
        .limit(limit)
    )
    return [_kept(row) for row in await session.execute(query)]


async def release(session: Session, digest: str) -> None:
    """End its quarantine if it is still open; what was decided of it stays written."""
    await session.execute(
        update(quarantine)
        .where(quarantine.c.digest == digest, quarantine.c.state == QuarantineState.OPEN)
        .values(state=QuarantineState.RELEASED.value)
    )


async def reopen(session: Session, digest: str, reason: str) -> None:
    """Let it be open for `reason`, whatever it was there for before."""
    await session.execute(
        update(quarantine).where(quarantine.c.digest == digest).values(state=QuarantineState.OPEN.value, reason=reason)
    )


async def judge_again(session: Session, suspect: Suspect) -> None:
    """Store what has now been found of the text with this digest; when it came and how often stays."""
    await session.execute(
        update(quarantine)
        .where(quarantine.c.digest == suspect.digest)
        .values(
            reason=suspect.reason,
            authenticated=suspect.authenticated,
            jti=suspect.jti,
            thread=suspect.thread,
            seq=suspect.seq,
        )
    )


def _kept(row: Row[Any]) -> Kept:
    suspect = Suspect(
        row.digest,
        row.raw,
        row.reason,
        authenticated=row.authenticated,
        lane=Lane(row.lane),
        iss=row.iss,
        jti=row.jti,
        thread=row.thread,
        seq=row.seq,
    )
    return Kept(row.id, suspect, row.first_seen, row.last_seen, row.times, QuarantineState(row.state))
