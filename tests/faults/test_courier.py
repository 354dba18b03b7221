"""The courier repeats, disorders, withholds, hangs, is cut off, is full, or was rebuilt empty: nothing comes of it."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from app.bus.broker import PUBLISH_TIMEOUT_S
from app.bus.definitions import VHOST
from app.domain.codes import Tier
from app.envelope.open import open_envelope
from app.keystore import load_keys, read_directory
from tests.e2e.ground import wall_clock
from tests.support import driving
from tests.support.checker import History, Told, Wanted, check
from tests.support.evidence import NUMBERED, conclude, find, same_at_both
from tests.support.passing import LEASE_ENDED
from tests.support.processes import Site, until
from tests.support.proxy import Proxy
from tests.support.shim import Parcel, Shim

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from app.envelope.open import Opened
    from tests.e2e.ground import Network

SEED = 22
LANES = (Tier.URGENT, Tier.ROUTINE)

HANGING_SECONDS = 5.0
API_SECONDS = 1.0

CONFIRMED = """
SELECT count(*) FROM outbox JOIN publication ON outbox_id = id
    WHERE thread = $1 AND publication.confirmed_at IS NOT NULL
"""
ACTS = "SELECT count(*) FROM timeline WHERE subject_id = $1 AND event = 'supplement'"
HELD = "SELECT count(*) FROM inbox WHERE thread = $1 AND state = 'held' AND seq = 3"
TIMED_OUT = """
SELECT max(extract(epoch FROM coalesce(confirmed_at, began_at) - began_at))::float8, count(trouble)
    FROM publication WHERE trouble = 'outcome_unknown'
