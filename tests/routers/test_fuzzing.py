"""The gateway against requests made from its own description: whatever is sent, it keeps its word and never breaks."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from fastapi import APIRouter, Response
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.main import serve_http
from app.routers.operations import Answered, Operation, Tag
from app.serving import listen_on
from app.workers import start_log
from tests.routers.clients import new_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from fastapi import FastAPI
    from schemathesis import Case
    from schemathesis.schemas import APIOperation

    from app.runtime import Runtime

EXAMPLES = 8
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SEATS = {"/v1/requests": "agency_officer", "/v1/monitoring": "monitor", "/v1/audit": "auditor"}
"""Whose token opens the most at the addresses that begin so; elsewhere the duty officer's."""


@pytest.fixture
async def base(gateway: FastAPI, runtime: Runtime) -> AsyncIterator[str]:
    """The gateway behind a real server, its audit log open."""
    await start_log(runtime)
    listener = listen_on("127.0.0.1", 0)
    serving = asyncio.create_task(serve_http(runtime, listener, graceful_seconds=5, app=gateway))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    runtime.stopping.set()
    await serving


def seat_for(path: str) -> str:
    """Whose token to use at `path`."""
    return next((seat for beginning, seat in SEATS.items() if path.startswith(beginning)), "duty_officer")


def send_many(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, *, base: str, token: str) -> int:
    """Send requests made from the description, or against it, and check each answer; how many were sent."""
    sent = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        nonlocal sent
        sent += 1
        headers = {"Authorization": f"Bearer {token}", **new_key()}
        answer = case.call(base_url=base, headers=headers, timeout=20)
        case.validate_response(answer, checks=CHECKS, excluded_checks=[])

    with suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
        send()
    return sent


def send_all(document: dict[str, Any], mode: GenerationMode, *, base: str, tokens: Mapping[str, str]) -> int:
    """Do so for every operation; how many were sent in all."""
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    return sum(send_many(one, mode, base=base, token=tokens[seat_for(one.path)]) for one in operations)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_gateway_keeps_its_word(
    base: str, gateway: FastAPI, tokens: Mapping[str, str], mode: GenerationMode
) -> None:
    """No request, made from the description or against it, gets a fault of ours or an answer not described."""
    sent = await asyncio.to_thread(send_all, gateway.openapi(), mode, base=base, tokens=tokens)
    assert sent > 50


async def test_broken_word_is_noticed(base: str, gateway: FastAPI, tokens: Mapping[str, str]) -> None:
    """A route that breaks, and one that answers what it did not announce, are found by the same requests."""
    router = APIRouter()
    said = Answered("A number.", int, {"one": 1})

    @router.get("/fragile", **Operation("breakFirst", Tag.REFERENCE, "Break", {200: said}).route())
    async def fragile(number: int) -> Response:
        """Break."""
        return Response(str(1 // (number - number)))

    @router.get("/unannounced", **Operation("surpriseFirst", Tag.REFERENCE, "Surprise", {200: said}).route())
    async def unannounced(number: int) -> Response:
        """Answer in words instead of numbers."""
        return Response(f"number {number}", media_type="text/plain")

    gateway.include_router(router)
    schema = schemathesis.openapi.from_dict(gateway.openapi())
    for path in ("/fragile", "/unannounced"):
        with pytest.raises(FailureGroup):
            await asyncio.to_thread(
                send_many, schema[path]["GET"], GenerationMode.POSITIVE, base=base, token=tokens["duty_officer"]
            )
