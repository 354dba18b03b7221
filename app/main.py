"""The gateway: one application over one open runtime."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI

from app import __version__
from app.routers import ROUTERS, openapi, ops, problems
from app.routers.edge import Edge
from app.routers.refused import keep_on_record

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Iterator

    from app.runtime import Runtime

KEEP_ALIVE_SECONDS = 30
"""How long an idle connection stays open for the next request."""


class Gateway(FastAPI):
    """The application, with its own description of itself."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made on first demand."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.describe(self)
        return self.openapi_schema


def create_app(runtime: Runtime) -> FastAPI:
    """The gateway of that contact point. The runtime outlives it: whoever opened the one closes it after the other."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        telling = asyncio.create_task(keep_on_record(runtime), name=f"refusals {runtime.node.code}")
        yield
        runtime.stopping.set()
        runtime.wake.ring()
        await telling

    app = Gateway(
        title="Counterpart",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"logs": False},
    )
    app.state.runtime = runtime
    problems.install(app)
    app.add_middleware(Edge, runtime=runtime)
    for router in ROUTERS:
        app.include_router(router)
    return app


def create_probes(runtime: Runtime) -> FastAPI:
    """The door of a process that only works: `/livez`, `/readyz` and `/metrics` as the gateway has them, no more."""
    app = FastAPI(
        title="Counterpart",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"logs": False},
    )
    app.state.runtime = runtime
    problems.install(app)
    app.add_middleware(Edge, runtime=runtime)
    app.include_router(ops.router)
    return app


class _Server(uvicorn.Server):
    """A server that leaves signals alone: one process may serve several nodes, and decides alone when to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_http(
    runtime: Runtime, listener: socket.socket, *, graceful_seconds: int, app: FastAPI | None = None
) -> None:
    """Answer on `listener` until `runtime.stopping` is set; then finish what is under way within `graceful_seconds`.

    `app` is the gateway of `runtime` unless another one is given.
    """
    config = uvicorn.Config(
        app or create_app(runtime),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=graceful_seconds,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listener]), name=f"gateway {runtime.node.code}")
    stopping = asyncio.create_task(runtime.stopping.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        server.should_exit = True
        await serving
