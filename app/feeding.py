"""What a node does about files beside its messages: it feeds their chunks to the outbox, and tidies up what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.bus.supervise import pause as wait
from app.db import files
from app.db.engine import begin
from app.domain.files import UNNAMED_KEPT
from app.services.complete_file import SWEEP, complete_arrived
from app.services.feed_files import feed_files

if TYPE_CHECKING:
    from app.runtime import Runtime

AT_LEAST_EVERY = 1.0
"""Seconds until a file that is on its way is looked at, though nothing was committed in this process."""


async def feed(runtime: Runtime) -> bool:
    """Queue the next chunks of our files; True while files are on their way, after waiting for something to change.

    What makes room for another chunk is a receipt, and its commit rings the bell.
    """
    bell = runtime.wake.bell()
    async with begin(runtime.chores) as session:
        fed = await feed_files(session, runtime.node, now=runtime.clock())
    if fed.queued:
        runtime.wake.ring()
    elif fed.leaving:
        await wait(AT_LEAST_EVERY, bell, runtime.stopping)
    return fed.leaving > 0


async def tidy_files(runtime: Runtime) -> bool:
    """Compare files that slipped through when chunk and name came at once; forget chunks that no message ever named."""
    now = runtime.clock()
    async with begin(runtime.chores) as session:
        compared = await complete_arrived(session, runtime.node, now=now)
    async with begin(runtime.chores) as session:
        await files.drop_unnamed(session, before=now - UNNAMED_KEPT)
    return compared == SWEEP
