"""Bearer tokens. The secret itself is nowhere: only its SHA-256."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from app.db.people import Person, as_person
from app.db.tables_access import person, token

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Select

    from app.db.engine import ReadSession, Session


@dataclass(frozen=True, slots=True)
class Token:
    """A token as stored, with the person it speaks for."""

    id: str
    secret_hash: bytes
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    person: Person


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to store."""

    id: str
    person_id: UUID
    secret_hash: bytes
    expires_at: datetime


async def add_token(session: Session, new: NewToken, *, now: datetime) -> None:
    """Store `new`. A second one of the same id is refused by the primary key."""
    await session.execute(
        insert(token).values(
            id=new.id,
            person_id=new.person_id,
            secret_hash=new.secret_hash,
            created_at=now,
            expires_at=new.expires_at,
        )
    )


async def find_token(session: ReadSession, token_id: str) -> Token | None:
    """The token of that id, whether or not it is still valid."""
    found = (await session.execute(_with_person().where(token.c.id == token_id))).mappings().first()
    return None if found is None else _as_token(dict(found))


async def list_tokens(session: ReadSession) -> Sequence[Token]:
    """Every token ever made, oldest first."""
    rows = await session.execute(_with_person().order_by(token.c.created_at, token.c.id))
    return [_as_token(dict(row)) for row in rows.mappings()]


async def revoke_token(session: Session, token_id: str, *, now: datetime) -> bool:
    """Whether a token that was not yet revoked is so now."""
    revoked = await session.execute(
        update(token)
        .where(token.c.id == token_id, token.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(token.c.id)
    )
    return revoked.first() is not None


def _with_person() -> Select[Any]:
    return select(
        token.c.id.label("token_id"),
        token.c.secret_hash,
        token.c.created_at,
        token.c.expires_at,
        token.c.revoked_at,
        person.c.id,
        person.c.pseudonym,
        person.c.name,
        person.c.role,
        person.c.agency_id,
    ).join_from(token, person)


def _as_token(row: dict[str, Any]) -> Token:
    return Token(
        id=row["token_id"],
        secret_hash=row["secret_hash"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        person=as_person(row),
    )
