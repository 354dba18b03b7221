"""HTTP: parse, call one service, answer. `ROUTERS` is the list of everything this node answers to."""

from __future__ import annotations

from app.routers import (
    asyncapi,
    audit,
    docs,
    events,
    exchanges,
    fallback,
    holds,
    me,
    monitoring,
    monitoring_bus,
    monitoring_checks,
    monitoring_inbox,
    monitoring_outbox,
    monitoring_peers,
    monitoring_traffic,
    ops,
    request_types,
    requests,
)

ROUTERS = (
    requests.router,
    exchanges.router,
    fallback.router,
    holds.router,
    events.router,
    audit.router,
    request_types.router,
    me.router,
    monitoring.router,
    monitoring_checks.router,
    monitoring_peers.router,
    monitoring_outbox.router,
    monitoring_inbox.router,
    monitoring_bus.router,
    monitoring_traffic.router,
    ops.router,
    docs.router,
    asyncapi.router,
)
