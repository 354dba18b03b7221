"""What a monitor is told of things that do not move: since when, why, who does what about it; never what they are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.db.engine import begin
from app.db.tables_delivery import outbox
from app.envelope.reasons import Reason
from app.keystore import read_directory
from app.routers import monitoring_bus, monitoring_inbox, monitoring_outbox, monitoring_peers
from app.services.advise_on_quarantine import advise_on_quarantine
from app.services.alarm_gaps import alarm_gaps
from app.services.inbound import MISPLACED, NOT_UNDERSTOOD, UNKNOWN_TYPE
from app.services.quarantine import CRASHED, EQUIVOCATION, UNOPENED
from app.services.second_text import AWAITING_DIRECTORY
from app.services.take_receipts import UNKNOWN_TEXT
from tests.routers.clients import assert_problem
from tests.routers.stuck import come_in, keep_aside, open_thread, put_out

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from app.runtime import Runtime
    from tests.routers.clients import Clients

HOUR = timedelta(hours=1)
MINUTES_67 = timedelta(minutes=67)


async def told(client: Clients, path: str) -> dict[str, Any]:
    """What the monitor reads there."""
    answer = await client("monitor").get(f"/v1/monitoring/{path}")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_an_empty_outbox(client: Clients) -> None:
    """Where nothing waits there is nothing to tell."""
    assert (await told(client, "outbox"))["ways"] == []


async def test_a_silent_peer(client: Clients, runtime: Runtime, now: datetime) -> None:
    """What the broker confirmed an hour ago and nobody receipted says whom to telephone, on which number."""
    since = now - MINUTES_67
    for _ in range(3):
        await put_out(runtime, since, next_at=None, confirmed_at=since, published_lane="urgent", tries=4)
    (way,) = (await told(client, "outbox"))["ways"]
    assert (way["peer"], way["lane"], way["count"], way["confirmed"], way["moving"]) == ("XT", "urgent", 3, 3, False)
    assert (way["reason"], way["oldest_seconds"], way["next_at"]) == ("no_receipt", 4020.0, None)
    assert "Telephone XT on +99901555101" in way["next_act"]
    assert "Nothing is lost" in way["next_act"]


WORSE = {
    "unroutable": "broker's administrator",
    "no_key": "registrar",
    "unknown_peer": "registrar",
    "not_taken": "/v1/monitoring/bus",
    "outcome_unknown": "goes on by itself",
    "unsealable": "by voice",
}


async def test_the_worst_trouble_is_told_first(client: Clients, runtime: Runtime, now: datetime) -> None:
    """A way says what stops it rather than what else is slow on it, and each trouble has its own next act."""
    await put_out(runtime, now - HOUR, next_at=None, confirmed_at=now - HOUR, published_lane="urgent", tries=4)
    await put_out(runtime, now, trouble="unroutable", tries=2)
    for trouble, words in WORSE.items():
        async with begin(runtime.engine) as session:
            await session.execute(outbox.update().where(outbox.c.trouble.is_not(None)).values(trouble=trouble))
        (way,) = (await told(client, "outbox"))["ways"]
        assert (way["reason"], way["troubles"]) == (trouble, {trouble: 1})
        assert words in way["next_act"], trouble


async def test_what_moves_asks_nobody(client: Clients, runtime: Runtime, now: datetime) -> None:
    """A message of this second, tried or not, needs nobody; the lanes are told apart."""
    await put_out(runtime, now)
    await put_out(runtime, now, lane="routine", next_at=None, confirmed_at=now, published_lane="routine", tries=1)
    ways = (await told(client, "outbox"))["ways"]
    assert [(way["lane"], way["moving"], way["next_act"]) for way in ways] == [
        ("routine", True, "Nobody has to do anything."),
        ("urgent", True, "Nobody has to do anything."),
    ]


async def test_a_gap(client: Clients, runtime: Runtime, now: datetime) -> None:
    """A thread that misses numbers names them, what waits and since when; quarantine alone is no gap."""
    gone = await open_thread(runtime, now, consumed=1)
    for seq, ago in ((3, 10), (6, 5)):
        await come_in(runtime, now - timedelta(minutes=ago), thread=gone, seq=seq, state="held")
    stopped = await open_thread(runtime, now, consumed=1)
    await come_in(runtime, now, thread=stopped, seq=2, state="quarantined", code="unknown_type")
    await come_in(runtime, now, thread=stopped, seq=3, state="held")
    shown = await told(client, "inbox")
    (gap,) = shown["gaps"]
    assert (gap["missing"], gap["missing_count"], gap["waiting"]) == ([2, 4, 5], 3, 2)
    assert (gap["seconds"], gap["alarmed"]) == (600.0, False)
    assert gap["next_act"].startswith("Nobody has to do anything")
    assert shown["stopped"] == {"XT": 1}


async def test_an_old_gap_alarms_the_desk_once(client: Clients, runtime: Runtime, now: datetime) -> None:
    """After an hour the desk gets one event per gap, and a new one when another number is missing; words change too."""
    behind = await open_thread(runtime, now, consumed=1)
    await come_in(runtime, now - HOUR, thread=behind, seq=3, state="held")

    async def alarm(at: datetime) -> int:
        async with begin(runtime.engine) as session:
            return await alarm_gaps(session, now=at)

    assert await alarm(now - timedelta(seconds=1)) == 0
    assert await alarm(now) == 1
    assert await alarm(now) == 0
    (gap,) = (await told(client, "inbox"))["gaps"]
    assert gap["alarmed"] is True
    assert "Telephone XT" in gap["next_act"]
    events = (await client("duty_officer").get("/v1/events")).json()["data"]
    (event,) = [one for one in events if one["kind"] == "exchange.gap_alarmed"]
    assert event["data"] == {
        "peer": "XT",
        "first_missing": 2,
        "missing": 1,
        "waiting": 1,
        "since": "2026-11-22T08:30:00.000Z",
    }
    await come_in(runtime, now, thread=behind, seq=2)
    async with runtime.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE inbox SET state = 'applied', applied_at = received_at")
        await connection.exec_driver_sql("UPDATE thread SET consumed_in = 3")
    await come_in(runtime, now - HOUR, thread=behind, seq=5, state="held")
    assert await alarm(now) == 1, "number 4 is another gap"


async def test_the_gap_of_a_file(client: Clients, runtime: Runtime, now: datetime) -> None:
    """A file whose chunk is missing alarms about its sender: it is no exchange's thread."""
    behind = await open_thread(runtime, now, exchange=False)
    await come_in(runtime, now - HOUR, thread=behind, seq=2, state="held")
    async with begin(runtime.engine) as session:
        assert await alarm_gaps(session, now=now) == 1
    (event,) = (await client("monitor").get("/v1/events")).json()["data"]
    assert (event["kind"], event["subject"]["id"]) == ("contact_point.gap_alarmed", "XT")


