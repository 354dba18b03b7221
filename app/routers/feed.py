"""How a reader follows the feed of events: places sealed, visibility by role, waiting without holding a connection."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db.engine import reading
from app.db.events import START, Position, Scope, StoredEvent, end_of_feed, events_after
from app.domain.codes import Role
from app.envelope.format import decode_part, encode_part
from app.routers.deps import AGENCY
from app.routers.listing import bad_cursor
from app.runtime import Runtime
from app.services.node import Actor

LATEST = "latest"
PLACE = struct.Struct(">QQ")
BOUND_TO = [b"place in the feed"]

MAX_WAIT_SECONDS = 30
WAIT = re.compile(r"(?:^|[\s,;])wait=(\d{1,4})(?:$|[\s,;])", re.ASCII)

POLL_SECONDS = 0.5
"""How often we look although nobody rang: another process may have committed, or an older transaction just ended."""

KEEPALIVE_SECONDS = 15.0
"""Silence after which a stream sends a comment, so that proxies keep it open."""

MAX_STREAM_SECONDS = 300.0
"""Age at which a stream ends. Its reader comes back with a token that is checked again."""

SEES_EVERYTHING = frozenset({Role.DUTY_OFFICER, Role.SUPERVISOR, Role.AUDITOR})
OF_THE_NODE = frozenset({"contact_point", "directory", "node"})
"""Subjects that concern no case: all that monitors, registrars and administrators see."""


def scope_of(actor: Actor) -> Scope:
    """What this caller may see of the feed."""
    if actor.role in SEES_EVERYTHING:
        return Scope(everything=True)
    if actor.role in AGENCY and actor.agency_id is not None:
        return Scope(agency_id=actor.agency_id)
    return Scope(subject_kinds=OF_THE_NODE)


def asked_wait(prefer: str | None) -> int:
    """Seconds of `Prefer: wait=N` (RFC 7240), at most what we grant; 0 without it, and for what cannot be read."""
    found = WAIT.search(prefer or "")
    return min(int(found[1]), MAX_WAIT_SECONDS) if found else 0


@dataclass(frozen=True, slots=True)
class Feed:
    """The feed as one reader sees it."""

    runtime: Runtime
    scope: Scope

    def seal(self, position: Position) -> str:
        """A place as text that tells nothing: its numbers would betray how much others do."""
        return encode_part(AESSIV(self.runtime.feed_key).encrypt(PLACE.pack(*position), BOUND_TO))

    async def place(self, after: str | None) -> Position:
        """The place that `after` means. Raises Refused for one that this node did not seal."""
        if after is None:
            return START
        if after == LATEST:
            async with reading(self.runtime.engine) as session:
                return await end_of_feed(session)
        try:
            place = AESSIV(self.runtime.feed_key).decrypt(decode_part(after), BOUND_TO)
            return Position(*PLACE.unpack(place))
        except (ValueError, InvalidTag):
            raise bad_cursor("after") from None

    async def read(self, position: Position, limit: int) -> Sequence[StoredEvent]:
        """What there is behind `position` now."""
        async with reading(self.runtime.engine) as session:
            return await events_after(session, position, scope=self.scope, limit=limit)

    async def wait(self, position: Position, limit: int, *, seconds: float) -> Sequence[StoredEvent]:
        """What there is behind `position` as soon as there is something; nothing after `seconds`, or when we stop."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            bell = self.runtime.wake.bell()
            if self.runtime.stopping.is_set():
                return ()
            found = await self.read(position, limit)
            left = deadline - loop.time()
            if found or left <= 0:
                return found
            await _until(bell, min(POLL_SECONDS, left))

    async def stream(self, position: Position, limit: int) -> AsyncIterator[Sequence[StoredEvent]]:
        """Batches of events as they come, an empty one after each silence.

        It ends by age, when the node stops, or when the database is away; its reader comes back. A reader who leaves
        cancels the wait; the query under way is left to end by itself, since a cancelled one may spoil its connection.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + MAX_STREAM_SECONDS
        while loop.time() < end and not self.runtime.stopping.is_set():
            try:
                found = await asyncio.shield(self.wait(position, limit, seconds=KEEPALIVE_SECONDS))
            except (DBAPIError, PoolTimeout, OSError):
                return
            position = found[-1].position if found else position
            yield found


async def _until(bell: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await bell.wait()
    except TimeoutError:
        return
