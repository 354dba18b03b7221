"""HTTP clients of a gateway in this process, each with the token of one seat."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastapi import FastAPI

    from app.runtime import Runtime

BASE = "http://gateway.example"


@dataclass(frozen=True, slots=True)
class Clients:
    """Makes clients; `tokens` are by seat (see `app/demo/seed.py`). Errors of the application become answers."""

    app: FastAPI
    tokens: Mapping[str, str]
    opened: list[httpx.AsyncClient] = field(default_factory=list)

    def __call__(self, seat: str | None = None) -> httpx.AsyncClient:
        """A client that speaks for `seat`, or for nobody."""
        headers = {} if seat is None else {"Authorization": f"Bearer {self.tokens[seat]}"}
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)
        self.opened.append(client)
        return client


def new_key() -> dict[str, str]:
    """A header with a key that was never used."""
    return {"Idempotency-Key": str(uuid4())}


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that `answer` is a problem document of that status and code, complete, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["type"] == f"urn:counterpart:problem:{code}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["origin"] == ("this_node" if status >= 500 else "client")
    assert {"title", "detail", "instance", "errors"} <= problem.keys()
    assert answer.headers["cache-control"] == "no-store"
    return problem


async def until(happened: Callable[[], bool]) -> None:
    """Let the others go on until it happened; fails after ten seconds."""
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110 - what is waited for is a number of the application's own
            await asyncio.sleep(0)


def in_progress(runtime: Runtime) -> float | None:
    """Requests that the gateway is answering."""
    return runtime.metrics.registry.get_sample_value("counterpart_http_requests_in_progress")
