"""The log grows by one writer, never forks, and is never ahead of what a crash would leave."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from app.audit.checkpoint import Checkpoint, open_checkpoint
from app.audit.facts import Fact, FactType
from app.audit.leaf import read_leaf
from app.audit.merkle import grow, leaf_hash
from app.db import audit_log, audit_reading
from app.db.engine import ReadSession, Session, begin, reading
from app.errors import LogBroken
from app.services.sequence import BATCH, LogWriter, Sequenced, open_log, sequence_once
from tests.audit.database import LOG, NOW, WRITER, LogDatabase, as_role, open_log_database
from tests.audit.samples import KEY, ORIGIN, THREAD, tree_of
from tests.support.postgres import SEQUENCER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection

    from app.audit.merkle import Node
    from tests.support.postgres import Database

CHANGED = Fact(FactType.CASE_CHANGED, thread=THREAD, contents={"to": "TRIAGE"})


@pytest.fixture
async def log(database: Database) -> AsyncIterator[LogDatabase]:
    """A log database with triggers and roles, its log not opened."""
    async with open_log_database(database) as opened:
        yield opened


async def leaves_of(log: LogDatabase) -> list[bytes]:
    async with log.owner.connect() as connection:
        rows = await connection.execute(text("SELECT leaf FROM audit_leaf ORDER BY epoch, leaf_index"))
        return list(rows.scalars())


async def test_a_log_begins_with_its_own_opening(log: LogDatabase) -> None:
    """The first leaf is `log.opened`, even when facts were recorded before the log was opened."""
    await log.record(CHANGED)
    head = await log.open()
    await log.extend(head)
    assert [read_leaf(leaf).type for leaf in await leaves_of(log)] == ["log.opened", "case.changed"]


async def test_opening_twice_changes_nothing(log: LogDatabase) -> None:
    """Every start may ask for the log to be opened."""
    await log.open()
    async with begin(log.engine) as session:
        assert await open_log(session, WRITER, random=log.node.random, anchored=None, now=NOW) is None
    assert await log.count("audit_leaf") == 1


async def test_a_log_that_was_not_opened_is_not_extended(log: LogDatabase) -> None:
    """The sequencer opens nothing by itself: an empty database may be a lost one."""
    await log.record(CHANGED)
    with pytest.raises(LogBroken, match="log_not_opened"):
        await log.sequence(None)


async def test_batches_build_the_tree_of_the_rfc(log: LogDatabase) -> None:
    """However the facts fall into batches, every signed root is the root over all leaves so far."""
    head = await log.open()
    heads = [head]
    for count in (1, 2, 5, 8, 3):
        await log.record(*[CHANGED] * count)
        while (step := await log.sequence(heads[-1], limit=4)) is not None:
            heads.append(await log.publish(step))
    tree = tree_of(await leaves_of(log))
    assert heads[-1].size == 20
    assert [head.root for head in heads] == [tree.roots[head.size] for head in heads]
    assert await log.count("audit_node") == len(tree.nodes)
    assert await log.count("audit_pending") == 0


async def test_every_head_is_signed_by_the_log(log: LogDatabase) -> None:
    """The note opens under the log's key and says what was returned."""
    head = await log.open()
    await log.record(CHANGED)
    step = await log.sequence(head)
    assert step is not None
    assert open_checkpoint(step.note, LOG).checkpoint == step.checkpoint


