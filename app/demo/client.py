"""One person at one node, speaking HTTP as any client would."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

POLL_SECONDS = 0.1
"""Between two looks at a thing that is awaited."""

REQUEST_TIMEOUT_SECONDS = 10.0


class StepFailed(Exception):
    """What was expected, and what was seen instead."""


@dataclass(frozen=True, slots=True)
class Person:
    """A token at a node's address."""

    node: str
    url: str
    token: str

    async def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - a JSON document
        """The JSON answer of a GET; anything but 200 fails the step."""
        return await self._send("GET", path, params=query)

    async def post(self, path: str, document: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a JSON document
        """The JSON answer of a POST under a new Idempotency-Key; anything but 2xx fails the step."""
        return await self._send("POST", path, json=document, headers={"Idempotency-Key": str(uuid4())})

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
        return (await self._answer(method, path, **options)).json()

    async def _answer(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own options
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        try:
            async with httpx.AsyncClient(base_url=self.url, timeout=REQUEST_TIMEOUT_SECONDS) as client:
                answer = await client.request(method, path, headers=headers, **options)
        except httpx.TransportError as failure:
            raise StepFailed(f"{self.node} does not answer ({type(failure).__name__})") from failure
        if not answer.is_success:
            raise StepFailed(f"{method} {path} at {self.node}: {answer.status_code} {_code(answer)}")
        return answer


def _code(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return ""
    codes = [problem.get("code", "")] + [f"{e.get('pointer')} {e.get('code')}" for e in problem.get("errors", [])]
    return ", ".join(code for code in codes if code)
