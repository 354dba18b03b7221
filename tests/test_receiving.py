"""Deliveries at the edge: taken whole, or back to the broker, or stopped with their own thread and no other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text

from app.bus.broker import TryLater
from app.db import exchanges
from app.db.engine import reading
from app.domain.codes import Lane, MessageType
from app.domain.exchange.admission import obstacle_to
from app.domain.exchange_codes import Side
from app.domain.messages import write_body
from app.errors import LogBroken
from app.receiving import TRIED_OFTEN, Intake
from app.services.effects import EFFECTS
from tests.domain.exchange import build
from tests.services.test_receive_refusals import receipted
from tests.support.peer import new_id
from tests.support.station import Fault, count_effect
from tests.workplace import closed, delivery, open_workplace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from app.db.engine import Session
    from app.services.inbound import Applied, Effects, Received
    from app.services.node import Node
    from tests.support.postgres import Database, PostgresServer
    from tests.workplace import Workplace


@pytest.fixture
async def work(database: Database, migrated: PostgresServer, tmp_path: Path) -> AsyncIterator[Workplace]:
    """The node XT."""
    async with open_workplace(database, migrated, tmp_path) as opened:
        yield opened


def intake(work: Workplace, effects: Effects | None = None) -> Intake:
    """Its way in, with effects that count and that raise on poison, unless others are given."""
    return Intake(work.runtime, work.station.engine, effects or work.station.effects)


async def test_a_batch_is_taken_whole(work: Workplace) -> None:
    """What was delivered has its effect in order, each once, and whoever waits for commits is woken."""
    thread = new_id()
    bell = work.runtime.wake.bell()
    await intake(work).handle(closed(work.aurelia, *[work.aurelia.say_next(thread) for _ in range(3)]))
    assert await work.station.effects_of(thread) == [1, 2, 3]
    assert bell.is_set()


async def test_a_raising_effect_stops_its_own_thread_only(work: Workplace) -> None:
    """A message whose effect raises is quarantined and told so; what follows it waits, all other threads go on."""
    sick, well = new_id(), new_id()
    said = [work.aurelia.say_next(sick), work.aurelia.say_next(well)]
    said += [
        work.aurelia.say_next(sick, body={"poison": True}),
        work.aurelia.say_next(sick),
        work.aurelia.say_next(well),
    ]
    foreign = work.sahran.say_next(new_id())
    batch = [*closed(work.aurelia, *said), *closed(work.sahran, foreign)]
    await intake(work).handle(batch)
    assert [state for _, state, _ in await work.station.fates_of(sick)] == ["applied", "quarantined", "held"]
    assert await work.station.effects_of(sick) == [1]
    assert await work.station.effects_of(well) == [1, 2]
    assert foreign.claims.thread is not None
    assert await work.station.effects_of(foreign.claims.thread) == [1]
    assert ("XA", "quarantined", "crashed") in await receipted(work.station)
    assert len(work.lines("effect_raised")) == len(work.lines("message_quarantined")) == 1


async def obstacle(work: Workplace, thread: str) -> str | None:
    """What keeps the duty officer of the requested side from starting on this exchange."""
    async with reading(work.station.engine) as session:
        record = await exchanges.load(session, UUID(thread))
    assert record is not None
    return obstacle_to(record.value, "start", side=Side.REQUESTED, now=work.clock())


async def test_a_withdrawal_that_must_wait_blocks_beside_a_raising_effect(work: Workplace) -> None:
    """Behind a gap, in a batch in which another effect raised, it is shown at once and blocks what it must."""
    thread = new_id()
    edge = intake(work, replace(EFFECTS, apply={**EFFECTS.apply, MessageType.DIRECTORY_UPDATE: count_effect}))
    await edge.handle(closed(work.aurelia, work.aurelia.say_next(thread, body=write_body(build.opening()))))
    assert await obstacle(work, thread) is None
    withdrawal = write_body(build.wish("withdraw", build.delivered()))
    poison = work.aurelia.say("directory.update/1", {"poison": True})
    await edge.handle(
        closed(work.aurelia, poison, work.aurelia.say("exchange.action/1", withdrawal, thread=thread, seq=3))
    )
    assert len(work.lines("message_quarantined")) == 1
    assert [state for _, state, _ in await work.station.fates_of(thread)] == ["applied", "held"]
    assert await obstacle(work, thread) == "withdrawal_waiting"
    assert ("exchange.withdrawal_waiting",) in await work.station.rows("SELECT kind FROM event")


async def test_a_withdrawal_that_officers_ended_blocks_no_longer(work: Workplace) -> None:
    """Rejected while it waited behind a gap, it ends in its turn without effect, and the exchange can be worked on."""
    thread, edge = new_id(), intake(work, EFFECTS)
    await edge.handle(closed(work.aurelia, work.aurelia.say_next(thread, body=write_body(build.opening()))))
    withdrawal = write_body(build.wish("withdraw", build.delivered()))
    await edge.handle(closed(work.aurelia, work.aurelia.say("exchange.action/1", withdrawal, thread=thread, seq=3)))
    assert await obstacle(work, thread) == "withdrawal_waiting"
    await work.station.change("UPDATE inbox SET code = 'rejected' WHERE thread = :thread AND seq = 3", thread=thread)
    await edge.handle(closed(work.aurelia, work.aurelia.say("void/1", {}, thread=thread, seq=2)))
    assert (await work.station.fates_of(thread))[1:] == [(2, "void", None), (3, "refused", "rejected")]
    assert await obstacle(work, thread) is None


async def test_after_poison_the_next_batch_is_taken(work: Workplace) -> None:
    """The node goes on: a later batch is applied at once, and one more message of the stopped thread is held."""
    sick = new_id()
    edge = intake(work)
    await edge.handle(
        closed(work.aurelia, work.aurelia.say_next(sick), work.aurelia.say_next(sick, body={"poison": 1}))
    )
    well = new_id()
    await edge.handle(closed(work.aurelia, work.aurelia.say_next(well), work.aurelia.say_next(sick)))
    assert await work.station.effects_of(well) == [1]
    assert (await work.station.fates_of(sick))[-1][1] == "held"


async def test_without_one_by_one_poison_takes_its_neighbours_along(work: Workplace) -> None:
    """The control: the same batch received in one transaction only loses the effects of all its messages."""
    well = new_id()
    poison = work.aurelia.say_next(new_id(), body={"poison": True})
    raws = [one.body for one in closed(work.aurelia, work.aurelia.say_next(well), poison)]
    with pytest.raises(Fault):
        await work.station.take(*raws)
    assert await work.station.effects_of(well) == []


async def test_a_database_that_is_away_blames_no_message(work: Workplace) -> None:
    """While the database is away the batch is given back as `TryLater`; afterwards the same one is taken."""
    thread = new_id()
    batch = closed(work.aurelia, work.aurelia.say_next(thread))
    async with work.outage():
        with pytest.raises(TryLater):
            await intake(work).handle(batch)
    await intake(work).handle(batch)
    assert await work.station.effects_of(thread) == [1]
    assert await work.count("quarantine") == 0


async def test_a_lock_that_is_not_given_blames_no_message(work: Workplace) -> None:
    """A transaction that waits too long for somebody else's lock is tried again, not quarantined."""
    thread = new_id()
    batch = closed(work.aurelia, work.aurelia.say_next(thread))
    async with work.station.owner.connect() as other:
        await other.execute(text("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE"))
        await work.station.change(f'ALTER ROLE "{work.station.engine.url.username}" SET lock_timeout = 50')
        await work.station.engine.dispose()
        try:
            with pytest.raises(TryLater):
                await intake(work).handle(batch)
        finally:
            await work.station.change(f'ALTER ROLE "{work.station.engine.url.username}" RESET lock_timeout')
            await work.station.engine.dispose()
    await intake(work).handle(batch)
    assert await work.station.effects_of(thread) == [1]


