"""The log while a node recovers: it stands still until the operator names a new epoch, and no fact is lost between."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.audit.facts import Fact, FactType
from app.audit.leaf import check_opening, read_leaf
from app.audit.verify import Verdict
from app.db import audit_reading
from app.db.engine import begin, reading
from app.domain.resync import Proof
from app.errors import LogBroken
from app.services.recovery.begin import Evidence, begin_recovery
from app.services.self_check import check_log
from app.services.sequence import LogWriter, Sequenced, open_log, sequence_once
from tests.audit.database import LOG, NOW, WRITER, LogDatabase, open_log_database
from tests.audit.samples import ORIGIN, THREAD
from tests.envelope.parties import AURELIA, KITANO
from tests.support.peer import make_directory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from app.audit.checkpoint import Checkpoint
    from tests.support.postgres import Database

CHANGED = Fact(FactType.CASE_CHANGED, thread=THREAD, contents={"to": "TRIAGE"})
NEXT = replace(WRITER, origin=f"{ORIGIN}.2")
NEXT_LOG = replace(LOG, name=NEXT.origin)

FILTERED = "DELETE FROM audit_pending WHERE origin = :origin"
"""What a sequencer comes to that takes only the facts of its own epoch: the others are there and never placed."""


@pytest.fixture
async def log(database: Database) -> AsyncIterator[LogDatabase]:
    """A log database whose node knows a peer."""
    async with open_log_database(database) as opened:
        node = replace(opened.node, code=KITANO.code, directory=make_directory(KITANO, AURELIA))
        yield replace(opened, node=node)


async def recovering(log: LogDatabase) -> None:
    """The node finds that it lost something."""
    async with begin(log.engine) as session:
        await begin_recovery(session, log.node, Evidence(Proof.TEXT, {"jti": "one"}), now=NOW)


async def opened(log: LogDatabase, writer: LogWriter, anchored: Checkpoint | None) -> Sequenced | None:
    """A start under the epoch of `writer`."""
    async with begin(log.engine) as session:
        return await open_log(session, writer, random=log.node.random, anchored=anchored, now=NOW)


async def types_in(log: LogDatabase, epoch: int) -> list[str]:
    """What one epoch of the log says."""
    async with log.owner.connect() as connection:
        query = text("SELECT leaf FROM audit_leaf WHERE epoch = :epoch ORDER BY leaf_index")
        return [read_leaf(leaf).type for leaf in (await connection.execute(query, {"epoch": epoch})).scalars()]


async def test_the_log_stands_still_until_the_new_epoch(log: LogDatabase) -> None:
    """Facts wait while the node recovers; nothing is signed under the old epoch any more, however often it starts."""
    head = await log.open()
    await recovering(log)
    await log.record(CHANGED)
    assert await log.sequence(head) is None
    assert await opened(log, WRITER, head) is None
    assert await log.count("audit_checkpoint") == 1
    assert await log.count("recovery WHERE reopened_at IS NULL") == 1


async def test_what_the_old_epoch_left_waiting_is_in_the_new_log(log: LogDatabase) -> None:
    """Facts sealed for the old log get their place in the new one, whole: the log verifies and every opening fits."""
    head = await log.open()
    await log.record(CHANGED)
    await recovering(log)
    await log.record(CHANGED, CHANGED)
    first = await opened(log, NEXT, head)
    assert first is not None
    async with begin(log.engine) as session:
        done = await sequence_once(session, NEXT, anchored=head, now=NOW)
    assert done is not None
    assert await log.count("audit_pending") == 0
    assert await types_in(log, 2) == [
        "log.restarted",
        "case.changed",
        "recovery.began",
        "case.changed",
        "case.changed",
    ]
    assert await log.count("recovery WHERE reopened_at IS NULL") == 0
    async with reading(log.engine) as session:
        report = await check_log(session, NEXT_LOG)
        assert report.verdict is Verdict.VALID, report
        found = await audit_reading.openings(session, await _events(log))
    async with log.owner.connect() as connection:
        leaves = (await connection.execute(text("SELECT event_id, leaf FROM audit_leaf WHERE epoch = 2"))).all()
    for event_id, leaf in leaves:
        assert read_leaf(leaf).log == NEXT.origin
        for opening in found.get(event_id, ()):
            check_opening(read_leaf(leaf), opening)


async def _events(log: LogDatabase) -> list[UUID]:
    async with log.owner.connect() as connection:
        return list((await connection.execute(text("SELECT event_id FROM audit_leaf WHERE epoch = 2"))).scalars())


async def test_by_its_own_epoch_alone_they_would_wait_for_ever(log: LogDatabase) -> None:
    """(Control) The same facts, seen only by a sequencer of the epoch they were sealed for, are in no log."""
    head = await log.open()
    await log.record(CHANGED)
    assert await opened(log, NEXT, head) is not None
    await log.break_in(FILTERED, origin=ORIGIN)
    async with begin(log.engine) as session:
        await sequence_once(session, NEXT, anchored=head, now=NOW)
    assert "case.changed" not in await types_in(log, 2)


async def test_a_new_epoch_without_a_loss_is_no_restart(log: LogDatabase) -> None:
    """Raising the epoch for other reasons opens a log; what the former one left waiting is in it all the same."""
    head = await log.open()
    await log.record(CHANGED)
    assert await opened(log, NEXT, head) is not None
    async with begin(log.engine) as session:
        await sequence_once(session, NEXT, anchored=head, now=NOW)
    assert await types_in(log, 2) == ["log.opened", "case.changed"]


async def test_a_former_epoch_is_not_extended(log: LogDatabase) -> None:
    """A process that still runs under the old epoch ends; it neither signs nor takes facts from the new log."""
    head = await log.open()
    assert await opened(log, NEXT, head) is not None
    await log.record(CHANGED)
    with pytest.raises(LogBroken, match="log_superseded"):
        await log.sequence(head)
    assert await log.count("audit_pending") == 1


async def test_the_same_loss_begins_one_recovery(log: LogDatabase) -> None:
    """However often a start finds it, and in however many processes, a loss is one recovery."""
    await recovering(log)
    await recovering(log)
    async with begin(log.engine) as session:
        await begin_recovery(session, log.node, Evidence(Proof.ANCHOR, {"size": 7}), now=NOW)
    assert await log.count("recovery") == 1
    assert await log.count("recovering_peer") == 1
