"""What a monitor is told of the counterparts: whether they are there, how their clocks go, when their keys end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from app.db.engine import begin
from app.services.alarm_gaps import alarm_gaps
from tests.routers.clients import assert_problem
from tests.routers.stuck import come_in, feel_pulse, keep_aside, open_thread, put_out

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import FastAPI

    from app.runtime import Runtime
    from tests.routers.clients import Clients

MINUTE = timedelta(minutes=1)


async def peer(client: Clients, code: str = "XT") -> dict[str, Any]:
    """What the monitor reads of one counterpart."""
    answer = await client("monitor").get(f"/v1/monitoring/peers/{code}")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def close(runtime: Runtime, code: str) -> None:
    """Let the node wait for that peer's resync."""
    begun = "INSERT INTO recovery (id, began_at, proof, detail) VALUES (gen_random_uuid(), now(), 'anchor', '{}')"
    closed = "INSERT INTO recovering_peer (recovery_id, peer, resync_id) SELECT id, :code, id FROM recovery"
    async with begin(runtime.engine) as session:
        await session.execute(text(begun))
        await session.execute(text(closed), {"code": code})


async def test_all_of_them_are_listed(client: Clients, runtime: Runtime, now: datetime) -> None:
    """The list has every other contact point of the directory, heard of or not, each as it stands alone."""
    await feel_pulse(runtime, "XT", now)
    listed = (await client("monitor").get("/v1/monitoring/peers")).json()["peers"]
    assert [(one["code"], one["state"]) for one in listed] == [("XS", "unknown"), ("XT", "up")]
    assert listed[1] == await peer(client)


async def test_one_that_is_well(client: Clients, runtime: Runtime, now: datetime) -> None:
    """Of a peer that beats: how far it is, how its clock goes, what runs there, when its keys end."""
    await feel_pulse(runtime, "XT", now - MINUTE)
    shown = await peer(client)
    assert (shown["state"], shown["next_act"]) == ("up", "Nobody has to do anything.")
    lane = shown["lanes"]["urgent"]
    assert (lane["round_trip_seconds"], lane["clock_skew_seconds"], lane["silent_seconds"]) == (0.24, 0.031, 60.0)
    assert lane["software"] == "counterpart 0.1.0"
    assert shown["key_ends_at"]["sig"] == shown["key_ends_at"]["enc"] == "2027-11-27T09:30:00.000Z"


SILENCE: dict[str, tuple[timedelta, timedelta, str]] = {
    "both lanes heard ten minutes ago": (10 * MINUTE, 10 * MINUTE, "up"),
    "both lanes heard longer ago": (11 * MINUTE, 11 * MINUTE, "silent"),
    "one lane heard longer ago": (MINUTE, 11 * MINUTE, "silent"),
}


async def test_silence(client: Clients, runtime: Runtime, now: datetime) -> None:
    """A peer is silent when two heartbeats in a row stayed away on a lane; the sentence names the telephone."""
    await feel_pulse(runtime, "XT", now)
    moved = text("UPDATE pulse SET heard_at = :at, answered_at = :at WHERE lane = :lane")
    for case, (urgent, routine, state) in SILENCE.items():
        async with begin(runtime.engine) as session:
            await session.execute(moved, {"at": now - urgent, "lane": "urgent"})
            await session.execute(moved, {"at": now - routine, "lane": "routine"})
        shown = await peer(client)
        assert shown["state"] == state, case
        assert ("telephone XT on +" in shown["next_act"]) is (state == "silent")


SKEWS: dict[str, tuple[int, int, str]] = {
    "four seconds ahead": (4_000, 200, "up"),
    "six seconds ahead": (6_000, 200, "clock_wrong"),
    "six seconds behind": (-6_000, 200, "clock_wrong"),
    "six seconds that the way explains": (6_000, 4_000, "up"),
}


async def test_clocks(client: Clients, runtime: Runtime, now: datetime) -> None:
    """A clock is wrong when it differs by more than the way there and back leaves open."""
    await feel_pulse(runtime, "XT", now)
    for case, (skew, round_trip, state) in SKEWS.items():
        async with begin(runtime.engine) as session:
            values = {"skew": skew, "way": round_trip}
            await session.execute(text("UPDATE pulse SET skew_ms = :skew, round_trip_ms = :way"), values)
        assert (await peer(client))["state"] == state, case


async def test_keys_that_end(client: Clients, runtime: Runtime, gateway: FastAPI, now: datetime) -> None:
    """Thirty days before a peer's last key ends somebody is told to remind it."""
    later = now + timedelta(days=341)
    gateway.state.runtime = replace(runtime, clock=lambda: later)
    await feel_pulse(runtime, "XT", later)
    async with begin(runtime.engine) as session:
        await session.execute(text("UPDATE token SET expires_at = expires_at + interval '1000 days'"))
    shown = await peer(client)
    assert (shown["state"], "registrar" in shown["next_act"]) == ("key_ends", True)


async def test_a_closed_peer(client: Clients, runtime: Runtime, now: datetime) -> None:
    """A peer that is waited for after a restore is shown as closed; what waits of it is no gap and alarms nobody."""
    await feel_pulse(runtime, "XT", now)
    behind = await open_thread(runtime, now)
    await come_in(runtime, now - timedelta(hours=2), thread=behind, seq=2, state="held")
    assert (await peer(client))["gaps"] == 1
    await close(runtime, "XT")
    shown = await peer(client)
    assert (shown["state"], shown["closed"], shown["gaps"]) == ("closed", True, 0)
    async with begin(runtime.engine) as session:
        assert await alarm_gaps(session, now=now) == 0


async def test_what_stands_between_us(client: Clients, runtime: Runtime, now: datetime) -> None:
    """Per peer it is counted what waits for its receipt, for a message of it, and for a person."""
    await put_out(runtime, now)
    await keep_aside(runtime, now, "bad_signature")
    await come_in(runtime, now, thread=await open_thread(runtime, now), seq=2, state="held")
    shown = await peer(client)
    assert (shown["pending"], shown["gaps"], shown["quarantined"]) == (1, 1, 1)


async def test_nobody_else_is_a_peer(client: Clients) -> None:
    """There is no such counterpart: a code nobody has, our own, and one in small letters."""
    for code in ("XQ", "XA", "xt"):
        assert_problem(await client("monitor").get(f"/v1/monitoring/peers/{code}"), 404, "not_found")


async def test_metrics_tell_the_same(client: Clients, runtime: Runtime, now: datetime) -> None:
    """Machines read the same numbers, with the contact point as label; without a token they read none of it."""
    await feel_pulse(runtime, "XT", now)
    await close(runtime, "XS")
    await come_in(runtime, now - timedelta(hours=2), thread=await open_thread(runtime, now), seq=2, state="held")
    told = (await client("monitor").get("/metrics")).text
    for line in (
        'counterpart_peer_up{peer="XT"} 1.0',
        'counterpart_peer_up{peer="XS"} 0.0',
        'counterpart_peer_round_trip_seconds{lane="urgent",peer="XT"} 0.24',
        'counterpart_peer_clock_skew_seconds{lane="routine",peer="XT"} 0.031',
        'counterpart_gaps_open{peer="XT"} 1.0',
        "counterpart_gap_oldest_age_seconds 7200.0",
        "counterpart_peers_closed 1.0",
    ):
        assert line in told
    assert 'counterpart_peer_key_expiry_timestamp_seconds{peer="XA",use="log"}' in told
    assert "peer" not in (await client().get("/metrics")).text
