"""What happens to every request, whatever it asks for: an id, a measurement, headers of the answer."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from uuid_utils import uuid7

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.runtime import Runtime

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
"""An id of a client's own that we take over. Anything else would carry a stranger's text into our log."""

UNROUTED = "none"
"""Operation of a request that met no route."""

ANY = "any"
"""Method of a request that no route takes."""


class Edge:
    """Gives each request an id, counts and times it, and keeps caches from holding answers.

    The outermost layer but for the framework's last resort. Pure ASGI: it neither buffers streams nor starts tasks.
    """

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = _request_id(scope)
        metrics = self._runtime.metrics
        began = time.perf_counter()
        status = 500

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _mark(message, scope)
            await send(message)

        try:
            with metrics.http_in_progress.track_inprogress():
                await self._app(scope, receive, send_marked)
        finally:
            operation = _operation(scope)
            # A method that no route takes is a stranger's word, and must not become a label.
            method = ANY if operation == UNROUTED or status == HTTPStatus.METHOD_NOT_ALLOWED else scope["method"]
            metrics.http_requests.labels(operation, method, str(status)).inc()
            metrics.http_duration.labels(operation, method).observe(time.perf_counter() - began)


def _request_id(scope: Scope) -> str:
    offered = Headers(scope=scope).get("x-request-id", "")
    return offered if REQUEST_ID.fullmatch(offered) else str(uuid7())


def _mark(start: Message, scope: Scope) -> None:
    headers = MutableHeaders(scope=start)
    headers["X-Request-Id"] = scope["request_id"]
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "no-store")


def _operation(scope: Scope) -> str:
    """The operation's id: a path would put ids of cases into labels."""
    return getattr(scope.get("route"), "operation_id", None) or UNROUTED
