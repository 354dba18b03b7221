"""The loops of a node outlive what passes, stop at what may not go on, and leave nothing behind."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
import httpx
import pytest

from app.anchor import read_anchor, write_anchor
from app.audit.note import verifier_key
from app.bus.broker import PUBLISH_TIMEOUT_S
from app.db.engine import begin
from app.domain.codes import Lane, MessageType
from app.errors import LogBroken, SettingsUnusable
from app.main import create_app
from app.routers.health import SILENCE
from app.services.send import Outgoing
from app.services.sequence import sequence_once
from app.workers import LONGEST_REST, keep_going, run_workers, sequence, start_log
from tests.support.bus import eventually
from tests.support.world import living_world, seen
from tests.workplace import open_workplace
from tests.world.journey import PRESERVING, preservation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from app.audit.checkpoint import Checkpoint
    from tests.support.postgres import Database, PostgresServer
    from tests.workplace import Workplace

LOOPS = ("relay-urgent", "relay-routine", "sweep", "sequencer", "timers", "clearing")
STOPS_WITHIN = 8.0
"""Seconds of a stop with nothing under way: milliseconds on an idle machine, far below the longest pause."""


@pytest.fixture
async def work(database: Database, migrated: PostgresServer, tmp_path: Path) -> AsyncIterator[Workplace]:
    """The node XT, none of its loops running."""
    async with open_workplace(database, migrated, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def working(work: Workplace) -> AsyncIterator[asyncio.Task[None]]:
    """All loops, for the time of the block; what ended them early is raised at its end."""
    task = asyncio.create_task(run_workers(work.runtime))
    try:
        await eventually(lambda: work.runtime.beats.keys() >= set(LOOPS) or task.done(), what="loops did not begin")
        yield task
    finally:
        work.runtime.stopping.set()
        work.runtime.wake.ring()
        await asyncio.wait_for(task, 30)


def others() -> set[asyncio.Task[object]]:
    """All tasks of this process but the one that asks."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def publication(work: Workplace, size: int) -> None:
    """Wait until a checkpoint of that size may leave."""
    await seen(work.published, lambda published: published >= size)


async def test_loops_outlive_an_outage_of_the_database(work: Workplace) -> None:
    """While the database is away every loop fails and rests; once it is back all come round, and the log grows."""
    async with working(work) as task:
        async with work.outage():
            tried = {*LOOPS} - {"sweep", "clearing"}
            await eventually(
                lambda: {line["loop"] for line in work.lines("loop_error")} >= tried, what="not all have tried"
            )
            assert not task.done()
        await work.beaten("relay-urgent", "relay-routine", "sequencer", "timers")
        await work.note()
        await publication(work, 2)
    assert {line["log_level"] for line in work.lines("loop_error")} == {"warning"}


def failing(times: int, fault: BaseException) -> tuple[list[int], Callable[[], Awaitable[bool]]]:
    """A loop's work that raises so often and then has nothing to do; and how often it was asked."""
    asked: list[int] = []

    async def once() -> bool:
        asked.append(len(asked))
        if len(asked) <= times:
            raise fault
        return False

    return asked, once


async def test_a_loop_carries_on_after_an_unexpected_error(work: Workplace) -> None:
    """A bug in a loop is logged as an error with its place, and the loop tries again."""
    asked, once = failing(3, ZeroDivisionError())
    task = asyncio.create_task(keep_going(work.runtime, "clumsy", once, pause=0.001))
    await eventually(lambda: len(asked) > 3, what="it gave up")
    work.runtime.stopping.set()
    await task
    errors = work.lines("loop_error")
    assert [line["attempt"] for line in errors] == [1, 2, 3]
    assert {line["log_level"] for line in errors} == {"error"}
    assert isinstance(errors[0]["exc_info"], ZeroDivisionError)


async def test_a_loop_outlives_thousands_of_errors(work: Workplace) -> None:
    """The rest between errors stops growing before it is no number any more: a night without database is survived."""
    asked, once = failing(3_000, OSError())
    task = asyncio.create_task(keep_going(work.runtime, "patient", once, pause=0.0))
    await eventually(lambda: len(asked) > 3_000 or task.done(), what="it gave up")
    assert not task.done(), task.exception()
    work.runtime.stopping.set()
    await task
    with pytest.raises(OverflowError):  # the control: what the rest would be if it went on doubling
        min(LONGEST_REST, 0.5 * 2.0**3_000)


async def test_a_loop_that_may_not_go_on_ends_all(work: Workplace) -> None:
    """When the tree in the database was changed, run_workers ends with LogBroken and no loop stays behind."""
    before = others()
    task = asyncio.create_task(run_workers(work.runtime))
    await seen(partial(work.count, "audit_checkpoint"), bool)
    await work.note(2)
    await publication(work, 3)
    await work.break_in("DELETE FROM audit_node WHERE level = 1")
    await work.note()
    with pytest.raises(ExceptionGroup) as ended:
        await asyncio.wait_for(task, 20)
    assert ended.group_contains(LogBroken, match="log_nodes_missing")
    assert others() <= before


