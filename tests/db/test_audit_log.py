"""The audit tables: what enters them, in which order it leaves the queue, and what nobody may do to them."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.audit.facts import Fact, FactType
from app.audit.leaf import check_opening, read_leaf
from app.db import audit_log, audit_reading
from app.db.engine import ReadSession, Session, begin, reading
from app.db.tables_audit import AUDIT_DDL, AUDIT_DDL_UNDONE
from app.services.record import record
from tests.audit.database import NOW, OFFICER, LogDatabase, as_role, open_log_database
from tests.audit.samples import ORIGIN, THREAD
from tests.support.postgres import SEQUENCER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine

    from tests.support.postgres import Database

CHANGED = Fact(FactType.CASE_CHANGED, thread=THREAD, contents={"from": "INTAKE", "to": "TRIAGE"})
SENT = Fact(FactType.ENVELOPE_SENT, jti="0193523a-7a00-7000-8000-00000000000a", peer="XT")
PERSON = UUID("0193523a-7a00-7000-8000-0000000000aa")
CASE = UUID(THREAD)


@pytest.fixture
async def log(database: Database) -> AsyncIterator[LogDatabase]:
    """A log database with triggers and roles."""
    async with open_log_database(database) as opened:
        yield opened


async def pending(log: LogDatabase) -> list[bytes]:
    async with reading(log.engine) as session:
        return [leaf.leaf for leaf in await audit_log.take_batch(session, limit=100)]


async def test_a_fact_is_there_exactly_when_its_business_row_is(log: LogDatabase) -> None:
    """Committed together or rolled back together: a fact never outlives the change it reports."""
    async with begin(log.engine) as session:
        await record(session, log.node, CHANGED, actor=OFFICER, now=NOW)
    with pytest.raises(RuntimeError, match="the business fails"):
        await record_and_fail(log)
    assert len(await pending(log)) == 1
    assert await log.count("commitment") == 2


async def record_and_fail(log: LogDatabase) -> None:
    async with begin(log.engine) as session:
        await record(session, log.node, CHANGED, actor=OFFICER, now=NOW)
        raise RuntimeError("the business fails")


async def test_stored_openings_open_the_stored_leaf(log: LogDatabase) -> None:
    """Leaf bytes and openings come back from the database as they were sealed."""
    async with begin(log.engine) as session:
        event_id = await record(session, log.node, CHANGED, actor=OFFICER, now=NOW)
    async with reading(log.engine) as session:
        (stored,) = await audit_log.take_batch(session, limit=2)
        opened = await audit_reading.openings(session, [event_id])
    assert stored.event_id == event_id
    assert stored.subject == CASE
    assert [opening.field for opening in opened[event_id]] == ["from", "to"]
    for opening in opened[event_id]:
        check_opening(read_leaf(stored.leaf), opening)


async def test_many_facts_keep_their_order(log: LogDatabase) -> None:
    """Facts recorded in one statement are queued in the order given."""
    types = [FactType.CASE_VIEWED, FactType.CASE_CHANGED, FactType.CASE_EXPORTED] * 10
    await log.record(*(Fact(type_, thread=THREAD) for type_ in types))
    assert [read_leaf(leaf).type for leaf in await pending(log)] == types


async def test_each_waiting_fact_says_for_which_log_it_was_sealed(log: LogDatabase) -> None:
    """A batch holds whatever waits, of every epoch, so that nothing is left behind when an epoch ends."""
    await log.record(CHANGED)
    later = replace(log.node, log_origin="counterpart.example/xa/2027")
    async with begin(log.engine) as session:
        await record(session, later, SENT, actor=OFFICER, now=NOW)
    async with reading(log.engine) as session:
        batch = await audit_log.take_batch(session, limit=10)
    assert [leaf.origin for leaf in batch] == [ORIGIN, later.log_origin]
    assert [read_leaf(leaf.leaf).log for leaf in batch] == [ORIGIN, later.log_origin]


async def test_a_slow_transaction_is_not_passed_over(log: LogDatabase) -> None:
    """A fact that commits late with a smaller id is still taken; a reader of "id above the last seen" would lose it."""
    async with log.engine.connect() as slow, log.engine.connect() as fast:
        await slow.begin()
        late = await record(Session(ReadSession(slow)), log.node, CHANGED, actor=OFFICER, now=NOW)
        await fast.begin()
        early = await record(Session(ReadSession(fast)), log.node, SENT, actor=OFFICER, now=NOW)
        await fast.commit()
        async with begin(log.engine) as session:
            first = await audit_log.take_batch(session, limit=10)
            await as_role(session, SEQUENCER)
            await audit_log.drop_pending(session, first)
        await slow.commit()
    async with reading(log.engine) as session:
        second = await audit_log.take_batch(session, limit=10)
    assert [leaf.event_id for leaf in first] == [early]
    assert [leaf.event_id for leaf in second] == [late]
    assert [leaf for leaf in second if leaf.id > first[0].id] == [], "the control: the naive reader sees nothing"


FORBIDDEN_TO_THE_APPLICATION = [
    "INSERT INTO audit_leaf (epoch, leaf_index, event_id, leaf) VALUES (1, 99, gen_random_uuid(), 'x')",
    "INSERT INTO audit_node (epoch, level, idx, hash) VALUES (1, 0, 99, sha256('x'))",
    "INSERT INTO audit_checkpoint (epoch, size, root, note, at) VALUES (1, 99, sha256('x'), 'x', now())",
    "UPDATE audit_tree SET size = 99",
    "UPDATE audit_leaf SET leaf = 'x'",
    "UPDATE audit_pending SET leaf = 'x'",
    "UPDATE commitment SET body = 'x'",
    "DELETE FROM audit_pending",
    "DELETE FROM audit_leaf",
    "DELETE FROM commitment",
    "TRUNCATE audit_leaf",
    "TRUNCATE audit_pending",
    "ALTER TABLE audit_leaf DISABLE TRIGGER ALL",
    "DROP TABLE audit_leaf",
]


async def test_the_application_role_can_only_state_facts(log: LogDatabase) -> None:
    """The role that serves requests can neither place leaves nor change or remove anything of the log."""
    await log.open()
    await log.record(CHANGED)
    said = {statement: await refusal(log.engine, statement) for statement in FORBIDDEN_TO_THE_APPLICATION}
    assert {key: why for key, why in said.items() if not re.search("permission denied|must be owner", why)} == {}


FORBIDDEN_TO_THE_SEQUENCER = [
    "UPDATE audit_leaf SET leaf = 'x'",
    "UPDATE audit_node SET hash = sha256('x')",
    "DELETE FROM audit_checkpoint",
    "INSERT INTO audit_pending (event_id, origin, leaf) VALUES (gen_random_uuid(), 'x', 'x')",
    "SELECT body FROM commitment",
    "UPDATE audit_tree SET size = size - 1, published_size = 0",
]


async def test_the_sequencer_role_can_only_extend(log: LogDatabase) -> None:
    """The role that places leaves cannot change them, invent facts, read contents or make the log smaller."""
    await log.open()
    role = f"SET LOCAL ROLE {SEQUENCER}"
    said = {statement: await refusal(log.engine, role, statement) for statement in FORBIDDEN_TO_THE_SEQUENCER}
    assert {key: why for key, why in said.items() if not re.search("permission denied|is refused", why)} == {}


async def refusal(engine: AsyncEngine, *statements: str) -> str:
    """Why the last of these statements is refused, nothing when it is not; all of it is undone."""
    async with engine.connect() as connection:
        for statement in statements[:-1]:
            await connection.execute(text(statement))
        try:
            await connection.execute(text(statements[-1]))
        except DBAPIError as fault:
            return str(fault.orig)
        finally:
            await connection.rollback()
    return ""


REFUSED_EVEN_TO_THE_OWNER = [
    "UPDATE audit_leaf SET leaf = 'x'",
    "DELETE FROM audit_leaf",
    "TRUNCATE audit_leaf",
    "UPDATE audit_node SET hash = sha256('x')",
    "DELETE FROM audit_checkpoint",
    "TRUNCATE audit_checkpoint CASCADE",
    "UPDATE commitment SET salt = 'x'",
    "TRUNCATE commitment",
    "UPDATE audit_pending SET leaf = 'x'",
    "UPDATE audit_tree SET size = 0, published_size = 0",
    "UPDATE audit_tree SET origin = 'elsewhere'",
    "DELETE FROM audit_tree",
]


async def test_triggers_refuse_what_rights_would_allow(log: LogDatabase) -> None:
    """Even a superuser is stopped by the triggers; with the triggers off (the control) every statement works."""
    await log.open()
    await log.record(CHANGED)
    off = "SET LOCAL session_replication_role = replica"
    said = {statement: await refusal(log.owner, statement) for statement in REFUSED_EVEN_TO_THE_OWNER}
    assert {key: why for key, why in said.items() if "is refused" not in why} == {}
    assert {await refusal(log.owner, off, statement) for statement in REFUSED_EVEN_TO_THE_OWNER} == {""}


DEFINED = """
    SELECT pg_get_triggerdef(t.oid), p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND p.proname LIKE 'audit%' ORDER BY 1