"""


@dataclass
class Scene:
    """Both nodes, and what was promised so far."""

    network: Network
    wanted: dict[str, Wanted]

    @property
    def xa(self) -> Site:
        """The node that asks."""
        return self.network["XA"]

    @property
    def xt(self) -> Site:
        """The node that is asked."""
        return self.network["XT"]

    def shim(self) -> Shim:
        """A courier in front of XT."""
        return Shim(self.network.ground, self.network.queues("XT"))

    async def sign(self, name: str, *, tier: Tier = Tier.URGENT) -> str:
        """Have a request signed at XA; returns its exchange."""
        exchange = (await driving.send(self.xa, driving.preservation(f"AU-{name}", tier=tier))).exchange
        self.wanted[exchange] = Wanted(exchange, "XT")
        return exchange

    async def supplement(self, exchange: str, *numbers: int) -> None:
        """Send numbered acts after it, one after the other."""
        desk, path = self.xa.as_("duty_officer"), f"/v1/exchanges/{exchange}"
        for number in numbers:
            answer = await desk.act(path, "supplement", text=f"No. {number}")
            while answer.status_code == 409:  # what XT answered meanwhile has moved the exchange on
                answer = await desk.act(path, "supplement", text=f"No. {number}")
            driving.accepted(answer, 202)
            known = self.wanted[exchange]
            self.wanted[exchange] = Wanted(exchange, "XT", (*known.numbers, number))

    async def confirmed(self, exchange: str, number: int) -> None:
        """Wait until the broker has confirmed so many publications of its thread."""

        async def enough() -> bool:
            return await self.xa.count(CONFIRMED, exchange) >= number

        await until(enough, what="the broker confirms")

    async def conclude(self) -> None:
        """Everything took effect once, in order, and both sides show the same."""
        await self.xa.execute(LEASE_ENDED)
        await self.xt.execute(LEASE_ENDED)
        await conclude(self.network.sites, self.wanted.values())
        assert await same_at_both(self.xa, self.xt) == ""


@pytest.fixture(scope="module")
async def scene(network: Network) -> AsyncIterator[Scene]:
    """Both nodes at work."""
    xa, xt = network["XA"], network["XT"]
    xa.start()
    xt.start()
    await asyncio.gather(xa.ready(), xt.ready())
    yield Scene(network, {})
    network.ground.rabbit.ensure_running()


async def test_what_comes_three_times_counts_once(scene: Scene) -> None:
    """Every envelope delivered three times has one effect, and is receipted as often as it came."""
    async with scene.shim() as shim:
        shim.treat = lambda parcels: [parcel for parcel in parcels for _ in range(3)]
        exchange = await scene.sign("THRICE")
        await scene.supplement(exchange, 1, 2)
        await scene.conclude()
    repeated = "SELECT min(duplicates) FROM inbox WHERE thread = $1"
    assert await scene.xt.count(repeated, exchange) >= 2


async def test_what_comes_in_disorder_counts_in_order(scene: Scene) -> None:
    """Three threads of numbered acts, dealt out of order: each act has its effect in the order of its numbers.

    Control: whoever gives them their effect as they arrive is found out by the same check.
    """
    arrived: list[Parcel] = []

    def keep_back(parcels: list[Parcel]) -> Sequence[Parcel]:
        arrived.extend(parcels)
        return []

    async with scene.shim() as shim:
        shim.treat = keep_back
        exchanges = [await scene.sign(f"DISORDER-{number}") for number in range(3)]
        for exchange in exchanges:
            await scene.supplement(exchange, *range(1, 9))
        await until(lambda: has_all(scene, arrived, exchanges), what="all are with the courier")
        disorder = random.Random(SEED).sample(arrived, len(arrived))
        shim.treat = lambda parcels: [*disorder, *parcels]
        await scene.sign("AFTER-DISORDER")
        await until(lambda: delivered(scene, exchanges[0]), what="the courier hands them on")
        shim.treat = lambda parcels: parcels
        await scene.conclude()
    told = {"XT": History(told=[line for parcel in disorder if (line := effect_of(scene, parcel)) is not None])}
    assert check(told, ()).out_of_order


async def has_all(scene: Scene, parcels: list[Parcel], exchanges: Sequence[str]) -> bool:
    """Whether the opening and the eight acts of each exchange are there."""
    opened = [open_it(scene, parcel) for parcel in parcels]
    return len({one.claims.jti for one in opened if one.claims.thread in exchanges}) >= 9 * len(exchanges)


async def delivered(scene: Scene, exchange: str) -> bool:
    """Whether XT knows of the exchange."""
    return await driving.state_at(scene.xt.as_("duty_officer"), exchange) is not None


def open_it(scene: Scene, parcel: Parcel) -> Opened:
    """Read an envelope with XT's own keys."""
    settings = scene.xt.settings
    directory = read_directory(settings.directory)
    return open_envelope(
        parcel.body, me="XT", keyring=load_keys(settings.keys_dir).keyring, directory=directory, now=wall_clock()
    )


def effect_of(scene: Scene, parcel: Parcel) -> Told | None:
    """What a numbered act would do that has its effect as it arrives."""
    claims = open_it(scene, parcel).claims
    found = NUMBERED.match(str(claims.body.get("act", {}).get("text", "")))
    return Told(str(claims.thread), "supplement", int(found[1])) if found is not None else None


async def test_what_is_withheld_holds_up_its_own_thread_only(scene: Scene) -> None:
    """One message never arrives, in however many copies: what follows it is held and named missing; others go on."""
    async with scene.shim() as shim:
        stuck, free = await scene.sign("WITHHELD"), await scene.sign("FREE")
        await driving.delivered(scene.xa, stuck)
        shim.treat = lambda parcels: [one for one in parcels if (stuck, 2) != place_of(scene, one)]
        await scene.supplement(stuck, 1, 2)
        await scene.supplement(free, 1, 2)

        async def others_went_on() -> bool:
            return await scene.xt.count(ACTS, free) == 2 and await scene.xt.count(HELD, stuck) == 1

        await until(others_went_on, what="the other thread goes on")
        findings = await find(scene.network.sites, scene.wanted.values())
        assert any(stuck in one for one in findings.lost)
        assert not findings.out_of_order | findings.doubled
        assert await scene.xt.count(ACTS, stuck) == 0
    await scene.conclude()
    assert await scene.xt.count(ACTS, stuck) == 2


def place_of(scene: Scene, parcel: Parcel) -> tuple[str | None, int | None]:
    """The thread and the number of what is in an envelope."""
    claims = open_it(scene, parcel).claims
    return claims.thread, claims.seq


