"""Which faults of the database say nothing against what was asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InternalError

from app.db.engine import begin, is_passing

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

LOST_TRACK = asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress")

PASSING: dict[str, BaseException] = {
    "a connection that is refused": ConnectionRefusedError(),
    "an answer that does not come": TimeoutError(),
    "a driver that lost track of a connection": InternalError("", None, LOST_TRACK),
    "a backend that was ended": DBAPIError("", None, asyncpg.exceptions.AdminShutdownError()),
    "a deadlock": DBAPIError("", None, asyncpg.DeadlockDetectedError()),
}
STAYING: dict[str, BaseException] = {
    "a bug": ZeroDivisionError(),
    "a statement that makes no sense": DBAPIError("", None, asyncpg.PostgresSyntaxError()),
    "a row that is there already": DBAPIError("", None, asyncpg.UniqueViolationError()),
}


@pytest.mark.parametrize("case", [*PASSING, *STAYING])
def test_whether_trying_again_is_the_answer(case: str) -> None:
    """Broken connections, locks and shutdowns pass; what is wrong with the statement or with us does not."""
    assert is_passing((PASSING | STAYING)[case]) is (case in PASSING)


async def test_a_real_fault_of_a_statement_does_not_pass(engine: AsyncEngine) -> None:
    """(Control) What the driver raises for a statement that makes no sense is told apart as well."""
    with pytest.raises(DBAPIError) as fault:
        async with begin(engine) as session:
            await session.execute(text("SELECT nothing FROM nowhere"))
    assert not is_passing(fault.value)
