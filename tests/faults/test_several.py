"""One contact point as two gateways and two workers against one database: no work twice, none forgotten, none late."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.support import driving
from tests.support.checker import Wanted
from tests.support.crew import siblings
from tests.support.evidence import are_quiet, conclude
from tests.support.passing import LEASE_ENDED, MONTHS_LATER
from tests.support.people import People
from tests.support.processes import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.e2e.ground import Ground, Network
    from tests.support.processes import Site

LOAD = 24
AT_ONCE = 6
MEASURED = 8

AT_THE_OTHER_GATEWAY_SECONDS = 1.0
AWAY_SECONDS = 0.25
"""Within which a signed request has left; the pause of a relay that nobody wakes is twice as long."""

GRACE_SECONDS = 10

WAITED = """
SELECT extract(epoch FROM publication.began_at - outbox.created_at)::float8
    FROM outbox JOIN publication ON outbox_id = id AND publication.copy = 1 WHERE thread = $1 AND seq = 1
"""
HEARTBEATS = "SELECT lane, count(*) FROM outbox WHERE type = 'heartbeat/1' GROUP BY lane ORDER BY lane"
LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counterpart XA notices'"
HANG_UP = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'counterpart XA notices'"


@dataclass
class Crew:
    """XA's two gateways and two workers, XT in one process and one more worker, and what was promised so far."""

    gateways: list[Site]
    workers: list[Site]
    xt: Site
    xt_worker: Site
    wanted: list[Wanted]

    @property
    def sites(self) -> Mapping[str, Site]:
        """One way into each database."""
        return {"XA": self.gateways[0], "XT": self.xt}

    async def listens(self, number: int) -> None:
        """Wait until so many processes of XA listen to each other."""

        async def all_listen() -> bool:
            return await self.gateways[0].count(LISTENING) == number

        await until(all_listen, what=f"{number} processes listen")

    async def conclude(self) -> None:
        """Everything promised so far took effect once, in order, and is on record."""
        await conclude(self.sites, self.wanted)


@pytest.fixture(scope="module")
async def crew(network: Network) -> AsyncIterator[Crew]:
    """All of them, started at the same moment on databases on which nothing ever ran."""
    xa, xt = network["XA"], network["XT"]
    async with siblings(xa, "g1", "g2", "w1", "w2") as [*gateways, one, other], siblings(xt, "w") as [xt_worker]:
        for gateway in gateways:
            gateway.start("gateway")
        for worker in (one, other, xt_worker):
            worker.start("work")
        xt.start()
        await asyncio.gather(*(site.ready() for site in (*gateways, one, other, xt)))
        made = Crew(gateways, [one, other], xt, xt_worker, [])
        await made.listens(4)
        yield made


