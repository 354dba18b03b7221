"""What an operator is told after a restore: the proof, what to do next, whom the node waits for, and what was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db import recoveries
from app.db.engine import begin
from app.db.recoveries import LostItem
from app.domain.resync import Lost, Proof
from app.services.recovery.begin import Evidence, begin_recovery
from app.serving import wall_clock
from tests.cli.abroad import at_work
from tests.cli.shell import typed

if TYPE_CHECKING:
    from tests.cli.conftest import Office

THREAD = "0193523a-7a00-7000-8000-000000000001"


async def begun(office: Office) -> None:
    """The node has found that it was restored, and that a number of its own is nobody's."""
    async with at_work(office) as runtime, begin(runtime.engine) as session:
        now = wall_clock()
        evidence = Evidence(Proof.ANCHOR, {"origin": "counterpart/xa", "size": 12}, since=now)
        one = await begin_recovery(session, runtime.node, evidence, now=now)
        await recoveries.add_lost(session, LostItem(one.id, "XT", THREAD, 7, Lost.VOIDED, now))


async def show(office: Office) -> str:
    """What the command prints for a person."""
    done = await typed("recovery", "show", "--config", office.config)
    assert (done.code, done.err) == (0, "")
    return done.out


async def test_a_node_that_was_never_restored_says_so(office: Office) -> None:
    """Nothing to show is a sentence, and an empty list for a program."""
    assert "never restored" in await show(office)
    assert (await typed("recovery", "show", "--json", "--config", office.config)).rows == []


async def test_it_says_what_to_do_and_what_was_lost(office: Office) -> None:
    """Until the epoch is raised it says so; then whom it waits for; at the end that it is over."""
    await begun(office)
    told = await show(office)
    assert "waits for a new log epoch" in told
    assert "raise COUNTERPART_LOG_EPOCH" in told
    assert "voided" in told
    async with at_work(office) as runtime, begin(runtime.engine) as session:
        await recoveries.reopen(session, now=wall_clock())
    told = await show(office)
    assert "waits for peers" in told
    assert "COUNTERPART_LOG_EPOCH" not in told
    async with at_work(office) as runtime, begin(runtime.engine) as session:
        for closed in await recoveries.all_closed(session):
            await recoveries.set_done(session, closed, now=wall_clock())
        await recoveries.end_finished(session, now=wall_clock())
    row = (await typed("recovery", "show", "--json", "--config", office.config)).row
    assert (row["state"], row["proof"], row["detail"]["size"]) == ("ended", "anchor", 12)
    assert [(peer["peer"], peer["state"]) for peer in row["peers"]] == [("XT", "open")]
    assert [(item["thread"], item["seq"], item["what"]) for item in row["lost"]] == [(THREAD, 7, "voided")]