Repair = tuple[str, int]
CRASHES: dict[str, Repair] = {
    "after the commit, before the anchor": ("commit", 1),
    "after the anchor, before publication": ("anchor", 3),
}


async def crash_after(work: Workplace, point: str) -> Checkpoint | None:
    """One round of the sequencer that dies at a commit point; returns what the anchor then holds."""
    runtime = work.runtime
    log = verifier_key(runtime.log_writer.origin, runtime.log_writer.key)
    anchored = read_anchor(runtime.anchor, (log,))
    async with begin(runtime.chores) as session:
        done = await sequence_once(session, runtime.log_writer, anchored=anchored, now=work.clock())
    assert done is not None
    if point == "anchor":
        write_anchor(runtime.anchor, done.note, log=log)
    return read_anchor(runtime.anchor, (log,))


@pytest.mark.parametrize("more", [0, 4], ids=["nothing new", "facts that came meanwhile"])
@pytest.mark.parametrize("crash", CRASHES)
async def test_the_next_round_repairs_a_crash(work: Workplace, crash: str, more: int) -> None:
    """Wherever the sequencer died, nothing was published, and its next round publishes what it finds, once."""
    point, anchored = CRASHES[crash]
    await start_log(work.runtime)
    await work.note(2)
    held = await crash_after(work, point)
    assert held is not None
    assert (held.size, await work.published()) == (anchored, 1)
    await work.note(more)
    assert await sequence(work.runtime) is (more > 0)
    assert await work.published() == await work.count("audit_leaf") == 3 + more
    assert await sequence(work.runtime) is False


async def test_a_start_publishes_what_a_crash_left(work: Workplace) -> None:
    """The look at the log that every start begins with is a round like any other."""
    await start_log(work.runtime)
    await work.note()
    await crash_after(work, "commit")
    assert await work.published() == 1
    await start_log(work.runtime)
    assert await work.published() == 2


@pytest.mark.parametrize("crash", CRASHES)
async def test_a_start_under_a_new_epoch_publishes_what_the_former_left(work: Workplace, crash: str) -> None:
    """The epoch is raised after a crash: no leaf of the former log stays unproved, no fact without its place."""
    await start_log(work.runtime)
    await work.note()
    await crash_after(work, CRASHES[crash][0])
    await work.note()
    former = work.runtime.log_writer
    await start_log(replace(work.runtime, log_writer=replace(former, origin=f"{former.origin}.2")))
    sizes = await work.station.rows("SELECT epoch, size, published_size FROM audit_tree ORDER BY epoch")
    assert sizes == [(1, 2, 2), (2, 2, 2)]
    assert await work.count("audit_pending") == 0


async def test_published_before_the_anchor_is_found_out(work: Workplace) -> None:
    """The control: a sequencer that publishes without writing the anchor stops at its next round."""
    await start_log(work.runtime)
    work.runtime.anchor.unlink()
    await work.note()
    with pytest.raises(LogBroken, match="anchor_missing"):
        await sequence(work.runtime)


RESTORE = (
    "DELETE FROM audit_leaf WHERE leaf_index >= 1",
    "DELETE FROM audit_node WHERE idx >= 1 OR level > 0",
    "DELETE FROM audit_checkpoint WHERE size > 1",
    "UPDATE audit_tree SET size = 1, published_size = 1",
)


async def queue_for_aurelia(work: Workplace) -> None:
    """Something that would leave the node at once."""
    exp = work.clock() + timedelta(hours=1)
    await work.station.put(Outgoing("XA", MessageType.TEST_CALL, {}, exp=exp, lane=Lane.URGENT))


OTHERS_THAN_RESYNC = "publication JOIN outbox ON outbox.id = outbox_id AND type <> 'resync/1'"


async def test_after_an_old_restore_nothing_new_is_said(work: Workplace) -> None:
    """A database older than its anchor begins a recovery: peers are asked, and neither log nor messages go on."""
    await start_log(work.runtime)
    await work.note(2)
    await sequence(work.runtime)
    await queue_for_aurelia(work)
    await work.break_in(*RESTORE)
    async with working(work):
        await seen(lambda: work.count("publication"), lambda published: published > 0)
        await work.note()
        await work.beaten("relay-urgent", "relay-routine", "sequencer")
    assert await work.count("recovering_peer WHERE done_at IS NULL") > 0
    assert await work.count(OTHERS_THAN_RESYNC) == 0
    assert await work.published() == 1
    assert [line["proof"] for line in work.lines("recovering")] == ["anchor"]


async def test_a_start_of_the_newest_database_goes_on(work: Workplace) -> None:
    """The control: the same start without the restore sends what waits."""
    await start_log(work.runtime)
    await work.note(2)
    await sequence(work.runtime)
    await queue_for_aurelia(work)
    async with working(work):
        await work.beaten("relay-urgent")
    assert await work.count(OTHERS_THAN_RESYNC) > 0


