"""A process dies on purpose at every named place: what it leaves is as `docs/delivery.md` says, and is made good."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from app.anchor import read_anchor
from app.audit.note import verifier_key
from app.crashing import KILLED, CrashPoint
from app.domain.codes import Tier
from app.keystore import load_keys
from tests.support import driving
from tests.support.checker import Wanted
from tests.support.crew import sibling
from tests.support.evidence import conclude
from tests.support.history import deliveries_at, is_quiet
from tests.support.passing import LEASE_ENDED, MONTHS_LATER
from tests.support.processes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from tests.e2e.ground import Network
    from tests.support.processes import Site

VISITS = 3
"""A process may come by its crash point with something else in hand first; so often it may die."""

AT_XT = "SELECT state FROM inbox WHERE thread = $1 AND type = 'exchange.open/1'"

REFUSING = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON exchange FOR EACH ROW EXECUTE FUNCTION refuse();
"""
"""Makes the effect of every opening raise: a batch is then stored first, and settled message by message."""

WILLING = "DROP TRIGGER refuse ON exchange; DROP FUNCTION refuse;"


@dataclass
class Scene:
    """XA's desk, always there; XA's worker and XT, which die; and what was promised so far."""

    network: Network
    xa: Site
    desk: Site
    xt: Site
    wanted: list[Wanted]

    async def sign(self, name: str, *, tier: Tier = Tier.URGENT) -> str:
        """Have a request signed at XA; returns its exchange."""
        signed = await driving.send(self.desk, driving.preservation(reference(name), tier=tier))
        return self.promise(signed.exchange)

    def promise(self, exchange: str) -> str:
        """Hold the nodes to this exchange from now on."""
        self.wanted.append(Wanted(exchange, "XT"))
        return exchange

    async def sent(self, name: str) -> str:
        """A request on its way, confirmed by the broker: XT is not there."""
        await stopped(self.xt)
        if not self.xa.process.runs:
            self.xa.start("work")
        exchange = await self.sign(name)
        await self.confirmed(exchange)
        return exchange

    async def confirmed(self, exchange: str) -> None:
        """Wait until the broker has confirmed its newest copy."""
        query = "SELECT count(*) FROM outbox JOIN publication ON outbox_id = id AND publication.copy = outbox.copy"
        query += " WHERE thread = $1 AND publication.confirmed_at IS NOT NULL"

        async def is_confirmed() -> bool:
            return await self.xa.count(query, exchange) > 0

        await until(is_confirmed, what="the broker confirms")

    async def conclude(self) -> None:
        """With both nodes well again everything ends as it should."""
        for site, verb in ((self.xa, "work"), (self.xt, "serve")):
            if not site.process.runs:
                site.start(verb)
        await self.xa.execute(LEASE_ENDED)
        await self.xt.execute(LEASE_ENDED)
        await conclude({"XA": self.xa, "XT": self.xt}, self.wanted)


def reference(name: str) -> str:
    """An agency's own number."""
    return f"AU-{name.replace('_', '-').upper()}"


async def stopped(site: Site) -> None:
    """End its process, if it runs, as an operator does."""
    if site.process.runs:
        assert await site.process.stop() == 0, site.process.tail()


async def dies(site: Site, verb: str, point: CrashPoint, left: Callable[[], Awaitable[bool]]) -> None:
    """Start it to die at that place, and see that it did and what it left."""
    for _ in range(VISITS):
        site.start(verb, crash_at=point, rehearsal="1")
        assert await site.process.ended() == KILLED, site.process.tail()
        if await left():
            return
    message = f"{point}: what it left is not what was to be left"
    raise AssertionError(message)


@pytest.fixture(scope="module")
async def scene(network: Network) -> AsyncIterator[Scene]:
    """Both nodes have run; then XA's worker and XT are stopped again."""
    xa, xt = network["XA"], network["XT"]
    desk = sibling(xa, "desk")
    try:
        desk.start("gateway")
        xt.start()
        xa.start("work")
        await asyncio.gather(desk.ready(), xt.ready())
        made = Scene(network, xa, desk, xt, [])
        await driving.delivered(desk, await made.sign("FIRST"))
        yield made
    finally:
        await desk.close()


AT_THE_RELAY: Mapping[CrashPoint, tuple[tuple[int, int, int], int]] = {
    CrashPoint.RELAY_BEFORE_COMMIT: ((0, 0, 0), 1),
    CrashPoint.RELAY_BEFORE_PUBLISHING: ((1, 1, 0), 2),
    CrashPoint.RELAY_BEFORE_SETTLING: ((1, 1, 0), 2),
    CrashPoint.RELAY_AFTER_SETTLING: ((1, 1, 1), 1),
}
"""Texts that are signed, copies counted and known to be confirmed after the crash; copies in the end."""


