"""Refused tokens at the gateway: counted at once, put on record soon, and never a way to make this node write."""

from __future__ import annotations

import asyncio

from fastapi import Request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.bus.supervise import pause
from app.db.engine import begin
from app.runtime import Runtime
from app.services.authenticate import TokenRefused
from app.services.tell_refusals import INTERVAL, tell_refusals

LONGEST_SECONDS = 5.0
"""A stop waits no longer than this for a database that does not answer."""


async def note_refusal(runtime: Runtime, request: Request, *, credential: str, refused: TokenRefused) -> None:
    """Count a refusal, and put it on record unless a fact was written in the last minutes: then a later one tells."""
    runtime.metrics.auth_attempts.labels(outcome="refused").inc()
    source = None if request.client is None else request.client.host
    runtime.refused.note(credential, refused, source=source, now=runtime.clock())
    await put_on_record(runtime)


async def put_on_record(runtime: Runtime, *, at_once: bool = False) -> None:
    """Write what is to be told by now, if anything is. Without its database a node goes on; the count is in its log."""
    now = runtime.clock()
    taken = runtime.refused.take(now, at_once=at_once)
    if taken is None:
        return
    try:
        async with asyncio.timeout(LONGEST_SECONDS), begin(runtime.engine) as session:
            await tell_refusals(session, runtime.node, taken, now=now)
    except (DBAPIError, PoolTimeout, OSError) as fault:
        runtime.log.warning("refusals_not_told", count=taken.count, error=type(fault).__name__)


async def keep_on_record(runtime: Runtime) -> None:
    """Tell what came after the last fact once its interval is over, and the rest when the node stops."""
    while not runtime.stopping.is_set():
        await pause(INTERVAL.total_seconds(), runtime.stopping)
        await put_on_record(runtime, at_once=runtime.stopping.is_set())
