"""Three contact points behind real servers, with cases in many states, and everyone's tokens."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import RequestType
from app.domain.moments import write_instant
from app.main import create_app, serve_http
from app.routers.case_operations import two_states
from app.routers.directory_operations import LOST_DISK
from app.routers.node_checks import CHECKS
from app.routers.road_operations import ENTRY, NEW_COPY
from app.routers.roster_operations import RECORD
from tests.files.test_upload import handed_over
from tests.support.world import seen
from tests.world.documents import document
from tests.world.journey import DESK_ROAD, PRESERVING, advice, expect, filed, preservation, taken
from tests.world.keeping import kept_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from tests.support.postgres import PostgresServer
    from tests.support.world import Caller, World


@dataclass(frozen=True, slots=True)
class Served:
    """One contact point behind a server: its address, its tokens, its description.

    `ids` are what its paths can lead to, `values` what its queries can ask for, by the names of the parameters.
    """

    base: str
    tokens: Mapping[str, str]
    document: dict[str, Any]
    ids: Mapping[str, Sequence[str]]
    values: Mapping[str, Sequence[str]]


@pytest.fixture(scope="module")
async def served(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[str, Served]]:
    """XA, which asks, and XT, which is asked."""
    async with (
        kept_world(postgres, tmp_path_factory.mktemp("contract"), ("XA", "XT", "XS")) as world,
        _servers(world) as bases,
    ):
        ids = await _cases(world)
        yield {
            code: Served(
                base,
                world[code].tokens,
                create_app(world[code].runtime).openapi(),
                {**ids[code], "type": list(RequestType), "code": ["XT", "XS"], "name": list(CHECKS)},
                {"event_id": await _events(world[code].as_("auditor")), "from": ["1", "3"], "to": ["3", "7"]}
                | {"requesting": ["XA", "XA"], "requested": ["XT", "XS"], "type": ["PRESERVATION", "MLA_INITIATION"]},
            )
            for code, base in bases.items()
        }


@asynccontextmanager
async def _servers(world: World) -> AsyncIterator[Mapping[str, str]]:
    async with AsyncExitStack() as stack:
        bases = {}
        for code in ("XA", "XT"):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            serving = asyncio.create_task(serve_http(world[code].runtime, listener, graceful_seconds=5))
            stack.push_async_callback(_stopped, world, code, serving)
            bases[code] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield bases


async def _stopped(world: World, code: str, serving: asyncio.Task[None]) -> None:
    world[code].runtime.stopping.set()
    await serving


async def _events(auditor: Caller) -> list[str]:
    """Ids of some entries of the log that can be proven by now."""

    async def listed() -> list[str]:
        return [entry["id"] for entry in expect(await auditor.get("/v1/audit/events", limit=5), 200)["data"]]

    return list(await seen(listed, lambda found: len(list(found)) == 5))


async def _cases(world: World) -> dict[str, dict[str, list[str]]]:
    """Requests and exchanges in as many states as a day has; their ids, by the names of path parameters, per side."""
    journeys = [await preservation(world, *PRESERVING[:upto]) for upto in range(len(PRESERVING) + 1)]
    asked = await preservation(world, "acknowledge")
    await asked.do("ask", codes=["C-VAGUE"], text="Which of the two sessions?")
    noticed = await preservation(world, "acknowledge")
    await noticed.do("notify_risk", codes=["W-CONF"], text="The provider must tell its customer.")
    withdrawn = await preservation(world, *PRESERVING)
    await withdrawn.wish("withdraw")
    answered = await advice(world, "acknowledge")
    await answered.do("answer", text="Twelve months.")
    journeys += [asked, noticed, withdrawn, answered]
    requests = [one.request_id for one in journeys]
    for acts in ((), (("duty_officer", "open"),), (("duty_officer", "open"), ("duty_officer", "approve"))):
        made = await filed(world, document(RequestType.PRESERVATION))
        await taken(world, made["id"], *acts)
        requests += [made["id"], made["reference"]]
    exchanges = [one.exchange_id for one in journeys]
    there = {one.exchange_id for one in journeys if one.requested == "XT"}
    holds = [hold["id"] for one in journeys for hold in expect(await one.ours().get(one.exchange), 200)["holds"]]
    known = {"request_id": requests, "hold_id": holds, "attachment_id": await _files(world)}
    known["call_id"] = [await _test_call(world)]
    case = expect(await world["XA"].as_("agency_officer").post("/v1/cases", two_states()), 201)
    known["case_id"] = [case["id"]]
    desk = world["XA"].as_("duty_officer")
    known["copy_id"] = [expect(await desk.post("/v1/other-channels", NEW_COPY | {"reference": "IP-1"}), 201)["id"]]
    supervisor = world["XA"].as_("supervisor")
    told = expect(await supervisor.post("/v1/incidents", LOST_DISK), 201)["data"]
    known["incident_id"] = [one["id"] for one in told]
    known["provider_id"] = [expect(await desk.post("/v1/providers", ENTRY), 201)["id"]]
    known |= await _roster(world)
    return {"XA": {**known, "exchange_id": exchanges}, "XT": {**known, "exchange_id": sorted(there)}}


async def _roster(world: World) -> dict[str, list[str]]:
    """A shift at XA to act on, beside one that goes on whatever becomes of it: a roster with a gap fails its check."""
    desk, begin = world["XA"].as_("supervisor"), world.clock()
    seats = {"primary": "duty_officer", "secondary": "duty_officer_2", "supervisor": "supervisor"}
    people = {place: expect(await world["XA"].as_(seat).get("/v1/me"), 200)["id"] for place, seat in seats.items()}
    record = {"action": "describe", "generation": 0, "record": RECORD}
    expect(await desk.post(f"/v1/roster/people/{people['primary']}/actions", record), 200)
    days = [
        {"starts_at": write_instant(begin + timedelta(first)), "ends_at": write_instant(begin + timedelta(last))}
        for first, last in ((0, 31), (2, 3))
    ]
    plans = [{**day, **people, "mode": "ON_CALL"} for day in days]
    _, shift = expect(await desk.post("/v1/roster/shifts", {"shifts": plans}), 201)["data"]
    return {"shift_id": [shift["id"]], "person_id": [people["supervisor"]]}


async def _test_call(world: World) -> str:
    """A test call of XT that waits at XA."""
    calls = "/v1/directory/contact-points/XA/test-calls"
    made = expect(await world["XT"].as_("duty_officer").post(calls, {"kind": "DRILL", "note": "Exercise."}), 201)

    async def arrived() -> list[str]:
        listed = expect(await world["XA"].as_("duty_officer").get("/v1/test-calls"), 200)["data"]
        return [one["id"] for one in listed]

    await seen(arrived, lambda ids: made["id"] in ids)
    return str(made["id"])


async def _files(world: World) -> list[str]:
    """A file that left with its request, and one that is still to be sent."""
    files = []
    for acts in (DESK_ROAD, ()):
        made = await filed(world, document(RequestType.PRESERVATION))
        file = await handed_over(world["XA"].as_("agency_officer"), f"/v1/requests/{made['id']}", b"%PDF-1.7\n")
        await taken(world, made["id"], *acts)
        files.append(str(file["id"]))
    return files