async def test_without_facts_nothing_is_signed(log: LogDatabase) -> None:
    """An idle log makes no checkpoints, and to see that nothing waits takes one statement (control: a fact waits)."""
    head = await log.open()
    said: list[str] = []
    event.listen(log.engine.sync_engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    assert await log.sequence(head) is None
    assert len(said) == 1
    assert await log.count("audit_checkpoint") == 1
    await log.record(CHANGED)
    said.clear()
    assert await log.sequence(head) is not None
    assert len(said) > 1


async def test_a_crash_before_publication_is_made_good(log: LogDatabase) -> None:
    """After a commit without publication the next step returns the same head again, then there is nothing to do."""
    head = await log.open()
    await log.record(CHANGED, CHANGED)
    lost = await log.sequence(head)
    assert lost is not None
    again = await log.sequence(head)
    assert again == Sequenced(lost.checkpoint, lost.note, 0)
    assert await log.sequence(await log.publish(again)) is None


async def test_a_rolled_back_batch_leaves_nothing(log: LogDatabase) -> None:
    """When the commit fails, facts are pending as before and the signature is nowhere; the next step may differ."""
    head = await log.open()
    await log.record(CHANGED)
    with pytest.raises(RuntimeError, match="crash"):
        await sequence_and_crash(log, head)
    assert [await log.count(table) for table in ("audit_leaf", "audit_checkpoint", "audit_pending")] == [1, 1, 1]
    step = await log.sequence(head)
    assert step is not None
    assert step.checkpoint.size == 2


async def sequence_and_crash(log: LogDatabase, head: Checkpoint) -> None:
    async with begin(log.engine) as session:
        await sequence_once(session, WRITER, anchored=head, now=NOW)
        raise RuntimeError("crash")


async def test_publication_never_goes_back(log: LogDatabase) -> None:
    """Marking an older head afterwards changes nothing; marking one this database lacks stops the node."""
    first = await log.open()
    second = await log.extend(first, CHANGED)
    await log.publish(Sequenced(first, "", 0))
    async with reading(log.engine) as session:
        tree = await audit_log.load_tree(session, ORIGIN)
    assert tree is not None
    assert tree.published_size == second.size
    with pytest.raises(LogBroken, match="log_behind_anchor"):
        await log.publish(Sequenced(replace(second, size=3), "", 0))


async def test_a_database_behind_its_anchor_does_not_sign(log: LogDatabase) -> None:
    """F2: after a restore the anchor names a longer log than the database holds, and nothing is signed."""
    head = await log.open()
    await log.record(CHANGED)
    with pytest.raises(LogBroken, match="log_behind_anchor"):
        await log.sequence(replace(head, size=2))
    assert await log.count("audit_checkpoint") == 1


async def test_a_database_of_another_history_does_not_sign(log: LogDatabase) -> None:
    """F1: the same size under another root means two histories, and nothing is signed."""
    head = await log.open()
    await log.record(CHANGED)
    with pytest.raises(LogBroken, match="log_contradicts_anchor"):
        await log.sequence(replace(head, root=bytes(32)))
    assert await log.count("audit_checkpoint") == 1


async def test_a_published_log_without_its_anchor_does_not_sign(log: LogDatabase) -> None:
    """What was published was anchored first, so a missing anchor was taken away and is no fresh start."""
    await log.open()
    await log.record(CHANGED)
    with pytest.raises(LogBroken, match="anchor_missing"):
        await log.sequence(None)
    assert await log.count("audit_checkpoint") == 1


NEXT = replace(WRITER, origin="counterpart.example/xa/2027")


async def open_next(log: LogDatabase, anchored: Checkpoint) -> Sequenced:
    async with begin(log.engine) as session:
        opened = await open_log(session, NEXT, random=log.node.random, anchored=anchored, now=NOW)
    assert opened is not None
    return opened


async def test_a_new_epoch_follows_a_complete_one(log: LogDatabase) -> None:
    """Beside the old log, whole as its anchor says, the new one begins with `log.opened`; a crash is made good."""
    old = await log.open()
    opened = await open_next(log, old)
    assert [read_leaf(leaf).type for leaf in await leaves_of(log)] == ["log.opened", "log.opened"]
    async with begin(log.engine) as session:
        assert await sequence_once(session, NEXT, anchored=old, now=NOW) == replace(opened, appended=0)


async def test_a_new_epoch_after_a_loss_says_so(log: LogDatabase) -> None:
    """When the old log is shorter than its anchor, the new one begins with `log.restarted` and the head last known."""
    old = await log.open()
    await open_next(log, replace(old, size=7))
    first = read_leaf((await leaves_of(log))[1])
    assert first.type == "log.restarted"
    async with reading(log.engine) as session:
        opened = (await audit_reading.openings(session, [UUID(first.id)]))[UUID(first.id)]
    assert [opening.field for opening in opened] == ["found", "last_known"]
    assert json.loads(opened[0].body) == "log_behind_anchor"
    assert json.loads(opened[1].body)["size"] == 7


async def test_an_anchor_of_another_epoch_is_noticed(log: LogDatabase) -> None:
    """Once the new epoch is published, an anchor of the old one has been put back by somebody."""
    old = await log.open()
    await log.publish(await open_next(log, old))
    with pytest.raises(LogBroken, match="anchor_of_other_log"):
        async with begin(log.engine) as session:
            await sequence_once(session, NEXT, anchored=old, now=NOW)


async def test_a_lost_log_is_not_opened_again(log: LogDatabase) -> None:
    """An empty database beside the anchor of the same log has to be recovered, not begun anew under the same name."""
    anchored = Checkpoint(ORIGIN, 5, bytes(32))
    with pytest.raises(LogBroken, match="log_behind_anchor"):
        async with begin(log.engine) as session:
            await open_log(session, WRITER, random=log.node.random, anchored=anchored, now=NOW)


REQUEUE = """
    INSERT INTO audit_pending (event_id, origin, leaf)
    SELECT event_id, :origin, leaf || ' ' FROM audit_leaf WHERE leaf_index >= 1
"""
RESTORE = (
    "DELETE FROM audit_leaf WHERE leaf_index >= 1",
    "DELETE FROM audit_node WHERE idx >= 1 OR level > 0",
    "DELETE FROM audit_checkpoint WHERE size > 1",
    "UPDATE audit_tree SET size = 1, published_size = 0",
)


async def test_the_anchor_is_what_keeps_a_restored_log_from_forking(log: LogDatabase) -> None:
    """With its anchor a restored node refuses; without one (the control) it signs a second history of the same size."""
    head = await log.extend(await log.open(), CHANGED)
    await log.break_in(REQUEUE, origin=ORIGIN)
    await log.break_in(*RESTORE)
    with pytest.raises(LogBroken, match="log_behind_anchor"):
        await log.sequence(head)
    forked = await log.sequence(None)
    assert forked is not None
    assert forked.checkpoint.size == head.size
    assert forked.checkpoint.root != head.root


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("DELETE FROM audit_node WHERE level = 1", "log_nodes_missing"),
        ("UPDATE audit_node SET hash = sha256('x') WHERE level = 1", "log_root_differs"),
        ("UPDATE audit_checkpoint SET root = sha256('x') WHERE size = 2", "log_root_differs"),
        ("DELETE FROM audit_checkpoint WHERE size = 2", "log_root_differs"),
    ],
)
async def test_a_damaged_right_edge_stops_the_sequencer(log: LogDatabase, damage: str, code: str) -> None:
    """Nodes that do not lead to the head signed last are never built upon."""
    first = await log.open()
    await log.extend(first, CHANGED)
    await log.break_in(damage)
    await log.record(CHANGED)
    with pytest.raises(LogBroken, match=code):
        await log.sequence(first)