@pytest.mark.parametrize("point", AT_THE_RELAY)
async def test_a_relay_that_dies_leaves_a_row_for_the_next(scene: Scene, point: CrashPoint) -> None:
    """Wherever a relay dies, the row says how far it came, and the next relay brings the request there, once."""
    await stopped(scene.xa)
    await stopped(scene.xt)
    exchange, (expected, copies) = await scene.sign(point), AT_THE_RELAY[point]

    async def left() -> bool:
        counts = "SELECT count(jws), count(publication.outbox_id), count(publication.confirmed_at) FROM outbox"
        counts += " LEFT JOIN publication ON outbox_id = id WHERE thread = $1"
        return await scene.xa.rows(counts, exchange) == [expected]

    await dies(scene.xa, "work", point, left)
    await scene.xa.execute(LEASE_ENDED)
    scene.xa.start("work")
    await scene.confirmed(exchange)
    assert await scene.xa.count("SELECT copy FROM outbox WHERE thread = $1", exchange) == copies
    await scene.conclude()


AT_THE_SEQUENCER: dict[CrashPoint, str] = {
    CrashPoint.SEQUENCER_BEFORE_COMMIT: "pending",
    CrashPoint.SEQUENCER_BEFORE_ANCHOR: "signed",
    CrashPoint.SEQUENCER_BEFORE_PUBLISHING: "anchored",
}
"""How far the facts have come at each place."""


async def how_far(site: Site) -> str:
    """Pending, signed in the database, held by the anchor, or published."""
    settings = site.settings
    log = verifier_key(settings.origin, load_keys(settings.keys_dir).log_key)
    anchored = await asyncio.to_thread(read_anchor, settings.anchor, (log,))
    ((size, published),) = await site.rows("SELECT size, published_size FROM audit_tree")
    if await site.count("SELECT count(*) FROM audit_pending"):
        return "pending"
    if size == published:
        return "published"
    return "anchored" if anchored is not None and anchored.size == size else "signed"


@pytest.mark.parametrize("point", AT_THE_SEQUENCER)
async def test_a_sequencer_that_dies_never_forks_the_log(scene: Scene, point: CrashPoint) -> None:
    """Wherever the sequencer dies, nothing was published too early, and the log goes on where it was: it verifies."""
    await until(lambda: is_quiet(scene.desk), what="XA is quiet")
    await stopped(scene.xa)
    await scene.sign(point)
    assert await how_far(scene.xa) == "pending"

    async def left() -> bool:
        return await how_far(scene.xa) == AT_THE_SEQUENCER[point]

    await dies(scene.xa, "work", point, left)
    await scene.conclude()
    assert await how_far(scene.xa) == "published"


AT_THE_GATEWAY = {CrashPoint.GATEWAY_BEFORE_COMMIT: 0, CrashPoint.GATEWAY_BEFORE_ANSWER: 1}
"""Openings that are queued after the crash."""


@pytest.mark.parametrize("point", AT_THE_GATEWAY)
async def test_a_gateway_that_dies_signs_once(scene: Scene, point: CrashPoint) -> None:
    """The signature is asked for again under the same key at another gateway, which answers 200; one opening leaves."""
    request = await driving.file(scene.desk, driving.preservation(reference(point)))
    await driving.approve(scene.desk, request)
    mortal = sibling(scene.xa, "mortal")
    act, key = {"action": "sign"}, f"sign-{point}"
    path, openings = f"/v1/requests/{request}/actions", "SELECT count(*) FROM exchange WHERE request_id = $1"
    try:
        mortal.start("gateway", crash_at=point, rehearsal="1")
        await mortal.ready()
        with pytest.raises(httpx.TransportError):
            await mortal.as_("supervisor").post(path, act, key=key)
        assert await mortal.process.ended() == KILLED, mortal.process.tail()
    finally:
        await mortal.close()
    assert await scene.xa.count(openings, request) == AT_THE_GATEWAY[point]
    answer = driving.accepted(await scene.desk.as_("supervisor").post(path, act, key=key))
    scene.promise(answer["exchange_id"])
    await scene.conclude()
    assert await scene.xa.count(openings, request) == 1


