"""Answers already given, so that a command sent twice takes effect once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from app.db.tables_access import idempotency

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class Claim:
    """One use of a key: whose, for which route, and what the command was (SHA-256)."""

    person_id: UUID
    route: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered the first time, and to which command."""

    fingerprint: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes


async def try_claim(session: Session, claim: Claim) -> bool:
    """Whether no other transaction is at work under this key; the claim ends with ours."""
    name = f"{claim.person_id}|{claim.route}|{claim.key}"
    return bool(
        (await session.execute(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0))))).scalar_one()
    )


async def kept_answer(session: ReadSession, claim: Claim, *, now: datetime) -> KeptAnswer | None:
    """The answer given under this key, unless its time is over."""
    row = (
        (
            await session.execute(
                select(idempotency).where(
                    idempotency.c.person_id == claim.person_id,
                    idempotency.c.route == claim.route,
                    idempotency.c.key == claim.key,
                    idempotency.c.expires_at > now,
                )
            )
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    return KeptAnswer(fingerprint=row["fingerprint"], status=row["status"], headers=row["headers"], body=row["body"])


async def keep_answer(session: Session, claim: Claim, answer: KeptAnswer, *, expires_at: datetime) -> None:
    """Keep `answer` until `expires_at`, in place of one whose time is over."""
    values = {
        "fingerprint": answer.fingerprint,
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": answer.body,
        "expires_at": expires_at,
    }
    await session.execute(
        insert(idempotency)
        .values(person_id=claim.person_id, route=claim.route, key=claim.key, **values)
        .on_conflict_do_update(index_elements=["person_id", "route", "key"], set_=values)
    )


async def forget_expired(session: Session, *, now: datetime, limit: int = 1000) -> int:
    """How many kept answers, of those whose time is over, were dropped; at most `limit`."""
    over = (
        select(idempotency.c.person_id, idempotency.c.route, idempotency.c.key)
        .where(idempotency.c.expires_at <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("over")
    )
    gone = await session.execute(
        delete(idempotency).where(
            idempotency.c.person_id == over.c.person_id,
            idempotency.c.route == over.c.route,
            idempotency.c.key == over.c.key,
        )
    )
    return gone.rowcount