async def test_a_missing_newest_head_is_noticed_when_idle(log: LogDatabase) -> None:
    """A head that was signed and not yet published cannot be published when its row is gone."""
    first = await log.open()
    await log.record(CHANGED)
    await log.sequence(first)
    await log.break_in("DELETE FROM audit_checkpoint WHERE size = 2")
    with pytest.raises(LogBroken, match="log_head_missing"):
        await log.sequence(first)


async def test_only_one_sequencer_works_at_a_time(log: LogDatabase) -> None:
    """While one transaction extends the log, other processes do not wait: they have nothing to do, nor to open."""
    head = await log.open()
    await log.record(CHANGED)
    async with begin(log.engine) as session:
        assert await sequence_once(session, WRITER, anchored=head, now=NOW) is not None
        assert await log.sequence(head) is None
        async with begin(log.engine) as other:
            assert await open_log(other, WRITER, random=log.node.random, anchored=None, now=NOW) is None


async def test_many_sequencers_and_writers_lose_and_double_nothing(log: LogDatabase) -> None:
    """Four sequencers beside four writers: every fact stands in the log exactly once, and the roots are right."""
    head = await log.open()
    writing = asyncio.gather(*(log.record(CHANGED, CHANGED) for _ in range(40)))
    steps: list[Sequenced] = []
    while not writing.done() or await log.count("audit_pending"):
        done = await asyncio.gather(*(log.sequence(head) for _ in range(4)))
        steps += [step for step in done if step is not None and step.appended]
    await writing
    leaves = await leaves_of(log)
    tree = tree_of(leaves)
    assert len(leaves) == len({read_leaf(leaf).id for leaf in leaves}) == 81
    assert [step.checkpoint.root for step in steps] == [tree.roots[step.checkpoint.size] for step in steps]