class Shift:
    """People at XA who file at any gateway that answers, and repeat what was not answered, under the same key."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.people = People({"XA": crew.gateways}, random.Random(22))

    @property
    def signed(self) -> int:
        """How many are signed."""
        return self.people.tally.signed

    async def send(self, name: str) -> str:
        """From filing to signing, each step at the other gateway; returns the exchange."""
        exchange = await self.people.send("XA", "XT", name)
        self.crew.wanted.append(self.people.wanted[exchange])
        return exchange

    async def send_many(self, name: str, number: int) -> None:
        """So many, a few at a time."""
        at_once = asyncio.Semaphore(AT_ONCE)

        async def send(at: int) -> None:
            async with at_once:
                await self.send(f"{name}-{at:03}")

        await asyncio.gather(*(send(at) for at in range(number)))

    async def has_signed(self, number: int) -> None:
        """Wait until so many are signed."""

        async def enough() -> bool:
            return self.signed >= number

        await until(enough, what=f"{number} are signed")


async def test_processes_that_begin_together_share_the_work(crew: Crew) -> None:
    """Signed at either gateway while all four work, each request leaves once, takes effect once, and is logged once."""
    shift = Shift(crew)
    await shift.send_many("SHARED", LOAD)
    await crew.conclude()
    assert await crew.gateways[0].rows(HEARTBEATS) == [("routine", 1), ("urgent", 1)]
    assert all(site.process.runs for site in (*crew.gateways, *crew.workers, crew.xt_worker))


async def test_a_process_that_only_works_tells_how_it_is(crew: Crew) -> None:
    """Each worker has probes and numbers of its own, more of them for the monitor; it takes no request."""
    for worker in crew.workers:
        told = (await worker.http.get("/metrics")).text
        assert "counterpart_bus_connected 1.0" in told
        assert "counterpart_outbox_pending" not in told
        assert "counterpart_outbox_pending" in (await worker.as_("monitor").get("/metrics")).text
        assert (await worker.as_("monitor").get("/v1/me")).status_code == 404


async def test_fifty_at_once_under_one_key_are_one(crew: Crew) -> None:
    """Fifty identical requests under one key at both gateways, some given up by their clients, file one request."""
    document, key = driving.preservation("AU-FIFTY"), str(uuid4())

    async def file(number: int) -> int | None:
        officer = crew.gateways[number % 2].as_("agency_officer")
        posting = asyncio.create_task(officer.post("/v1/requests", document, key=key))
        if number % 5 == 4:
            await asyncio.sleep(0)  # sent, and given up at once
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)
            return None
        return (await posting).status_code

    statuses = await asyncio.gather(*(file(number) for number in range(50)))
    assert set(statuses) <= {201, 409, None}
    assert 201 in statuses
    filed = "SELECT count(*) FROM request WHERE document ->> 'reference' = 'AU-FIFTY'"
    assert await crew.gateways[0].count(filed) == 1
    again = await crew.gateways[1].as_("agency_officer").post("/v1/requests", document, key=key)
    assert again.status_code == 201, again.text


async def test_a_killed_worker_loses_nothing(crew: Crew) -> None:
    """One of two workers dies in the middle of the load: the other goes on, and nothing is lost or done twice."""
    shift = Shift(crew)
    async with asyncio.TaskGroup() as people:
        people.create_task(shift.send_many("KILLED", LOAD))
        await shift.has_signed(LOAD // 3)
        await crew.workers[0].process.kill9()
        before = shift.signed
    assert shift.signed > before
    await crew.gateways[0].execute(LEASE_ENDED)
    await crew.conclude()
    crew.workers[0].start("work")
    await crew.listens(4)


async def test_a_rolling_restart_turns_nobody_away(crew: Crew) -> None:
    """Each process in turn is told to stop and started again, under load: no answer is a 5xx, each ends in time."""
    shift, ended = Shift(crew), []
    async with asyncio.TaskGroup() as people:
        people.create_task(shift.send_many("ROLLING", LOAD))
        for number, site in enumerate([*crew.gateways, *crew.workers], start=1):
            await shift.has_signed(number)
            begun = time.monotonic()
            assert await site.process.stop() == 0, site.process.tail()
            ended.append(time.monotonic() - begun)
            site.start("gateway" if site in crew.gateways else "work")
            if site in crew.gateways:
                await site.ready()
    assert max(ended) < GRACE_SECONDS
    assert not [status for status in shift.people.tally.statuses if status >= 500]
    await crew.conclude()
    await crew.listens(4)


async def event_at(gateway: Site, subject: str, connected: asyncio.Event) -> float:
    """When a stream of events at this gateway tells of a thing; the clock of `time.monotonic`."""
    headers = {"Authorization": f"Bearer {gateway.tokens['duty_officer']}", "Accept": "text/event-stream"}
    async with gateway.http.stream("GET", "/v1/events", params={"after": "latest"}, headers=headers) as stream:
        async for line in stream.aiter_lines():
            connected.set()
            if subject in line:
                return time.monotonic()
    raise AssertionError("the stream ended")


async def test_a_stream_at_one_gateway_tells_what_happened_at_the_other(
    crew: Crew, capsys: pytest.CaptureFixture[str]
) -> None:
    """An act at one gateway is in the stream of the other within a second."""
    first, second = crew.gateways
    request = await driving.file(first, driving.preservation("AU-STREAM"))
    seconds = []
    for action in ("open", "approve"):
        connected = asyncio.Event()
        listening = asyncio.create_task(event_at(second, request, connected))
        await asyncio.wait_for(connected.wait(), 10)
        begun = time.monotonic()
        driving.accepted(await first.as_("duty_officer").act(f"/v1/requests/{request}", action))
        seconds.append(await asyncio.wait_for(listening, 10) - begun)
    show(capsys, f" event at the other gateway after {max(seconds) * 1000:.0f} ms")
    assert max(seconds) < AT_THE_OTHER_GATEWAY_SECONDS


async def measure(crew: Crew, name: str) -> list[float]:
    """Seconds from the commit of a signature at a gateway until a worker begins to publish it."""
    shift, seconds = Shift(crew), []
    for number in range(MEASURED):
        exchange = await shift.send(f"{name}-{number:02}")

        async def left(exchange: str = exchange) -> bool:
            return bool(await crew.gateways[0].rows(WAITED, exchange))

        await until(left, what="it leaves")
        seconds.append(float((await crew.gateways[0].rows(WAITED, exchange))[0][0]))
    await until(lambda: are_quiet(crew.sites.values()), what="nothing under way")
    return seconds


async def test_what_is_signed_at_a_gateway_leaves_at_once(crew: Crew, capsys: pytest.CaptureFixture[str]) -> None:
    """A signature at a gateway wakes the workers: the request leaves in less time than a worker pauses by itself.

    Control: between processes that do not tell each other, some wait longer than any does that is told.
    """
    told = await measure(crew, "TOLD")
    worker, other = crew.workers
    await worker.process.stop()
    await other.process.stop()
    worker.start("work", notices="false")
    await crew.listens(2)
    untold = await measure(crew, "UNTOLD")
    await worker.process.stop()
    worker.start("work")
    other.start("work")
    await crew.listens(4)
    show(capsys, f" away after {_milliseconds(told)}, without notices {_milliseconds(untold)}")
    assert statistics.median(told) < AWAY_SECONDS
    assert statistics.median(told) < max(untold)
    assert max(untold) > AWAY_SECONDS


async def test_a_lost_line_is_opened_again(crew: Crew, ground: Ground) -> None:
    """Where the database ends the connections on which processes listen, they listen again, and are told again."""
    await ground.postgres.execute(HANG_UP)
    await crew.listens(4)
    assert min(await measure(crew, "AGAIN")) < AWAY_SECONDS
    assert all(site.process.runs for site in (*crew.gateways, *crew.workers))
    assert "Traceback" not in crew.workers[0].process.tail()


async def test_a_timer_goes_off_once_in_two_processes(crew: Crew) -> None:
    """Five exchanges whose time has run out, and two processes that look: each is closed once, and told once."""
    exchanges = []
    for number in range(5):
        exchange = (await driving.send(crew.gateways[0], driving.advice(f"AU-TIMER-{number}"))).exchange
        crew.wanted.append(Wanted(exchange, "XT"))
        await driving.delivered(crew.gateways[0], exchange)
        await driving.answer(crew.xt, exchange)
        exchanges.append(exchange)
    await crew.xt.execute(";".join(MONTHS_LATER.format(exchange) for exchange in exchanges))
    told = "SELECT subject_id::text, count(*) FROM timeline WHERE event = 'time_ran_out' GROUP BY 1"

    async def closed() -> bool:
        return {name for name, _ in await crew.xt.rows(told)} >= set(exchanges)

    await until(closed, what="all are closed")
    await crew.conclude()
    assert {name: times for name, times in await crew.xt.rows(told) if name in exchanges} == dict.fromkeys(exchanges, 1)


def show(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Say a measurement to whoever runs the tests."""
    with capsys.disabled():
        print(line, end="")  # noqa: T201 - (as the docstring says)


def _milliseconds(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms (at most {max(seconds) * 1000:.0f})"
