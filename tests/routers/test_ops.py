"""What a node tells of its own state, to whom, and what it goes on telling when a part of it is away."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import insert

from app.db.engine import begin, make_engine
from app.db.tables_delivery import inbox, outbox, quarantine
from app.db.tables_exchange import exchange
from app.main import create_probes
from tests.routers.clients import assert_problem, new_key

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import FastAPI

    from app.runtime import Runtime
    from tests.routers.clients import Clients

NOWHERE = "postgresql+asyncpg://postgres@/none?host=/nonexistent"
FOUNDING = {"action": "found", "id": "coastguard", "name": "Coast Guard"}


async def checks(reader: httpx.AsyncClient) -> dict[str, str]:
    """What readiness is made of at this moment."""
    answer = await reader.get("/readyz?verbose")
    return {check["name"]: check["outcome"] for check in answer.json()["checks"]}


async def overview(client: Clients) -> dict[str, Any]:
    """The front page, as the monitor sees it."""
    answer = await client("monitor").get("/v1/monitoring/overview")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def test_ready(client: Clients) -> None:
    """A node whose parts are there is ready, and tells no more unless asked."""
    answer = await client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": None}
    assert set((await checks(client())).values()) == {"pass"}


async def test_without_broker_degraded_but_ready(client: Clients, runtime: Runtime) -> None:
    """A node without its broker takes requests, and says that it is degraded."""
    await runtime.broker.aclose()
    answer = await client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert (await checks(client()))["broker"] == "warn"
    assert (await client("duty_officer").post("/probe/here", json=FOUNDING, headers=new_key())).status_code == 201


async def test_without_database_unready_but_alive(client: Clients, gateway: FastAPI, runtime: Runtime) -> None:
    """A node without its database is out of service and says which part is missing; its process is alive."""
    gateway.state.runtime = replace(runtime, engine=make_engine(NOWHERE, pool_size=1, name="nowhere"))
    answer = await client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unready")
    assert (await checks(client()))["database"] == "fail"
    assert (await client().get("/livez")).status_code == 200
    metrics = await client().get("/metrics")
    assert metrics.status_code == 200
    assert "counterpart_bus_connected 1.0" in metrics.text


async def test_another_schema_is_unready(client: Clients, gateway: FastAPI, runtime: Runtime) -> None:
    """A node whose database has another schema than its software expects is out of service."""
    gateway.state.runtime = replace(runtime, head_revision="another")
    assert (await client().get("/readyz")).status_code == 503
    assert (await checks(client()))["migrations"] == "fail"


async def test_the_door_of_a_process_that_only_works(runtime: Runtime) -> None:
    """It answers probes and metrics as a gateway does; nothing that a gateway has beside them is there."""
    transport = httpx.ASGITransport(app=create_probes(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://worker.test") as asking:
        assert (await asking.get("/livez")).status_code == 200
        assert (await asking.get("/readyz")).json() == {"status": "ready", "checks": None}
        told = (await asking.get("/metrics")).text
        assert "counterpart_bus_connected 1.0" in told
        assert "counterpart_outbox" not in told
        for path in ("/v1/me", "/openapi.json", "/docs", "/v1/monitoring/overview"):
            assert_problem(await asking.get(path), 404, "not_found")


async def test_silent_loop_is_unready(client: Clients, gateway: FastAPI, runtime: Runtime, now: datetime) -> None:
    """A loop that has not come round for more than a minute takes the node out of service."""
    runtime.beat("sequencer")
    assert (await checks(client()))["loops"] == "pass"
    gateway.state.runtime = replace(runtime, clock=lambda: now + timedelta(seconds=61))
    assert (await checks(client()))["loops"] == "fail"


async def test_expired_key_is_unready(client: Clients, gateway: FastAPI, runtime: Runtime, now: datetime) -> None:
    """A node whose signing key nobody would accept any more is out of service."""
    gateway.state.runtime = replace(runtime, clock=lambda: now + timedelta(days=500))
    assert (await checks(client()))["keys"] == "fail"


async def test_stopping_node_is_unready(client: Clients, runtime: Runtime) -> None:
    """A node that is about to stop asks for no more traffic."""
    runtime.stopping.set()
    assert (await client().get("/readyz")).status_code == 503


async def fill(runtime: Runtime, now: datetime) -> None:
    """An exchange that nobody acknowledged, a message on its way, one that waits, and one nobody could read."""
    exchange_id = uuid4()
    since = now - timedelta(minutes=7)
    async with begin(runtime.engine) as session:
        await session.execute(
            insert(exchange).values(
                id=exchange_id,
                direction="outgoing",
                requesting="XA",
                requested="XT",
                type="PRESERVATION",
                tier="EMERGENCY",
                state="DISPATCHED",
                generation=0,
                request_reference="XA-2026-7K3QF9D",
                opening={},
                body={},
                not_understood={},
                undeliverable=False,
                created_at=since,
                updated_at=since,
            )
        )
        message = {"thread": None, "seq": None, "type": "receipt/1", "lane": "urgent"}
        await session.execute(
            insert(outbox).values(**message, jti=uuid4(), peer="XT", body=b"{}", created_at=since, next_at=since)
        )
        for state, ago in (("held", 3), ("applied", 1)):
            await session.execute(
                insert(inbox).values(
                    **message,
                    iss="XS",
                    jti=uuid4(),
                    kid="k",
                    copy=1,
                    inner_hash="h",
                    jws="j",
                    received_at=now - timedelta(minutes=ago),
                    state=state,
                    applied_at=now if state == "applied" else None,
                )
            )
        await session.execute(
            insert(quarantine).values(
                digest="d",
                raw=b"?",
                reason="not_json",
                authenticated=False,
                lane="urgent",
                first_seen=now,
                last_seen=now,
            )
        )


async def test_overview_counts(client: Clients, runtime: Runtime, now: datetime) -> None:
    """The overview tells what is open and since when, what waits on its way, and who was heard from."""
    await fill(runtime, now)
    shown = await overview(client)
    assert shown["open"] == [{"direction": "outgoing", "state": "DISPATCHED", "tier": "EMERGENCY", "count": 1}]
    (oldest,) = shown["unacknowledged"]
    assert (oldest["tier"], oldest["oldest_seconds"]) == ("EMERGENCY", 420.0)
    assert shown["outbox"] == [
        {"name": "urgent", "count": 1, "oldest_seconds": 420.0},
        {"name": "routine", "count": 0, "oldest_seconds": 0.0},
    ]
    assert shown["inbox"] == [
        {"name": "held", "count": 1, "oldest_seconds": 180.0},
        {"name": "quarantined", "count": 0, "oldest_seconds": 0.0},
    ]
    assert shown["quarantine_open"] == 1
    peers = {peer["code"]: peer for peer in shown["peers"]}
    assert set(peers) == {"XT", "XS"}
    assert peers["XT"] == {"code": "XT", "last_seen": None, "pending": 1}
    assert peers["XS"]["last_seen"] is not None
    assert shown["bus"]["connected"] is True
    assert shown["audit"]["pending"] > 0


async def test_overview_of_an_empty_node(client: Clients) -> None:
    """A node to which nothing has happened yet has an overview too."""
    shown = await overview(client)
    assert shown["open"] == shown["unacknowledged"] == []
    assert shown["audit"]["checkpoint_at"] is None
    assert shown["time"] == "2026-11-22T09:30:00.000Z"


async def test_version(client: Clients, runtime: Runtime) -> None:
    """A monitor can read what runs here."""
    shown = (await client("monitor").get("/v1/monitoring/version")).json()
    assert shown["contact_point"] == "XA"
    assert shown["schema_revision"] == shown["schema_expected"] == runtime.head_revision
    assert "exchange.open/1" in shown["message_types"]


async def test_metrics_tell_the_same(client: Clients, runtime: Runtime, now: datetime) -> None:
    """The metrics tell the same numbers to machines, with our prefix."""
    await fill(runtime, now)
    text = (await client("monitor").get("/metrics")).text
    assert 'counterpart_requests_open{direction="outgoing",state="DISPATCHED",tier="EMERGENCY"} 1.0' in text
    assert 'counterpart_oldest_unacknowledged_seconds{direction="outgoing",tier="EMERGENCY"} 420.0' in text
    assert 'counterpart_outbox_pending{lane="urgent"} 1.0' in text
    assert 'counterpart_outbox_oldest_age_seconds{lane="urgent"} 420.0' in text
    assert "counterpart_quarantine_open 1.0" in text
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert all(name.startswith(("counterpart_", "process_")) for name in names)


@pytest.mark.parametrize("seat", [None, "agency_officer", "duty_officer"])
async def test_metrics_tell_volume_to_monitoring_only(
    client: Clients, runtime: Runtime, now: datetime, seat: str | None
) -> None:
    """Who is not monitoring reads that the node lives, and nothing that grows with other people's requests."""
    await fill(runtime, now)
    await client("agency_officer").get("/v1/me")
    text = (await (client(seat) if seat else client()).get("/metrics")).text
    assert "counterpart_bus_connected 1.0" in text
    assert "requests" not in text
    assert "outbox" not in text