async def test_what_is_kept_aside(client: Clients, runtime: Runtime, now: datetime) -> None:
    """Quarantine is told by sender and reason, the oldest first, each with its next act."""
    await keep_aside(runtime, now - HOUR, "unknown_type", authenticated=True)
    await keep_aside(runtime, now, "bad_signature")
    await keep_aside(runtime, now, "bad_signature")
    await keep_aside(runtime, now, "malformed", iss=None)
    found = (await told(client, "inbox"))["quarantined"]
    assert [(one["peer"], one["reason"], one["proven"], one["count"]) for one in found] == [
        ("XT", "unknown_type", True, 1),
        ("XT", "bad_signature", False, 2),
        (None, "malformed", False, 1),
    ]
    assert found[0]["seconds"] == 3600.0
    assert "account" in found[2]["next_act"]


REASONS = [
    *Reason, UNKNOWN_TYPE, MISPLACED, NOT_UNDERSTOOD, CRASHED, UNOPENED, EQUIVOCATION, UNKNOWN_TEXT, AWAITING_DIRECTORY
]  # fmt: skip


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_words(node_files: Path, reason: str) -> None:
    """No reason is left without its own meaning, and each names somebody who does something."""
    directory = read_directory(node_files / "directory.json")
    advice, other = advise_on_quarantine(directory, reason, "XT"), advise_on_quarantine(directory, "new", "XT")
    assert advice.meaning != other.meaning
    assert any(who in advice.next_act for who in ("officer", "operator", "registrar", "Telephone", "telephone"))
    assert "{" not in advice.meaning + advice.next_act


async def test_the_bus(client: Clients, runtime: Runtime) -> None:
    """A node that lost its broker says so, and that requests are taken meanwhile."""
    assert (await told(client, "bus"))["reason"] == "working"
    await runtime.broker.aclose()
    shown = await told(client, "bus")
    assert (shown["connected"], shown["reason"]) == (False, "disconnected")
    assert "counterpart broker check" in shown["next_act"]


async def test_a_deaf_node(client: Clients, runtime: Runtime) -> None:
    """A process that runs loops and is handed nothing is told apart from one that runs none."""
    runtime.beat("sweep")
    assert (await told(client, "bus"))["reason"] == "deaf"


PATHS = [
    route.path
    for module in (monitoring_outbox, monitoring_inbox, monitoring_bus, monitoring_peers)
    for route in module.router.routes
    if "{" not in route.path
]


async def test_monitoring_tells_no_case(client: Clients, runtime: Runtime, now: datetime) -> None:
    """No id of a thread or message is told, and people without a monitoring role are told nothing."""
    behind = await open_thread(runtime, now)
    await come_in(runtime, now, thread=behind, seq=2, state="held")
    await put_out(runtime, now, thread=behind)
    for path in PATHS:
        assert behind not in (await client("monitor").get(path)).text
        for seat in ("agency_officer", "duty_officer", "auditor"):
            assert_problem(await client(seat).get(path), 403, "role_not_allowed")
