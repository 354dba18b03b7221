"""Tokens: the secret is known once, and to nobody else."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text
from uuid_utils import uuid7

from app.db import tokens as stored
from app.db.engine import begin, reading
from app.errors import Refused, Unknown
from app.services.create_token import create_token
from app.services.revoke_token import revoke_token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.runtime import Runtime

WEEK = timedelta(days=7)


async def somebody(runtime: Runtime) -> UUID:
    """The id of a person of this node."""
    async with reading(runtime.engine) as session:
        return (await stored.list_tokens(session))[0].person.id


async def facts(runtime: Runtime) -> list[str]:
    """Types of the facts on record, oldest first."""
    async with reading(runtime.engine) as session:
        query = text("SELECT convert_from(leaf, 'UTF8')::jsonb ->> 'type' FROM audit_pending ORDER BY id")
        return list((await session.execute(query)).scalars())


async def test_secret_is_not_stored(runtime: Runtime, tokens: Mapping[str, str], now: datetime) -> None:
    """The database holds the SHA-256 of the secret, and the secret itself nowhere; printing what was made hides it."""
    person = await somebody(runtime)
    async with begin(runtime.engine) as session:
        made = await create_token(session, runtime.node, person, expires_at=now + WEEK, now=now)
    _, token_id, secret = made.secret.split("_", 2)
    assert secret not in repr(made)
    async with reading(runtime.engine) as session:
        kept = await stored.find_token(session, token_id)
        assert kept is not None
        assert kept.secret_hash == hashlib.sha256(secret.encode()).digest()
        for table in ("token", "commitment", "audit_pending", "person"):
            rows = (await session.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()
            assert rows
            assert not any(secret in row or secret.encode().hex() in row for row in rows)


async def test_tokens_leave_facts(runtime: Runtime, tokens: Mapping[str, str], now: datetime) -> None:
    """That a token was made and taken back is on record."""
    person = await somebody(runtime)
    before = len(await facts(runtime))
    async with begin(runtime.engine) as session:
        made = await create_token(session, runtime.node, person, expires_at=now + WEEK, now=now)
        await revoke_token(session, runtime.node, made.id, now=now)
    assert (await facts(runtime))[before:] == ["user.token_created", "user.token_revoked"]


async def test_token_for_nobody(runtime: Runtime, tokens: Mapping[str, str], now: datetime) -> None:
    """A token is for a person, ends after it begins, and is taken back once."""
    person = await somebody(runtime)
    async with begin(runtime.engine) as session:
        with pytest.raises(Unknown):
            await create_token(session, runtime.node, UUID(str(uuid7())), expires_at=now + WEEK, now=now)
        with pytest.raises(Refused):
            await create_token(session, runtime.node, person, expires_at=now, now=now)
        made = await create_token(session, runtime.node, person, expires_at=now + WEEK, now=now)
        await revoke_token(session, runtime.node, made.id, now=now)
        with pytest.raises(Unknown):
            await revoke_token(session, runtime.node, made.id, now=now)


async def test_every_token_is_another(tokens: Mapping[str, str]) -> None:
    """No two tokens share their id or their secret, and each has 256 secret bits."""
    parts = [token.split("_", 2) for token in tokens.values()]
    assert len({token_id for _, token_id, _ in parts}) == len({secret for *_, secret in parts}) == len(parts)
    assert {len(secret) for *_, secret in parts} == {43}