async def test_requests_are_counted_by_operation(client: Clients, runtime: Runtime) -> None:
    """Answers are counted by operation; no path, and so no id of a case, becomes a label."""
    officer = client("duty_officer")
    for _ in range(3):
        await officer.get("/v1/me")
    await officer.get("/v1/request-types/XA-2026-SECRET1")
    await officer.get("/v1/SECRET2")
    await officer.request("SECRET3", "/v1/me")
    text = (await client("monitor").get("/metrics")).text
    assert 'counterpart_http_requests_total{code="200",method="GET",operation="whoAmI"} 3.0' in text
    assert 'code="404",method="GET",operation="readRequestType"' in text
    assert 'code="404",method="any",operation="none"' in text
    assert "SECRET" not in text
    sample = runtime.metrics.registry.get_sample_value
    assert sample("counterpart_auth_attempts_total", {"outcome": "accepted"}) == 4


async def test_nodes_have_metrics_of_their_own(runtime: Runtime, client: Clients, gateway: FastAPI) -> None:
    """Two nodes in one process count apart."""
    other = replace(runtime, metrics=type(runtime.metrics)("XT"))
    await client("duty_officer").get("/v1/me")
    assert other.metrics.registry.get_sample_value("counterpart_auth_attempts_total", {"outcome": "accepted"}) is None
    labels = {"node": "XT", "version": "0.1.0"}
    assert any(
        labels.items() <= sample.labels.items()
        for metric in other.metrics.registry.collect()
        for sample in metric.samples
    )


async def test_request_id_is_taken_over_or_made(client: Clients) -> None:
    """A client's own request id is taken over if it is harmless; otherwise a new one is made."""
    nobody = client()
    kept = await nobody.get("/livez", headers={"X-Request-Id": "agency-4711.a_b"})
    assert kept.headers["x-request-id"] == "agency-4711.a_b"
    for offered in ("short", "a" * 65, "with space", "semi;colon"):
        answer = await nobody.get("/livez", headers={"X-Request-Id": offered})
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])


async def test_answers_are_not_cached(client: Clients) -> None:
    """No answer of the interface may stay in a cache."""
    for path in ("/livez", "/metrics", "/v1/me", "/openapi.json"):
        answer = await client("monitor").get(path)
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_monitoring_is_not_for_everybody(client: Clients) -> None:
    """Agencies and auditors have no business with a node's inner state."""
    for seat in ("agency_officer", "duty_officer", "auditor", "registrar"):
        assert_problem(await client(seat).get("/v1/monitoring/overview"), 403, "role_not_allowed")
