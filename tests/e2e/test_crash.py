"""Processes die, the broker dies or loses what it holds: every request takes effect exactly once all the same."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from app.crashing import KILLED, CrashPoint
from app.domain.codes import Lane, Tier
from tests.e2e import forgetful
from tests.support import driving
from tests.support.history import deliveries_at, difference, heartbeats_left, is_quiet, lines_of, wrong_effects
from tests.support.processes import NodeProcess, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.e2e.ground import Network
    from tests.support.processes import Site

NUMBER = 6
UNDER_LOAD = 32
AT_ONCE = 4

TRUST_CONFIRMS = """
CREATE FUNCTION trust_confirm() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE outbox SET left_at = NEW.confirmed_at, left_by = 'confirm' WHERE id = NEW.outbox_id AND left_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER trust_confirm AFTER UPDATE OF confirmed_at ON publication
    FOR EACH ROW WHEN (NEW.confirmed_at IS NOT NULL) EXECUTE FUNCTION trust_confirm();
"""
"""Switches resending off: what the broker has confirmed leaves the outbox, whether or not anybody got it."""

DISTRUST_CONFIRMS = """
DROP TRIGGER trust_confirm ON publication;
DROP FUNCTION trust_confirm;
UPDATE outbox SET left_at = NULL, left_by = NULL, next_at = now()
    WHERE left_by = 'confirm' AND type <> 'receipt/1' AND receipted_at IS NULL;
"""

CONFIRMED = """
SELECT count(DISTINCT sent.thread) FROM outbox sent JOIN publication ON publication.outbox_id = sent.id
    WHERE sent.thread = ANY($1) AND publication.confirmed_at IS NOT NULL