async def test_without_a_place_for_the_anchor_there_is_no_start(work: Workplace) -> None:
    """A missing folder of the anchor is named with its setting, before the log is opened."""
    work.runtime.anchor.parent.rmdir()
    with pytest.raises(SettingsUnusable, match="COUNTERPART_ANCHOR"):
        await run_workers(work.runtime)
    assert await work.count("audit_leaf") == 0


STUBBORN = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stubborn'; END $$;
    CREATE TRIGGER stubborn BEFORE UPDATE ON exchange
    FOR EACH ROW WHEN (OLD.id = '{}') EXECUTE FUNCTION refuse()"""


async def test_one_timer_that_raises_keeps_no_other_waiting(postgres: PostgresServer, tmp_path: Path) -> None:
    """Of two holds whose time is over, one cannot be ended: the other is, and the loop comes round all the same."""
    async with living_world(postgres, tmp_path, ("XA", "XT")) as world:
        stubborn, other = [await preservation(world, *PRESERVING) for _ in range(2)]
        owner = await asyncpg.connect(world["XT"].owner_url.replace("+asyncpg", ""))
        try:
            await owner.execute(STUBBORN.format(stubborn.exchange_id))
            world.clock.advance(timedelta(days=120))
            world["XT"].runtime.beats.clear()
            ended = await seen(lambda: owner.fetch("SELECT exchange_id FROM hold WHERE state = 'EXPIRED'"), bool)
            await eventually(lambda: "timers" in world["XT"].runtime.beats, what="the loop gave up")
            assert [str(row["exchange_id"]) for row in ended] == [other.exchange_id]
        finally:
            await owner.close()


async def test_a_stop_is_prompt(work: Workplace) -> None:
    """With nothing under way all loops have ended soon after the stop, however long their pauses are."""
    loop = asyncio.get_running_loop()
    async with working(work):
        await work.beaten("relay-urgent", "sequencer")
        before = others()
        begun = loop.time()
    assert loop.time() - begun < STOPS_WITHIN
    assert not {task.get_name() for task in others()} & set(LOOPS)
    assert others() <= before


async def test_a_stop_waits_for_a_stalled_broker_no_longer_than_it_promised(work: Workplace) -> None:
    """A publication that nobody confirms holds up a stop for the seconds that one publication may take."""
    loop = asyncio.get_running_loop()
    work.bus.pause("XT")
    await queue_for_aurelia(work)
    async with working(work):
        await seen(partial(work.count, "publication"), bool)  # begun, and it hangs
        begun = loop.time()
    assert loop.time() - begun < PUBLISH_TIMEOUT_S + STOPS_WITHIN


ENDINGS: dict[str, Callable[[Workplace], None]] = {
    "a commit": lambda work: work.runtime.wake.ring(),
    "a stop": lambda work: work.runtime.stopping.set(),
    "nothing": lambda _: None,
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_waiting_leaks_no_task(work: Workplace, ending: str) -> None:
    """Whatever ends a loop's pause, and when it is cancelled too, no task that waited is left."""
    before = others()
    asked, once = failing(0, OSError())
    pause = 0.001 if ending == "nothing" else 60.0
    task = asyncio.create_task(keep_going(work.runtime, "waiting", once, pause=pause, woken=True))
    await eventually(lambda: len(asked) > 0)
    ENDINGS[ending](work)
    await eventually(lambda: len(asked) > 1 or task.done(), what="it still waits")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert others() == before


async def readiness(work: Workplace) -> tuple[int, str]:
    """What a probe is answered."""
    transport = httpx.ASGITransport(app=create_app(work.runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://xt.test") as probe:
        answer = await probe.get("/readyz", params={"verbose": ""})
    return answer.status_code, answer.text


async def test_a_loop_that_hangs_takes_the_node_out_of_service(work: Workplace) -> None:
    """/readyz is 200 while all loops come round, 503 naming `loops` once one is silent too long, and 200 again."""
    going = asyncio.Event()

    async def hang() -> bool:
        await going.wait()
        return False

    await start_log(work.runtime)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(keep_going(work.runtime, "hanging", hang, pause=0.01))
        loops.create_task(keep_going(work.runtime, "sequencer", partial(sequence, work.runtime), pause=0.01))
        assert (await readiness(work))[0] == 200
        work.clock.now += SILENCE + timedelta(seconds=1)
        await eventually(lambda: work.runtime.beats["sequencer"] == work.clock())
        status, text = await readiness(work)
        assert (status, '{"name":"loops","outcome":"fail"}' in text) == (503, True)
        going.set()
        await eventually(lambda: work.runtime.beats["hanging"] == work.clock())
        assert (await readiness(work))[0] == 200
        work.runtime.stopping.set()


async def test_a_loop_that_never_came_round_is_noticed(work: Workplace) -> None:
    """Silence counts from the start of a loop: one that fails from the first time on is found out as well."""
    asked, once = failing(1 << 30, OSError())
    task = asyncio.create_task(keep_going(work.runtime, "stillborn", once, pause=0.001))
    await eventually(lambda: len(asked) > 2)
    assert (await readiness(work))[0] == 200
    work.clock.now += SILENCE + timedelta(seconds=1)
    assert (await readiness(work))[0] == 503
    work.runtime.stopping.set()
    await task