AT_THE_INTAKE: Mapping[CrashPoint, list[tuple[str]]] = {
    CrashPoint.INTAKE_BEFORE_COMMIT: [],
    CrashPoint.INTAKE_BEFORE_ACK: [("applied",)],
}
"""What is in the inbox after the crash."""


@pytest.mark.parametrize("point", AT_THE_INTAKE)
async def test_an_intake_that_dies_is_given_the_same_again(scene: Scene, point: CrashPoint) -> None:
    """Before the commit nothing is there, after it everything; the broker hands it over again, and it counts once."""
    exchange = await scene.sent(point)

    async def left() -> bool:
        return await scene.xt.rows(AT_XT, exchange) == AT_THE_INTAKE[point]

    await dies(scene.xt, "serve", point, left)
    await scene.conclude()
    repeated = await scene.xt.count("SELECT duplicates FROM inbox WHERE thread = $1 AND seq = 1", exchange)
    copies = await scene.xa.count("SELECT copy FROM outbox WHERE thread = $1 AND seq = 1", exchange)
    # A slow machine lets more copies leave than one; what was handed over again counts beside them.
    assert repeated > 0 if point is CrashPoint.INTAKE_BEFORE_ACK else repeated < copies


AFTER_STORING: Mapping[CrashPoint, tuple[str, int]] = {
    CrashPoint.INTAKE_BEFORE_SETTLING: ("held", 0),
    CrashPoint.SETTLING_BEFORE_COMMIT: ("held", 0),
    CrashPoint.SETTLING_AFTER_COMMIT: ("applied", 1),
}
"""The message's state in the inbox and its effects, after each of three crashes in a row."""


async def test_a_message_that_was_only_stored_has_its_effect_later(scene: Scene) -> None:
    """Stored without effect, and then twice more in the hands of a sweep that dies: in the end it counts once."""
    exchange = await scene.sent("STORED")
    await stopped(scene.xa)
    await scene.xt.execute(REFUSING)
    for point, expected in AFTER_STORING.items():

        async def left(expected: tuple[str, int] = expected) -> bool:
            states = await scene.xt.rows(AT_XT, exchange)
            return [*states, (len(await deliveries_at(scene.xt, [exchange])),)] == [(expected[0],), (expected[1],)]

        await dies(scene.xt, "serve", point, left)
        if point is CrashPoint.INTAKE_BEFORE_SETTLING:
            await scene.xt.execute(WILLING)
            # It is stored and receipted. Were it handed over once more, the intake would see to it before the sweep: so
            # nothing of it is left at the broker, and its sender, who has no receipt yet, does not run.
            await scene.network.ground.purge_all(scene.network.queues("XT"))
    await scene.conclude()


WITH_TIME: Mapping[CrashPoint, tuple[str, int]] = {
    CrashPoint.TIMERS_BEFORE_COMMIT: ("ANSWERED", 0),
    CrashPoint.TIMERS_AFTER_COMMIT: ("CLOSED", 1),
}
"""The exchange's state, and how often its desk was told that time had run out, after each of two crashes in a row."""


async def test_a_timer_that_dies_goes_off_once(scene: Scene) -> None:
    """An answered exchange is closed by time alone, once, whichever side of the commit the process dies on."""
    await scene.conclude()
    await scene.xt.ready()
    signed = await driving.send(scene.desk, driving.advice("AU-TIMER"))
    exchange = scene.promise(signed.exchange)
    await driving.delivered(scene.desk, exchange)
    await driving.answer(scene.xt, exchange)
    await scene.conclude()
    await stopped(scene.xt)
    await scene.xt.execute(MONTHS_LATER.format(exchange))
    told = "SELECT count(*) FROM timeline WHERE subject_id = $1 AND event = 'time_ran_out'"
    for point, expected in WITH_TIME.items():

        async def left(expected: tuple[str, int] = expected) -> bool:
            states = await scene.xt.rows("SELECT state FROM exchange WHERE id = $1", exchange)
            return (states, await scene.xt.count(told, exchange)) == ([(expected[0],)], expected[1])

        await dies(scene.xt, "serve", point, left)
    await scene.conclude()
    assert await driving.state_at(scene.desk.as_("duty_officer"), exchange) == "CLOSED"
    assert await scene.xt.count(told, exchange) == 1


def test_every_crash_point_is_visited() -> None:
    """No place is on the list that no test has died at."""
    tables = (AT_THE_RELAY, AT_THE_SEQUENCER, AT_THE_GATEWAY, AT_THE_INTAKE, AFTER_STORING, WITH_TIME)
    assert {point for table in tables for point in table} == set(CrashPoint)