"""


async def sign_some(xa: Site, name: str, number: int = NUMBER) -> list[str]:
    """Send so many requests, by turns on one lane and the other; returns their exchanges."""
    tiers = (Tier.URGENT, Tier.ROUTINE)
    documents = [driving.preservation(f"AU-{name}-{at:03}", tier=tiers[at % 2]) for at in range(number)]
    return [signed.exchange for signed in await asyncio.gather(*(driving.send(xa, one) for one in documents))]


async def queued_for_xt(network: Network, name: str) -> list[str]:
    """Requests that the broker has confirmed and nobody has fetched: XT is not there."""
    xa, xt = network["XA"], network["XT"]
    if xt.process.runs:
        await xt.process.stop()
    await xa.ensure_running()
    await heartbeats_left(xa)
    await lose_what_waits(network)
    exchanges = await sign_some(xa, name)

    async def confirmed() -> bool:
        return await xa.count(CONFIRMED, exchanges) == len(exchanges)

    await until(confirmed, what="the broker confirms")
    return exchanges


async def lose_what_waits(network: Network) -> None:
    """Purge both queues of XT, as a broker does that was rebuilt empty."""
    for lane in Lane:
        await network.ground.purge(network.queues("XT").inbound(lane))


async def all_delivered(network: Network, exchanges: Sequence[str]) -> None:
    """Wait until XA knows of each that it arrived, and nothing is under way any more."""
    xa, xt = network["XA"], network["XT"]
    await asyncio.gather(*(driving.delivered(xa, exchange) for exchange in exchanges))
    await until(lambda: is_quiet(xa, xt), what="both outboxes empty")


async def test_a_receiver_killed_between_commit_and_acknowledgement(network: Network) -> None:
    """A receiver that dies after its commit is given the same again, and each request takes effect exactly once."""
    xt = network["XT"]
    exchanges = await queued_for_xt(network, "KILL")
    xt.start(crash_at=CrashPoint.INTAKE_BEFORE_ACK, rehearsal="1")
    assert await xt.process.ended() == KILLED
    before = await deliveries_at(xt, exchanges)
    assert before, "it died before its commit"
    xt.start()
    await all_delivered(network, exchanges)
    assert wrong_effects(exchanges, await deliveries_at(xt, exchanges)) == ""
    repeated = "SELECT count(*) FROM inbox WHERE thread = ANY($1) AND duplicates > 0"
    assert await xt.count(repeated, before) >= 1, "nothing came again"


async def test_what_the_broker_loses_is_sent_again(network: Network) -> None:
    """After a purge of the queues in which confirmed requests waited, later copies of all of them arrive."""
    xt = network["XT"]
    exchanges = await queued_for_xt(network, "PURGE")
    await lose_what_waits(network)
    xt.start()
    await all_delivered(network, exchanges)
    assert wrong_effects(exchanges, await deliveries_at(xt, exchanges)) == ""
    first = "SELECT min(copy) FROM inbox WHERE thread = ANY($1) AND type = 'exchange.open/1'"
    assert await xt.count(first, exchanges) > 1, "the first copies were not lost"


async def test_without_resending_the_same_purge_loses_requests(network: Network) -> None:
    """(Control) Where a confirmation ends a message, the purge loses every request; resent again, all arrive."""
    xa, xt = network["XA"], network["XT"]
    await xa.execute(TRUST_CONFIRMS)
    try:
        exchanges = await queued_for_xt(network, "LOST")
        await lose_what_waits(network)
        xt.start()
        await xt.ready()
        await until(lambda: is_quiet(xa, xt), what="both outboxes empty")
        assert f"never took effect ({NUMBER})" in wrong_effects(exchanges, await deliveries_at(xt, exchanges))
    finally:
        await xa.execute(DISTRUST_CONFIRMS)
    await all_delivered(network, exchanges)
    assert wrong_effects(exchanges, await deliveries_at(xt, exchanges)) == ""


async def test_without_deduplication_the_same_crash_doubles_effects(network: Network, tmp_path: Path) -> None:
    """(Control) A receiver that keeps no inbox gives a request two effects when it dies at the same place."""
    xt = network["XT"]
    exchanges = await queued_for_xt(network, "TWICE")
    await xt.execute(forgetful.TABLE)
    receiver = NodeProcess(tmp_path / "forgetful.log", program=(sys.executable, "-m", "tests.e2e.forgetful"))
    try:
        receiver.start(xt.config, "crash")
        assert await receiver.ended() == KILLED, receiver.tail()
        receiver.start(xt.config)

        async def effects() -> list[str]:
            return [
                thread for (thread,) in await xt.rows("SELECT thread FROM effect WHERE thread = ANY($1)", exchanges)
            ]

        async def all_there() -> bool:
            return set(await effects()) == set(exchanges)

        await until(all_there, what="the other receiver gets everything")
        assert await receiver.stop() == 0, receiver.tail()
        assert "took effect more than once" in wrong_effects(exchanges, await effects())
        same_copy = "SELECT 1 FROM effect GROUP BY thread, copy HAVING count(*) > 1"
        assert await xt.rows(same_copy), "what came twice was no redelivery"
    finally:
        receiver.discard()


async def test_a_broker_killed_under_load_stops_nobody(network: Network) -> None:
    """While the broker is dead requests are filed and signed at a degraded node; later each takes effect once."""
    xa, xt, rabbit = network["XA"], network["XT"], network.ground.rabbit
    await asyncio.gather(xa.ensure_running(), xt.ensure_running())
    at_once, progress = asyncio.Semaphore(AT_ONCE), asyncio.Condition()
    signed: list[str] = []

    async def send(at: int) -> None:
        tier = (Tier.URGENT, Tier.ROUTINE)[at % 2]
        async with at_once:
            one = await driving.send(xa, driving.preservation(f"AU-LOAD-{at:03}", tier=tier))
        async with progress:
            signed.append(one.exchange)
            progress.notify_all()

    async def reached(number: int) -> None:
        async with progress:
            await progress.wait_for(lambda: len(signed) >= number)

    async def strike() -> None:
        await reached(UNDER_LOAD // 4)
        rabbit.kill9()
        await xa.ready("degraded")
        begun = len(signed)
        assert (await xa.http.get("/readyz")).status_code == 200
        # `send` asks for 201 and 200 at every step; so many more were taken from the first to the last step meanwhile.
        await reached(begun + 2 * AT_ONCE)
        await asyncio.to_thread(rabbit.restart)

    async with asyncio.TaskGroup() as people:
        people.create_task(strike())
        for at in range(UNDER_LOAD):
            people.create_task(send(at))
    await xa.ready()
    await all_delivered(network, signed)
    assert wrong_effects(signed, await deliveries_at(xt, signed)) == ""
    ours = await lines_of(xa.as_("duty_officer"), direction="outgoing", peer="XT")
    theirs = await lines_of(xt.as_("duty_officer"), direction="incoming", peer="XA")
    assert difference(ours, theirs) == ""


def test_wrong_effects_are_printed() -> None:
    """(Control) What is missing, doubled or unwanted is named."""
    assert wrong_effects(["a", "b"], ["b", "a"]) == ""
    printed = wrong_effects(["a", "b"], ["b", "b", "c"])
    assert printed == "never took effect (1):\n  a\ntook effect more than once (1):\n  b\nnobody asked for (1):\n  c"