@pytest.mark.long
async def test_a_hanging_broker_keeps_nobody_waiting(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """While the broker hangs people are answered within a second, and each publication gives up in time."""
    rabbit, slowest = scene.network.ground.rabbit, 0.0
    desk = scene.xa.as_("duty_officer")
    rabbit.pause()
    try:
        begun, number = time.monotonic(), 0
        while time.monotonic() - begun < HANGING_SECONDS:
            number += 1
            await scene.sign(f"HANGING-{number}")
            asked = time.monotonic()
            driving.accepted(await desk.get("/v1/exchanges"))
            slowest = max(slowest, time.monotonic() - asked)
    finally:
        rabbit.resume()
    ((longest, timed_out),) = await scene.xa.rows(TIMED_OUT)
    with capsys.disabled():
        print(f" {number} signed meanwhile, slowest list {slowest * 1000:.0f} ms", end="")  # noqa: T201 - a measurement
    assert slowest < API_SECONDS
    assert timed_out > 0
    assert longest <= PUBLISH_TIMEOUT_S
    await scene.conclude()


async def test_a_node_cut_off_from_its_broker_comes_back(scene: Scene) -> None:
    """Cut off, XA is degraded and goes on signing; when the line is back, what waited arrives, once."""
    rabbit = scene.network.ground.rabbit
    await scene.xa.process.stop()
    async with Proxy(rabbit.port) as line:
        address = scene.xa.settings.amqp_url.get_secret_value().replace(f":{rabbit.port}/", f":{line.port}/")
        scene.xa.start(amqp_url=address)
        await scene.xa.ready()
        before = await scene.sign("BEFORE-CUT")
        await driving.delivered(scene.xa, before)
        await line.cut()
        await scene.xa.ready("degraded")
        await asyncio.gather(*(scene.sign(f"CUT-{number}") for number in range(4)))
        line.heal()
        await scene.xa.ready()
        await scene.conclude()
        await scene.xa.process.stop()
    scene.xa.start()
    await scene.xa.ready()


@pytest.mark.long
async def test_a_full_queue_is_waited_for(scene: Scene) -> None:
    """What the broker refuses for want of room stays with its sender, says why, and arrives when there is room."""
    rabbit = scene.network.ground.rabbit
    await scene.xt.process.stop()
    limit = {"pattern": "^cp\\.in\\.XT", "definition": {"max-length-bytes": 20_000}, "apply-to": "queues"}
    await rabbit.manage("PUT", f"policies/{VHOST}/small", limit)
    refused = "SELECT count(*) FROM outbox WHERE left_at IS NULL AND trouble = 'not_taken'"
    try:
        number = 0
        while not await scene.xa.count(refused):
            number += 1
            await scene.sign(f"FULL-{number:02}")
            assert number < 40, "the queue never filled"
    finally:
        await rabbit.manage("DELETE", f"policies/{VHOST}/small")
    scene.xt.start()
    await scene.conclude()


@pytest.mark.long
async def test_a_broker_rebuilt_empty_is_filled_from_the_outboxes(scene: Scene) -> None:
    """The broker is gone with all it had confirmed; a new one knows the definitions only, and everything arrives."""
    rabbit = scene.network.ground.rabbit
    await scene.xt.process.stop()
    exchanges = [await scene.sign(f"REBUILT-{number}", tier=LANES[number % 2]) for number in range(6)]
    for exchange in exchanges:
        await scene.confirmed(exchange, 1)
    rabbit.kill9()
    shutil.rmtree(rabbit.data)
    rabbit.data.mkdir()
    await asyncio.to_thread(rabbit.restart)
    await scene.network.load_definitions()
    scene.xt.start()
    await asyncio.gather(*(driving.delivered(scene.xa, exchange) for exchange in exchanges))
    await scene.conclude()
    first = "SELECT min(copy) FROM inbox WHERE thread = ANY($1) AND type = 'exchange.open/1'"
    assert await scene.xt.count(first, exchanges) > 1, "what the broker held was not lost"
