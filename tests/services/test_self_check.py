"""Whoever changes the log's rows behind our back, even as superuser, is named by the first index that is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.audit.checkpoint import Checkpoint
from app.audit.facts import Fact, FactType
from app.audit.merkle import leaf_hash
from app.audit.verify import Report, Verdict
from app.db.engine import reading
from app.services.self_check import check_log
from tests.audit.database import LOG, LogDatabase, open_log_database
from tests.audit.samples import ORIGIN, THREAD, tree_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database

CHANGED = Fact(FactType.CASE_CHANGED, thread=THREAD, contents={"to": "TRIAGE", "reason": "handover"})


@pytest.fixture
async def log(database: Database) -> AsyncIterator[LogDatabase]:
    """A log of 12 leaves under the heads 1, 4, 8 and 12."""
    async with open_log_database(database) as opened:
        head = await opened.open()
        for count in (3, 4, 4):
            head = await opened.extend(head, *[CHANGED] * count)
        yield opened


async def check(log: LogDatabase, anchored: Checkpoint | None = None) -> Report:
    async with reading(log.engine) as session:
        return await check_log(session, LOG, anchored=anchored)


def checkpoint(leaves: list[bytes]) -> Checkpoint:
    """The head over these leaves."""
    return Checkpoint(ORIGIN, len(leaves), tree_of(leaves).roots[-1])


async def rows(log: LogDatabase) -> list[bytes]:
    async with log.owner.connect() as connection:
        return list((await connection.execute(text("SELECT leaf FROM audit_leaf ORDER BY leaf_index"))).scalars())


async def test_an_untouched_log_is_valid(log: LogDatabase) -> None:
    """All leaves, nodes, heads and contents fit, and progress is told."""
    told: list[tuple[int, int]] = []
    async with reading(log.engine) as session:
        report = await check_log(session, LOG, progress=lambda done, total: told.append((done, total)))
    assert report.verdict is Verdict.VALID
    assert (report.leaves, report.checkpoints, report.opened, report.erased) == (12, 4, 22, 0)
    assert told == [(12, 12)]


TAMPERING = {
    "a leaf reworded": ("UPDATE audit_leaf SET leaf = replace_in(leaf, 'case.changed', 'case.created') WHERE {5}", 5),
    "a leaf made unreadable": ("UPDATE audit_leaf SET leaf = 'x' WHERE {5}", 5),
    "a leaf deleted": ("DELETE FROM audit_leaf WHERE {5}", 5),
    "the last leaf deleted": ("DELETE FROM audit_leaf WHERE {11}", 11),
    "a leaf filed under another event": ("UPDATE audit_leaf SET event_id = gen_random_uuid() WHERE {5}", 5),
    "a leaf hidden from its case": ("UPDATE audit_leaf SET subject = NULL WHERE {5}", 5),
    "a leaf hash changed": ("UPDATE audit_node SET hash = sha256('x') WHERE level = 0 AND idx = 5", 5),
    "an inner node changed": ("UPDATE audit_node SET hash = sha256('x') WHERE level = 2 AND idx = 1", 4),
    "an inner node deleted": ("DELETE FROM audit_node WHERE level = 3", 0),
    "a content changed": ("UPDATE commitment SET body = '\"x\"' WHERE event_id = (SELECT event_id {from5})", 5),
}


@pytest.mark.parametrize(("statement", "first_bad"), TAMPERING.values(), ids=TAMPERING.keys())
async def test_tampering_as_superuser_is_named(log: LogDatabase, statement: str, first_bad: int) -> None:
    """Each change behind the triggers is found, and the first bad index is right."""
    await log.break_in(prepared(statement))
    report = await check(log)
    assert report.verdict is Verdict.INVALID
    assert report.first_bad == first_bad


def prepared(statement: str) -> str:
    """Spell out the shorthands of the table above."""
    reworded = "convert_to(replace(convert_from(leaf, 'UTF8'), 'case.changed', 'case.created'), 'UTF8')"
    return (
        statement.replace("replace_in(leaf, 'case.changed', 'case.created')", reworded)
        .replace("{from5}", "FROM audit_leaf WHERE leaf_index = 5")
        .replace("{5}", "leaf_index = 5")
        .replace("{11}", "leaf_index = 11")
    )


async def test_a_whole_tree_forged_over_a_changed_leaf_is_caught_by_the_signed_heads(log: LogDatabase) -> None:
    """With every node recomputed to fit, the next signed head does not: the range since the last good one is named."""
    leaves = await rows(log)
    leaves[5] = leaves[5].replace(b"case.changed", b"case.created")
    await log.break_in("UPDATE audit_leaf SET leaf = :leaf WHERE leaf_index = 5", leaf=leaves[5])
    for (level, index), hashed in tree_of(leaves).nodes.items():
        await log.break_in(
            "UPDATE audit_node SET hash = :hashed WHERE level = :level AND idx = :index",
            hashed=hashed,
            level=level,
            index=index,
        )
    assert tree_of(leaves).nodes[0, 5] == leaf_hash(leaves[5])
    report = await check(log)
    assert report.verdict is Verdict.INVALID
    assert (report.first_bad, report.last_bad) == (4, 7)


HEADS = {
    "another root beside the note": "UPDATE audit_checkpoint SET root = sha256('x') WHERE size = 8",
    "a note that is none": "UPDATE audit_checkpoint SET note = 'x' WHERE size = 8",
    "a note of another size": (
        "UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint WHERE size = 4) WHERE size = 8"
    ),
    "the tail cut off, its head left": "UPDATE audit_tree SET size = 8, published_size = 8",
}


@pytest.mark.parametrize("statement", HEADS.values(), ids=HEADS.keys())
async def test_changed_heads_are_found(log: LogDatabase, statement: str) -> None:
    """A head that is not what was signed, or signed for more leaves than there are, makes the log invalid."""
    await log.break_in(statement)
    assert (await check(log)).verdict is Verdict.INVALID


async def test_a_log_cut_back_completely_is_caught_by_the_anchor(log: LogDatabase) -> None:
    """All traces of the tail removed, the database alone looks whole (the control); the anchor knows better."""
    anchored = checkpoint(await rows(log))
    await log.break_in(
        "DELETE FROM audit_leaf WHERE leaf_index >= 8",
        "DELETE FROM audit_node WHERE (idx + 1) << level > 8",
        "DELETE FROM audit_checkpoint WHERE size > 8",
        "UPDATE audit_tree SET size = 8, published_size = 8",
    )
    assert (await check(log)).verdict is Verdict.VALID
    report = await check(log, anchored)
    assert report.verdict is Verdict.INVALID
    assert "anchor" in str(report.problem)


async def test_the_anchor_is_compared_like_a_head(log: LogDatabase) -> None:
    """An anchor that fits changes nothing, one with another root makes the log invalid, another log's is left alone."""
    anchored = checkpoint(await rows(log))
    assert (await check(log, anchored)).verdict is Verdict.VALID
    assert (await check(log, replace(anchored, root=bytes(32)))).verdict is Verdict.INVALID
    assert (await check(log, replace(anchored, origin="elsewhere", root=bytes(32)))).verdict is Verdict.VALID


async def test_an_erased_content_is_a_third_state(log: LogDatabase) -> None:
    """Deleting key and value leaves the log incomplete, not invalid, and says how much is gone."""
    await log.break_in("DELETE FROM commitment WHERE field = 'reason'")
    report = await check(log)
    assert report.verdict is Verdict.INCOMPLETE
    assert report.erased == 11


async def test_a_log_that_is_not_there_is_not_valid(log: LogDatabase) -> None:
    """Asked about another origin, the check does not say that all is well."""
    async with reading(log.engine) as session:
        report = await check_log(session, replace(LOG, name="counterpart.example/xa/2031"))
    assert report.verdict is Verdict.INCOMPLETE
