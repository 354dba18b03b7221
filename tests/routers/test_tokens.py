"""Tokens: the secret is known once, and to nobody else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text
from uuid_utils import uuid7

from app.db import tokens as stored
from app.db.engine import begin, make_engine, reading
from app.errors import Refused, Unknown
from app.main import create_app
from app.routers.refused import put_on_record
from app.services.authenticate import TokenRefused, Why
from app.services.create_token import create_token
from app.services.revoke_token import revoke_token
from tests.routers.clients import assert_problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.runtime import Runtime
    from tests.routers.clients import Clients

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


async def refusals(runtime: Runtime) -> list[dict[str, Any]]:
    """What the facts about refused tokens commit to, oldest first."""
    query = text(
        "SELECT convert_from(c.body, 'UTF8') AS body, convert_from(p.leaf, 'UTF8') AS leaf"
        " FROM commitment c JOIN audit_pending p USING (event_id) WHERE c.field = 'refusals' ORDER BY p.id"
    )
    async with reading(runtime.engine) as session:
        rows = (await session.execute(query)).all()
    assert all(json.loads(row.leaf).keys() & {"thread", "peer", "jti"} == set() for row in rows)
    return [json.loads(row.body) | {"leaf": row.leaf} for row in rows]


async def test_refused_tokens_are_on_record(
    runtime: Runtime, client: Clients, tokens: Mapping[str, str], now: datetime
) -> None:
    """The first at once; those that follow together, by the next fact; a token of ours by its id, and no secret."""
    revoked = tokens["auditor"]
    _, token_id, secret = revoked.split("_", 2)
    async with begin(runtime.engine) as session:
        await revoke_token(session, runtime.node, token_id, now=now)
    shown = [revoked, revoked, revoked[:-4] + "AAAA", f"cp_{'0' * 16}_{'x' * 43}", "nonsense"]
    for token in shown:
        answer = await client().get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert_problem(answer, 401, "token_not_valid")
    assert (await client().get("/metrics", headers={"Authorization": f"Bearer {revoked}"})).status_code == 200
    assert [one["count"] for one in await refusals(runtime)] == [1]
    await put_on_record(runtime, at_once=True)
    first, rest = await refusals(runtime)
    assert [(kind["reason"], kind["token"]) for kind in first["kinds"]] == [("revoked", token_id)]
    told = [(kind["reason"], kind["count"]) for kind in rest["kinds"]]
    assert told == [("revoked", 2), ("wrong_secret", 1), ("unknown", 1), ("malformed", 1)]
    assert {kind["token"] for kind in rest["kinds"][:2]} == {token_id}
    assert not any(part in str([first, rest]) for part in (secret, "x" * 20, "0" * 16, "nonsense"))
    assert token_id not in first["leaf"], "it can be erased"


async def test_what_was_not_told_is_told_at_the_end(runtime: Runtime, tokens: Mapping[str, str], now: datetime) -> None:
    """A gateway that stops puts the rest on record; one that cannot reach its database goes on without."""
    app, refused = create_app(runtime), TokenRefused(Why.UNKNOWN)
    async with app.router.lifespan_context(app):
        for _ in range(3):
            runtime.refused.note("a", refused, source=None, now=now)
            await put_on_record(runtime)
        assert [one["count"] for one in await refusals(runtime)] == [1]
    assert [one["count"] for one in await refusals(runtime)] == [1, 2]
    nowhere = make_engine("postgresql+asyncpg://nobody@/nothing?host=/nowhere", pool_size=1, name="test")
    runtime.refused.note("a", refused, source=None, now=now)
    await put_on_record(replace(runtime, engine=nowhere), at_once=True)
    assert len(await refusals(runtime)) == 2