async def test_a_broken_log_is_passed_on(work: Workplace) -> None:
    """An effect that finds the log broken quarantines nothing: the node has to stop."""

    async def find_it_broken(_session: Session, _node: Node, _received: Received, _now: datetime) -> Applied:
        raise LogBroken("log_moved", "the log moved")

    effects = replace(work.station.effects, apply=dict.fromkeys(work.station.effects.apply, find_it_broken))
    with pytest.raises(LogBroken):
        await intake(work, effects).handle(closed(work.aurelia, work.aurelia.say_next(new_id())))
    assert await work.count("quarantine") == 0
    assert await work.count("inbox") == 0


HOPELESS: dict[str, dict[str, object]] = {
    "came back often": {"delivery_count": TRIED_OFTEN, "redelivered": True},
    "is a dead letter": {"dead": True},
}


@pytest.mark.parametrize("why", HOPELESS)
async def test_what_is_hopeless_is_not_opened(work: Workplace, why: str) -> None:
    """What kills its readers is kept unopened as it came; its neighbours in the batch are taken."""
    sick, well = new_id(), new_id()
    hopeless = delivery(work.aurelia.close(work.aurelia.say_next(sick)), lane=Lane.URGENT, **HOPELESS[why])
    await intake(work).handle([hopeless, *closed(work.aurelia, work.aurelia.say_next(well))])
    assert await work.station.rows("SELECT reason, authenticated FROM quarantine") == [("unopened", False)]
    assert await work.station.effects_of(sick) == []
    assert await work.station.effects_of(well) == [1]


async def test_what_came_back_less_often_is_opened(work: Workplace) -> None:
    """The control: one return fewer, and the same delivery has its effect."""
    thread = new_id()
    raw = work.aurelia.close(work.aurelia.say_next(thread))
    await intake(work).handle([delivery(raw, delivery_count=TRIED_OFTEN - 1, redelivered=True)])
    assert await work.station.effects_of(thread) == [1]
