"""The feed of events: complete, in one order, and for each reader only what is theirs to know."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.db.engine import ReadSession, Session, begin, reading
from app.routers.feed import POLL_SECONDS, asked_wait
from app.services.announce import Event, announce
from tests.routers.clients import assert_problem, in_progress, new_key, until

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from app.runtime import Runtime
    from tests.routers.clients import Clients

POLICE, CUSTOMS = "federal-police-cyber", "customs-investigation"


def about(name: str, agency_id: str | None = None, kind: str = "request") -> Event:
    """An event of the thing called `name`."""
    return Event(f"{kind}.changed", kind, name, agency_id, {"state": "TRIAGE", "generation": 2})


async def happen(runtime: Runtime, *events: Event) -> None:
    """Commit these events together."""
    async with begin(runtime.engine) as session:
        await tell(session, *events, now=runtime.clock())
    runtime.wake.ring()


async def tell(session: Session, *events: Event, now: datetime) -> None:
    """Add these events to an open transaction."""
    for event in events:
        await announce(session, event, now=now)


async def seen(reader: httpx.AsyncClient, **query: str | int) -> list[str]:
    """Names of the things in the whole feed, read page by page."""
    names: list[str] = []
    while True:
        answer = await reader.get("/v1/events", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        names += [event["subject"]["id"] for event in page["data"]]
        if not page["data"]:
            return names
        query["after"] = page["next"]


async def by_id_alone(runtime: Runtime, *, after: int) -> list[tuple[int, str]]:
    """The feed as a naive reader would ask for it."""
    async with reading(runtime.engine) as session:
        rows = await session.execute(
            text("SELECT id, subject_id FROM event WHERE id > :after ORDER BY id"), {"after": after}
        )
        return [(row.id, row.subject_id) for row in rows]


async def test_feed_is_read_to_its_end(client: Clients, runtime: Runtime) -> None:
    """Page by page, in order, every event comes once; `next` goes on from there, also after an empty page."""
    names = [f"n{number}" for number in range(7)]
    for name in names:
        await happen(runtime, about(name))
    officer = client("duty_officer")
    assert await seen(officer, limit=3) == names
    last = (await officer.get("/v1/events", params={"limit": 200})).json()["next"]
    assert await seen(officer, after=last) == []
    await happen(runtime, about("later"))
    assert await seen(officer, after=last) == ["later"]


async def test_event_is_thin(client: Clients, runtime: Runtime) -> None:
    """An event shows what changed by ids and states."""
    await happen(runtime, about("n1"))
    (event,) = (await client("duty_officer").get("/v1/events")).json()["data"]
    assert event.pop("id")
    assert event == {
        "kind": "request.changed",
        "at": "2026-11-22T09:30:00.000Z",
        "subject": {"kind": "request", "id": "n1"},
        "data": {"state": "TRIAGE", "generation": 2},
    }


async def test_each_sees_their_own(client: Clients, runtime: Runtime) -> None:
    """Agencies see their own requests' events, the desk and auditors all, others those that concern no case."""
    await happen(
        runtime,
        about("police", POLICE),
        about("customs", CUSTOMS),
        about("exchange", kind="exchange"),
        about("directory", kind="directory"),
    )
    everything = ["police", "customs", "exchange", "directory"]
    expected = {
        "agency_officer": ["police"],
        "agency_viewer": ["police"],
        "agency_officer_2": ["customs"],
        "duty_officer": everything,
        "supervisor": everything,
        "auditor": everything,
        "monitor": ["directory"],
        "registrar": ["directory"],
        "administrator": ["directory"],
    }
    assert {seat: await seen(client(seat)) for seat in expected} == expected


async def test_ids_tell_no_volume(client: Clients, runtime: Runtime) -> None:
    """An agency cannot count from its events' ids what others did in between: they show no order and no common part."""
    await happen(
        runtime, about("first", POLICE), *(about(f"n{number}", CUSTOMS) for number in range(5)), about("last", POLICE)
    )
    first, last = (await client("agency_officer").get("/v1/events")).json()["data"]
    assert len(first["id"]) == len(last["id"]) == 43
    assert first["id"][:8] != last["id"][:8]


async def test_late_commit_is_not_missed(client: Clients, runtime: Runtime, now: datetime) -> None:
    """An event whose transaction began first and commits last is delivered; what came after it waits for it."""
    officer = client("duty_officer")
    async with begin(runtime.chores) as slow:
        await tell(slow, about("slow"), now=now)
        await happen(runtime, about("fast"))
        assert await seen(officer) == []
    assert await seen(officer) == ["slow", "fast"]


async def test_reading_by_id_would_miss_it(client: Clients, runtime: Runtime, now: datetime) -> None:
    """A reader that went by ids alone would pass over the late event: the rule above keeps the feed complete."""
    async with begin(runtime.chores) as slow:
        await tell(slow, about("slow"), now=now)
        await happen(runtime, about("fast"))
        first = await by_id_alone(runtime, after=0)
    assert [name for _, name in first] == ["fast"]
    assert await by_id_alone(runtime, after=first[-1][0]) == []


