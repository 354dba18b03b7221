"""The stream of events over a real server: events when they happen, resuming, and an end when the node stops."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.db.engine import begin
from app.main import serve_http
from app.runtime import Readers
from app.services.announce import Event, announce
from app.services.revoke_token import revoke_token
from tests.routers.clients import assert_problem, until
from tests.support.world import seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from app.runtime import Runtime

STREAM = {"Accept": "text/event-stream"}
SOON = 10.0
"""Seconds within which anything must have happened that is going to happen."""


@dataclass(frozen=True, slots=True)
class Served:
    """A node that answers on a port of this machine."""

    base: str
    serving: asyncio.Task[None]


@pytest.fixture
async def served(runtime: Runtime) -> AsyncIterator[Served]:
    """The gateway behind a real server, on a free port."""
    async with served_by(runtime) as opened:
        yield opened


@asynccontextmanager
async def served_by(runtime: Runtime) -> AsyncIterator[Served]:
    """The gateway of that runtime, until the end."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    serving = asyncio.create_task(serve_http(runtime, listener, graceful_seconds=5))
    yield Served(f"http://127.0.0.1:{port}", serving)
    runtime.stopping.set()
    await asyncio.wait_for(serving, SOON)


@asynccontextmanager
async def listening(
    served: Served, token: str, *, since: str | None = None
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Events as they arrive at a client that holds its connection."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    if since is not None:
        headers["Last-Event-ID"] = since
    async with (
        httpx.AsyncClient(base_url=served.base, timeout=SOON) as client,
        client.stream("GET", "/v1/events", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        yield events_of(lines)


async def events_of(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    """Put the lines of a stream together to events."""
    fields: dict[str, str] = {}
    async for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield {"id": fields["id"], "event": fields["event"], **json.loads(fields["data"])}
            fields = {}


async def happen(runtime: Runtime, name: str, agency_id: str | None = None) -> None:
    """Commit one event."""
    async with begin(runtime.chores) as session:
        event = Event("request.opened", "request", name, agency_id, {"state": "TRIAGE"})
        await announce(session, event, now=runtime.clock())
    runtime.wake.ring()


async def soon(events: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
    """The next event."""
    return await asyncio.wait_for(anext(events), SOON)


async def test_events_arrive_while_the_answer_is_open(
    served: Served, runtime: Runtime, tokens: Mapping[str, str]
) -> None:
    """An event reaches a stream that is open when it happens, in the form that the list has."""
    async with listening(served, tokens["duty_officer"]) as events:
        await happen(runtime, "n1")
        assert (await soon(events))["subject"]["id"] == "n1"
        await happen(runtime, "n2")
        event = await soon(events)
        assert (event["event"], event["subject"]["id"]) == ("request.opened", "n2")
        headers = {"Authorization": f"Bearer {tokens['duty_officer']}"}
        async with httpx.AsyncClient(base_url=served.base, headers=headers) as client:
            listed = (await client.get("/v1/events")).json()["data"]
        assert listed[-1] == {name: value for name, value in event.items() if name != "event"}


async def test_stream_resumes(served: Served, runtime: Runtime, tokens: Mapping[str, str]) -> None:
    """A reader that comes back with the last id gets what it missed, and nothing twice."""
    async with listening(served, tokens["duty_officer"]) as events:
        await happen(runtime, "n1")
        last = (await soon(events))["id"]
    await happen(runtime, "n2")
    await happen(runtime, "n3")
    async with listening(served, tokens["duty_officer"], since=last) as events:
        assert [(await soon(events))["subject"]["id"] for _ in range(2)] == ["n2", "n3"]


async def test_stream_shows_each_their_own(served: Served, runtime: Runtime, tokens: Mapping[str, str]) -> None:
    """An agency's stream passes over the events of another agency."""
    async with listening(served, tokens["agency_officer"]) as events:
        await happen(runtime, "theirs", "customs-investigation")
        await happen(runtime, "desk only")
        await happen(runtime, "ours", "federal-police-cyber")
        assert (await soon(events))["subject"]["id"] == "ours"


async def test_stream_ends_when_the_node_stops(served: Served, runtime: Runtime, tokens: Mapping[str, str]) -> None:
    """A node that stops ends its streams instead of waiting for them."""
    async with listening(served, tokens["duty_officer"]) as events:
        await happen(runtime, "n1")
        await soon(events)
        runtime.stopping.set()
        runtime.wake.ring()
        with pytest.raises(StopAsyncIteration):
            await soon(events)
    await asyncio.wait_for(served.serving, SOON)


async def test_reader_who_leaves_leaves_nothing(served: Served, runtime: Runtime, tokens: Mapping[str, str]) -> None:
    """When a reader goes away its stream ends and its connection to the database is free."""
    clients = runtime.metrics.registry
    async with listening(served, tokens["duty_officer"]) as events:
        await happen(runtime, "n1")
        await soon(events)
        assert clients.get_sample_value("counterpart_http_sse_clients") == 1
    await until(lambda: clients.get_sample_value("counterpart_http_sse_clients") == 0)


async def test_stream_needs_a_token(served: Served, runtime: Runtime, tokens: Mapping[str, str]) -> None:
    """A stream is opened only for a valid token."""
    async with begin(runtime.chores) as session:
        await revoke_token(session, runtime.node, tokens["auditor"].split("_")[1], now=runtime.clock())
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {tokens['auditor']}"}
    async with httpx.AsyncClient(base_url=served.base) as client:
        assert (await client.get("/v1/events", headers=headers)).status_code == 401


async def test_one_person_has_a_limited_number_of_streams(runtime: Runtime, tokens: Mapping[str, str]) -> None:
    """One more stream or waiting poll than the limit is a 429 with Retry-After; others, and plain reads, are untouched.

    A place is free again when its stream ends. The control: with one place more the same stream is opened.
    """
    await happen(runtime, "n1")
    for most, status in ((2, 200), (1, 429)):
        async with (
            served_by(replace(runtime, readers=Readers(most), stopping=asyncio.Event())) as served,
            reader(served, tokens["duty_officer"]) as mine,
            reader(served, tokens["supervisor"]) as yours,
        ):
            async with mine.stream("GET", "/v1/events", headers=STREAM) as first:
                assert (first.status_code, await one_more(mine)) == (200, status)
                if status == 429:
                    polls = [await who.get("/v1/events", headers={"Prefer": "wait=1"}) for who in (mine, yours)]
                    assert [polled.status_code for polled in polls] == [429, 200]
                    assert (await mine.get("/v1/events")).status_code == 200
            assert await until_open(mine) == 200


def reader(served: Served, token: str) -> httpx.AsyncClient:
    """A client that speaks for one person."""
    return httpx.AsyncClient(base_url=served.base, timeout=SOON, headers={"Authorization": f"Bearer {token}"})


async def one_more(client: httpx.AsyncClient) -> int:
    """The status of one more stream; what is refused says when to try again."""
    async with client.stream("GET", "/v1/events", headers=STREAM) as answer:
        if answer.status_code == 429:
            await answer.aread()
            assert_problem(answer, 429, "too_many_streams")
            assert answer.headers["retry-after"] == "5"
        return answer.status_code


async def until_open(client: httpx.AsyncClient) -> int:
    """The status of a stream once there is a place for it: the server has to notice that the last reader left."""
    return await seen(partial(one_more, client), lambda status: status != 429, seconds=SOON)
