"""One person at one node, speaking HTTP as any client would."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

from app.errors import CounterpartError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

POLL_SECONDS = 0.1
"""Between two looks at a thing that is awaited."""

REQUEST_TIMEOUT_SECONDS = 10.0


class StepFailed(CounterpartError):
    """What was expected, and what was seen instead."""

    def __init__(self, detail: str) -> None:
        super().__init__("step_failed", detail)


def open_line(url: str) -> httpx.AsyncClient:
    """Connections to one node. A proxy that the environment names is for the world outside this machine."""
    return httpx.AsyncClient(base_url=url, timeout=REQUEST_TIMEOUT_SECONDS, trust_env=False)


@dataclass(frozen=True, slots=True)
class Person:
    """A token at a node, and the line to it."""

    node: str
    http: httpx.AsyncClient
    token: str = field(repr=False)

    async def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - a JSON document
        """The JSON answer of a GET; anything but 200 fails the step."""
        return await self._send("GET", path, params=query)

    async def post(self, path: str, document: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a JSON document
        """The JSON answer of a POST under a new Idempotency-Key; anything but 2xx fails the step."""
        return await self._send("POST", path, json=document, headers={"Idempotency-Key": str(uuid4())})

    async def refused(self, path: str, document: Mapping[str, Any], *, status: int) -> str:
        """The code of a POST that must be refused with this status; any other answer fails the step."""
        answer = await self._reach("POST", path, json=document, headers={"Idempotency-Key": str(uuid4())})
        if answer.status_code != status:
            raise StepFailed(f"POST {path} at {self.node}: {answer.status_code}, not {status}")
        return _code(answer)

    async def text(self, path: str, **query: str) -> str:
        """The text answer of a GET."""
        return (await self._answer("GET", path, params=query)).text

    async def awaited(self, path: str, holds: Callable[[Any], bool], *, seconds: float, what: str) -> Any:  # noqa: ANN401 - a JSON document
        """Look again until `holds`, for at most `seconds`."""
        seen: Any = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    seen = await self.get(path)
                    if holds(seen):
                        return seen
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            state = seen.get("state") if isinstance(seen, dict) else None
            said = f"; last seen state {state}" if state else ""
            raise StepFailed(f"{what}: not within {seconds:.0f} s at {self.node}{said}") from None

    async def _send(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - a JSON document
        answer = await self._answer(method, path, **options)
        try:
            return answer.json()
        except ValueError:
            raise StepFailed(f"{method} {path} at {self.node}: the answer is no JSON") from None

    async def _answer(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own options
        answer = await self._reach(method, path, **options)
        if not answer.is_success:
            raise StepFailed(f"{method} {path} at {self.node}: {answer.status_code} {_code(answer)}".rstrip())
        return answer

    async def _reach(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own options
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        try:
            return await self.http.request(method, path, headers=headers, **options)
        except httpx.TransportError as failure:
            raise StepFailed(f"{self.node} does not answer ({type(failure).__name__})") from failure


def _code(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return ""
    if not isinstance(problem, dict):
        return ""
    codes = [problem.get("code", "")] + [f"{e.get('pointer')} {e.get('code')}" for e in problem.get("errors", [])]
    return ", ".join(code for code in codes if code)
