"""Probes and metrics: open to whoever reaches the listener, and therefore terse without a token."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db.engine import reading
from app.routers.answers import NO_STORE, answer_json
from app.routers.deps import MONITORING, runtime_of
from app.routers.health import (
    Outcome,
    count,
    count_clocks,
    count_peers,
    readiness,
    set_gauges,
    set_gauges_of_clocks,
    set_gauges_of_peers,
    set_gauges_of_process,
)
from app.routers.models import View
from app.routers.operations import Answered, Operation, Tag
from app.routers.refused import note_refusal
from app.runtime import Runtime
from app.services.authenticate import TokenRefused, authenticate

router = APIRouter()

OPEN_METRICS = (
    "counterpart_build_info",
    "counterpart_bus_connected",
    "counterpart_bus_consuming",
    "counterpart_bus_reconnects",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
)
"""Samples that tell nothing of how much this contact point has to do."""


class Alive(View):
    """The process answers."""

    status: Literal["alive"]


class CheckView(View):
    """One question of readiness."""

    name: str
    outcome: Outcome


class Readiness(View):
    """`degraded` still takes requests; `unready` should get no traffic. `checks` is null unless asked for."""

    status: Literal["ready", "degraded", "unready"]
    checks: list[CheckView] | None


ALL_WELL = {"status": "ready", "checks": None}
DEGRADED = {
    "status": "degraded",
    "checks": [{"name": "database", "outcome": "pass"}, {"name": "broker", "outcome": "warn"}],
}
UNREADY = {"status": "unready", "checks": None}

LIVEZ = Operation(
    "isAlive", Tag.MONITORING, "Is the process alive", {200: Answered("It is.", Alive, {"alive": {"status": "alive"}})}
)
READYZ = Operation(
    "isReady",
    Tag.MONITORING,
    "Should it get traffic",
    {
        200: Answered("Ready, or degraded.", Readiness, {"ready": ALL_WELL, "without_broker": DEGRADED}),
        503: Answered("Not ready.", Readiness, {"unready": UNREADY}),
    },
)
METRICS = Operation(
    "readMetrics",
    Tag.MONITORING,
    "Metrics for Prometheus",
    {
        200: Answered(
            "The exposition format of Prometheus.",
            examples={"excerpt": 'counterpart_outbox_pending{lane="urgent"} 0.0\n'},
            media_type="text/plain",
        )
    },
)


@router.get("/livez", **LIVEZ.route())
async def is_alive() -> Response:
    """Asks nothing of anybody: no database, no broker. A node that does not answer this should be started again."""
    return answer_json(200, {"status": "alive"})


@router.get("/readyz", **READYZ.route())
async def is_ready(
    request: Request,
    verbose: Annotated[
        str | None, Query(max_length=10, description="Given, with or without a value: show each check.")
    ] = None,
) -> Response:
    """Database, schema, keys, loops and broker. Without the broker a node is degraded, not unready: it takes requests.

    No token is needed, and nothing but the names of the checks is told.
    """
    checks = await readiness(runtime_of(request))
    outcomes = {check.outcome for check in checks}
    status = "unready" if Outcome.FAIL in outcomes else "degraded" if Outcome.WARN in outcomes else "ready"
    shown = [{"name": check.name, "outcome": check.outcome} for check in checks] if verbose is not None else None
    return answer_json(503 if status == "unready" else 200, {"status": status, "checks": shown})


@router.get("/metrics", **METRICS.route())
async def read_metrics(request: Request) -> Response:
    """Numbers only: no id, reference, name or target is a label.

    Without a token of a monitoring role only the process and the broker are told of: how many requests there are is
    nobody else's business. A node without its database tells just as much.
    """
    runtime = runtime_of(request)
    set_gauges_of_process(runtime)
    everything = False
    try:
        everything = await _may_see_everything(request, runtime)
        if everything:
            set_gauges(runtime, await count(runtime))
            set_gauges_of_peers(runtime, await count_peers(runtime))
            set_gauges_of_clocks(runtime, await count_clocks(runtime))
    except (DBAPIError, PoolTimeout, OSError) as fault:
        runtime.log.warning("metrics_without_database", error=type(fault).__name__)
    registry = runtime.metrics.registry
    told = registry if everything else registry.restricted_registry(OPEN_METRICS)
    return Response(generate_latest(told), headers={**NO_STORE, "Content-Type": CONTENT_TYPE_LATEST})


async def _may_see_everything(request: Request, runtime: Runtime) -> bool:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    try:
        async with reading(runtime.engine) as session:
            caller = await authenticate(session, credential, now=runtime.clock())
    except TokenRefused as refused:
        await note_refusal(runtime, request, credential=credential, refused=refused)
        return False
    return caller.role in MONITORING