"""


async def test_the_migration_made_the_triggers_that_the_tables_name(log: LogDatabase) -> None:
    """The frozen SQL of the migrations and `AUDIT_DDL` define the same triggers and functions, and some there are."""
    async with log.owner.begin() as connection:
        migrated = list(await connection.execute(text(DEFINED)))
        for statement in AUDIT_DDL_UNDONE:
            await connection.execute(text(statement))
        assert list(await connection.execute(text(DEFINED))) == []
        for statement in AUDIT_DDL:
            await connection.execute(text(statement))
        assert list(await connection.execute(text(DEFINED))) == migrated
    assert len(migrated) == 15


async def test_the_triggers_can_be_taken_back_and_made_again(log: LogDatabase) -> None:
    """The statements for a downgrade undo all the statements of the migration, and both may run twice."""
    await log.open()
    for statements in (AUDIT_DDL_UNDONE, AUDIT_DDL_UNDONE, AUDIT_DDL, AUDIT_DDL):
        async with log.owner.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    with pytest.raises(DBAPIError, match="is refused"):
        async with log.owner.begin() as connection:
            await connection.execute(text("DELETE FROM audit_leaf"))


async def test_a_sitting_leaves_one_read_fact(log: LogDatabase) -> None:
    """Opening a case again within 15 minutes is the same reading; another case, person or hour is not."""

    async def remembered(minutes: float, *, person: UUID = PERSON, case: UUID = CASE) -> bool:
        async with begin(log.engine) as session:
            at = NOW + timedelta(minutes=minutes)
            return await audit_log.remember_read(session, person, subject=case, now=at)

    assert [await remembered(minutes) for minutes in (0, 1, 14.9, 15, 16, 31)] == [
        True,
        False,
        False,
        True,
        False,
        True,
    ]
    assert await remembered(16, case=PERSON)
    assert await remembered(16, person=CASE)
    assert await remembered(-600), "a clock that was ahead does not silence the hours before"


async def test_two_readings_at_once_leave_one_read_fact(log: LogDatabase) -> None:
    """Of two simultaneous readings exactly one is the first."""

    async def remembered() -> bool:
        async with begin(log.engine) as session:
            return await audit_log.remember_read(session, PERSON, subject=CASE, now=NOW)

    assert sorted(await asyncio.gather(*(remembered() for _ in range(5)))) == [False] * 4 + [True]


async def test_pages_end_at_what_is_published(log: LogDatabase) -> None:
    """Lists show leaves in order of the log, none twice, none that no published checkpoint covers."""
    head = await log.open()
    head = await log.extend(head, CHANGED, SENT, CHANGED)
    await log.record(CHANGED)
    await log.sequence(head)
    async with reading(log.engine) as session:
        first = await audit_reading.published_leaves(session, after=audit_reading.START, limit=3)
        second = await audit_reading.published_leaves(session, after=first[-1].position, limit=3)
        of_case = await audit_reading.published_leaves(session, after=audit_reading.START, limit=9, subjects=[CASE])
    assert [leaf.position.leaf_index for leaf in (*first, *second)] == [0, 1, 2, 3]
    assert [leaf.position.leaf_index for leaf in of_case] == [1, 3]