async def test_rolled_back_event_never_was(client: Clients, runtime: Runtime, now: datetime) -> None:
    """An event of a transaction that failed is never delivered and holds nobody up."""
    async with runtime.chores.connect() as connection:
        await tell(Session(ReadSession(connection)), about("never"), now=now)
        await connection.rollback()
    await happen(runtime, about("always"))
    assert await seen(client("duty_officer")) == ["always"]


async def test_latest_begins_now(client: Clients, runtime: Runtime) -> None:
    """`after=latest` passes over what there is and delivers what comes."""
    await happen(runtime, about("old"))
    officer = client("duty_officer")
    page = (await officer.get("/v1/events", params={"after": "latest"})).json()
    assert page["data"] == []
    await happen(runtime, about("new"))
    assert await seen(officer, after=page["next"]) == ["new"]


async def test_last_event_id_wins(client: Clients, runtime: Runtime) -> None:
    """`Last-Event-ID` does what `after` does, and counts for more than the address of a stream that resumes."""
    await happen(runtime, about("n1"), about("n2"))
    officer = client("duty_officer")
    first = (await officer.get("/v1/events", params={"limit": 1})).json()["next"]
    answer = await officer.get("/v1/events?after=latest", headers={"Last-Event-ID": first})
    assert [event["subject"]["id"] for event in answer.json()["data"]] == ["n2"]


@pytest.mark.parametrize("cursor", ["abc", "0", "a" * 43, "é", "", "A" * 44])
async def test_foreign_cursor(client: Clients, cursor: str) -> None:
    """A cursor that this node did not make is refused."""
    answer = await client("duty_officer").get("/v1/events", params={"after": cursor})
    problem = assert_problem(answer, 422, "parameters_invalid")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("?after", "bad_cursor")]


async def test_long_poll_waits_for_an_event(client: Clients, runtime: Runtime) -> None:
    """A long poll is answered when an event comes, well before its time is over."""
    officer = client("duty_officer")
    asking = asyncio.create_task(officer.get("/v1/events", headers={"Prefer": "wait=30"}, timeout=20))
    await until(lambda: in_progress(runtime) == 1)
    await happen(runtime, about("n1"))
    answer = await asking
    assert [event["subject"]["id"] for event in answer.json()["data"]] == ["n1"]
    assert answer.headers["preference-applied"] == "wait=30"


async def test_long_poll_is_woken_by_a_command(client: Clients) -> None:
    """A command committed by this gateway wakes those who wait."""
    asking = asyncio.create_task(client("duty_officer").get("/v1/events", headers={"Prefer": "wait=30"}, timeout=20))
    founding = {"action": "found", "id": "coastguard", "name": "Coast Guard"}
    assert (await client("supervisor").post("/probe/here", json=founding, headers=new_key())).status_code == 201
    assert [event["kind"] for event in (await asking).json()["data"]] == ["agency.founded"]


async def test_long_poll_notices_other_processes(client: Clients, runtime: Runtime, now: datetime) -> None:
    """An event committed where nobody rings is found by looking."""
    asking = asyncio.create_task(client("duty_officer").get("/v1/events", headers={"Prefer": "wait=30"}, timeout=20))
    async with begin(runtime.chores) as session:
        await tell(session, about("n1"), now=now)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert len((await asking).json()["data"]) == 1
    assert loop.time() - began < 10 * POLL_SECONDS


async def test_long_poll_ends_empty(client: Clients) -> None:
    """When nothing happens the wait ends with an empty page and the same place."""
    officer = client("duty_officer")
    answer = await officer.get("/v1/events", headers={"Prefer": "respond-async, wait=1"})
    assert answer.json()["data"] == []
    assert answer.headers["preference-applied"] == "wait=1"


async def test_long_poll_ends_when_the_node_stops(client: Clients, runtime: Runtime) -> None:
    """A node that stops does not keep those waiting who wait."""
    asking = asyncio.create_task(client("duty_officer").get("/v1/events", headers={"Prefer": "wait=30"}, timeout=20))
    await until(lambda: in_progress(runtime) == 1)
    runtime.stopping.set()
    runtime.wake.ring()
    assert (await asking).json()["data"] == []


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=5", 5),
        ("respond-async; foo, wait=7", 7),
        ("wait=3600", 30),
        ("wait=-1", 0),
        ("wait=x", 0),
        ("await=5", 0),
        ("wait=99999999999", 0),
    ],
)
def test_wait_is_read(prefer: str | None, seconds: int) -> None:
    """`Prefer: wait=N` is granted up to thirty seconds; what cannot be read is no preference."""
    assert asked_wait(prefer) == seconds