async def extend_unlocked(connection: AsyncConnection, tree: audit_log.Tree, *, compare_and_swap: bool) -> None:
    """A sequencer without advisory lock and row lock; on demand without the compare-and-swap too."""
    session = Session(ReadSession(connection))
    leaves = await audit_log.take_batch(session, limit=BATCH)
    edge: list[Node] = []
    nodes: list[Node] = []
    for index, leaf in enumerate(leaves, start=tree.size):
        nodes += grow(edge, index, leaf_hash(leaf.leaf))
    await audit_log.add_leaves(session, tree, leaves=leaves, nodes=nodes)
    if compare_and_swap:
        await audit_log.advance_tree(session, tree, size=tree.size + len(leaves))
    await connection.commit()


async def two_at_once(log: LogDatabase, *, compare_and_swap: bool) -> int:
    """Two unlocked sequencers read the same size, then both append; returns how often index 0 was given."""
    async with log.owner.begin() as connection:
        for table in ("audit_leaf", "audit_node"):
            await connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT pk_{table}"))
        await connection.execute(text("ALTER TABLE audit_leaf DROP CONSTRAINT uq_audit_leaf_event_id"))
        tree = await audit_log.create_tree(Session(ReadSession(connection)), ORIGIN, now=NOW)
    await log.record(CHANGED)
    async with log.owner.connect() as one, log.owner.connect() as two:
        await extend_unlocked(one, tree, compare_and_swap=compare_and_swap)
        await extend_unlocked(two, tree, compare_and_swap=compare_and_swap)
    return await log.count("audit_leaf")


async def test_the_compare_and_swap_alone_keeps_an_index_unique(log: LogDatabase) -> None:
    """Lock ignored and keys dropped, the second of two sequencers is stopped by the size it no longer finds."""
    with pytest.raises(LogBroken, match="log_moved"):
        await two_at_once(log, compare_and_swap=True)
    assert await log.count("audit_leaf") == 1


async def test_without_the_compare_and_swap_an_index_is_given_twice(log: LogDatabase) -> None:
    """The control of the test above: the same two sequencers without it both write leaf 0."""
    assert await two_at_once(log, compare_and_swap=False) == 2


async def test_the_application_alone_cannot_extend_the_log(log: LogDatabase) -> None:
    """Without taking the sequencer's role the same code is refused by the database."""
    await log.record(CHANGED)
    plain = LogWriter(ORIGIN, KEY)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with begin(log.engine) as session:
            await open_log(session, plain, random=log.node.random, anchored=None, now=NOW)
    async with begin(log.engine) as session:
        await as_role(session, SEQUENCER)
        assert await open_log(session, plain, random=log.node.random, anchored=None, now=NOW) is not None
