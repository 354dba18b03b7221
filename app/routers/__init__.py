"""HTTP: parse, call one service, answer. `ROUTERS` is the list of everything this node answers to."""

from __future__ import annotations

from app.routers import audit, docs, events, exchanges, holds, me, monitoring, ops, request_types, requests

ROUTERS = (
    requests.router,
    exchanges.router,
    holds.router,
    events.router,
    audit.router,
    request_types.router,
    me.router,
    monitoring.router,
    ops.router,
    docs.router,
)
