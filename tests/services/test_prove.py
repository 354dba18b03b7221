"""Proofs are made from rows and checked by the offline reader, which knows nothing but the log's key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from app.audit.checkpoint import open_checkpoint
from app.audit.facts import Fact, FactType
from app.audit.leaf import read_leaf
from app.audit.merkle import verify_consistency
from app.audit.proof import verify_proof
from app.audit.verify import Verdict, verify_export
from app.db import audit_reading
from app.db.engine import begin, reading
from app.errors import LogBroken, Refused, Unavailable, Unknown
from app.services import prove
from app.services.record import record
from tests.audit.database import LOG, NOW, OFFICER, LogDatabase, open_log_database
from tests.audit.samples import ORIGIN, THREAD, tree_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.audit.checkpoint import Checkpoint
    from tests.support.postgres import Database

CHANGED = Fact(FactType.CASE_CHANGED, thread=THREAD, contents={"to": "TRIAGE", "reason": "Überlastung"})


@pytest.fixture
async def log(database: Database) -> AsyncIterator[LogDatabase]:
    """A log database, its log not opened."""
    async with open_log_database(database) as opened:
        yield opened


async def leaves_of(log: LogDatabase) -> list[audit_reading.StoredLeaf]:
    async with reading(log.engine) as session:
        return await audit_reading.published_leaves(session, after=audit_reading.START, limit=1000)


async def grown(log: LogDatabase) -> list[Checkpoint]:
    """A log of 14 leaves under five heads."""
    heads = [await log.open()]
    for count in (1, 2, 3, 7):
        heads.append(await log.extend(heads[-1], *[CHANGED] * count))
    return heads


async def test_every_event_is_proven_against_the_newest_head(log: LogDatabase) -> None:
    """For each leaf the proof text verifies offline, names its index, and ends at the newest published head."""
    heads = await grown(log)
    for stored in await leaves_of(log):
        async with reading(log.engine) as session:
            text = await prove.prove_event(session, stored.event_id)
        assert verify_proof(text, stored.leaf, log=LOG) == (stored.position.leaf_index, heads[-1])


async def test_the_newest_published_checkpoint_is_served(log: LogDatabase) -> None:
    """A head that is committed and not yet published stays inside."""
    heads = await grown(log)
    await log.record(CHANGED)
    await log.sequence(heads[-1])
    async with reading(log.engine) as session:
        note = await prove.newest_checkpoint(session, ORIGIN)
    assert open_checkpoint(note, LOG).checkpoint == heads[-1]


async def test_before_the_first_publication_nothing_is_served(log: LogDatabase) -> None:
    """No log, and a log whose first head has not been published, both answer that it is too early."""
    async with reading(log.engine) as session:
        with pytest.raises(Unavailable, match="not_yet_published"):
            await prove.newest_checkpoint(session, ORIGIN)
    await log.open()
    await log.break_in("UPDATE audit_tree SET published_size = 0")
    async with reading(log.engine) as session:
        with pytest.raises(Unavailable, match="not_yet_published"):
            await prove.newest_checkpoint(session, ORIGIN)


async def test_an_event_without_its_place_has_no_proof_yet(log: LogDatabase) -> None:
    """Pending and unpublished events say that they are recorded; unknown ones do not exist."""
    head = await log.open()
    async with begin(log.engine) as session:
        event_id = await record(session, log.node, CHANGED, actor=OFFICER, now=NOW)
    for _ in ("pending", "in the tree, unpublished"):
        async with reading(log.engine) as session:
            with pytest.raises(Unavailable, match="not_yet_published"):
                await prove.prove_event(session, event_id)
            with pytest.raises(Unknown, match="event_unknown"):
                await prove.prove_event(session, UUID(THREAD))
        await log.sequence(head)


async def test_all_pairs_of_sizes_are_proven_consistent(log: LogDatabase) -> None:
    """Between any two sizes up to the published one the proof verifies, whether a head was signed there or not."""
    heads = await grown(log)
    roots = tree_of([stored.leaf for stored in await leaves_of(log)]).roots
    size = heads[-1].size
    async with reading(log.engine) as session:
        for new in range(1, size + 1):
            for old in range(1, new + 1):
                proof = await prove.prove_consistency(session, ORIGIN, old=old, new=new)
                verify_consistency(old, new, proof=proof, old_root=roots[old], new_root=roots[new])


@pytest.mark.parametrize(
    ("old", "new", "pointer"), [(0, 5, "?from"), (-1, 5, "?from"), (6, 5, "?from"), (1, 15, "?to"), (1, 10**30, "?to")]
)
async def test_impossible_sizes_are_refused(log: LogDatabase, old: int, new: int, pointer: str) -> None:
    """Sizes out of order or beyond the newest head are the caller's fault, and the fault is named."""
    await grown(log)
    async with reading(log.engine) as session:
        with pytest.raises(Refused) as refused:
            await prove.prove_consistency(session, ORIGIN, old=old, new=new)
    assert [error.pointer for error in refused.value.errors] == [pointer]


async def test_missing_nodes_make_no_proof(log: LogDatabase) -> None:
    """A proof with a hole is not handed out; the log is reported broken."""
    await grown(log)
    event_id = (await leaves_of(log))[3].event_id
    await log.break_in("DELETE FROM audit_node WHERE level = 1")
    async with reading(log.engine) as session:
        with pytest.raises(LogBroken, match="log_nodes_missing"):
            await prove.prove_event(session, event_id)
    await log.break_in("DELETE FROM audit_checkpoint")
    async with reading(log.engine) as session:
        with pytest.raises(LogBroken, match="log_head_missing"):
            await prove.newest_checkpoint(session, ORIGIN)


async def test_an_export_verifies_without_the_database(log: LogDatabase) -> None:
    """Leaves, checkpoints and openings as exported are all the offline check needs."""
    heads = await grown(log)
    await log.record(CHANGED)
    await log.sequence(heads[-1])
    async with reading(log.engine) as session:
        leaves = [line async for line in prove.export_leaves(session, ORIGIN)]
        notes = [json.loads(line)["note"] async for line in prove.export_notes(session, ORIGIN)]
        openings = [line async for line in prove.export_openings(session, ORIGIN)]
    report = verify_export(leaves, notes, log=LOG, openings=openings)
    assert report.verdict is Verdict.VALID
    assert (report.leaves, report.checkpoints, report.opened) == (14, 5, 26)
    assert verify_export(leaves[:-1], notes, log=LOG).verdict is Verdict.INCOMPLETE


async def test_leaves_say_who_did_what_in_which_case(log: LogDatabase) -> None:
    """What was recorded reads back: type, pseudonym, case, and that there is content elsewhere."""
    await grown(log)
    leaf = read_leaf((await leaves_of(log))[1].leaf)
    assert (leaf.type, leaf.actor, leaf.thread) == ("case.changed", "u:9f3c", THREAD)
    assert set(leaf.commitments) == {"to", "reason"}
