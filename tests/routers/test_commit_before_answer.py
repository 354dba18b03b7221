"""One command, one transaction, committed before its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import pytest
from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import people
from app.db.engine import reading
from app.db.people import Agency
from app.routers.deps import Command, open_command
from tests.routers.clients import assert_problem, new_key

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.runtime import Runtime
    from tests.routers.clients import Clients

FOUNDING = {"action": "found", "id": "coastguard", "name": "Coast Guard"}

# A check that the server makes at COMMIT and not before: the statement of the command succeeds.
REFUSE_AT_COMMIT = (
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a fault at commit'; END $$",
    """CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON agency DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.id = 'coastguard') EXECUTE FUNCTION refuse()""",
)


@pytest.fixture
async def commits_fail(owner_url: str) -> None:
    """From now on no transaction that founds the coast guard can be committed."""
    owner = create_async_engine(owner_url)
    async with owner.begin() as connection:
        for statement in REFUSE_AT_COMMIT:
            await connection.execute(text(statement))
    await owner.dispose()


async def stored(engine: AsyncEngine) -> tuple[bool, int, int]:
    """Whether the coast guard is there, how many answers are kept, and how many events there are."""
    async with reading(engine) as session:
        agency = await people.find_agency(session, "coastguard")
        kept = await session.scalar(text("SELECT count(*) FROM idempotency"))
        events = await session.scalar(text("SELECT count(*) FROM event"))
        return agency is not None, kept, events


async def test_commit_precedes_answer(client: Clients, runtime: Runtime) -> None:
    """When the answer 201 is there, so is everything it speaks of."""
    answer = await client("duty_officer").post("/probe/here", json=FOUNDING, headers=new_key())
    assert answer.status_code == 201
    assert answer.headers["location"] == "/probe/coastguard"
    assert await stored(runtime.engine) == (True, 1, 1)


async def test_failing_commit_never_yields_201(client: Clients, runtime: Runtime, commits_fail: None) -> None:
    """A commit that fails after every statement succeeded is answered by 500, and nothing is stored."""
    answer = await client("duty_officer").post("/probe/here", json=FOUNDING, headers=new_key())
    assert_problem(answer, 500, "internal_error")
    assert "commit" not in answer.text
    assert await stored(runtime.engine) == (False, 0, 0)


async def test_failing_commit_unnoticed_without_function_scope(
    client: Clients, gateway: FastAPI, runtime: Runtime, commits_fail: None
) -> None:
    """Without the function scope the same failing commit is answered by 201: the check above can fail."""
    unprotected = APIRouter()

    @unprotected.post("/unprotected", status_code=201)
    async def found(command: Annotated[Command, Depends(open_command)]) -> dict[str, str]:
        await people.add_agency(command.session, Agency("coastguard", "Coast Guard"), now=command.now)
        return {"id": "coastguard"}

    gateway.include_router(unprotected)
    answer = await client("duty_officer").post("/unprotected", json=FOUNDING)
    assert answer.status_code == 201
    assert await stored(runtime.engine) == (False, 0, 0)


async def test_failing_statement_stores_nothing(client: Clients, runtime: Runtime) -> None:
    """A statement that fails late takes the earlier ones of its command with it."""
    answer = await client("duty_officer").post("/probe/divide", json=FOUNDING, headers=new_key())
    assert_problem(answer, 500, "internal_error")
    assert await stored(runtime.engine) == (False, 0, 0)


async def test_commit_rings(client: Clients, runtime: Runtime) -> None:
    """A commit wakes who waits; a command that failed does not."""
    bell = runtime.wake.bell()
    await client("duty_officer").post("/probe/divide", json=FOUNDING, headers=new_key())
    assert not bell.is_set()
    await client("duty_officer").post("/probe/here", json=FOUNDING, headers=new_key())
    assert bell.is_set()
