"""The directory changes while the node runs: the file is followed, and what follows from it is done at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.bus.supervise import pause
from app.db import receipts
from app.db.engine import begin
from app.errors import SettingsUnusable
from app.keystore import check_named, read_directory_file, stamp_of
from app.services.adopt_directory import adopt_directory
from app.services.effects import EFFECTS
from app.services.retry_quarantined import retry_with_directory
from app.services.sign_again import sign_again

if TYPE_CHECKING:
    from datetime import datetime

    from app.runtime import Runtime

LOOK_SECONDS = 2.0
"""Between two looks at the file of the directory."""

TRUST_REST = timedelta(minutes=1)
"""Until it is looked again whether a relay signed something with a key at the moment it was revoked."""


@dataclass(slots=True)
class DirectoryWatch:
    """Follows the file of the directory while the node runs. `stamp` is that of the file that was looked at last."""

    runtime: Runtime
    stamp: tuple[int, ...] | None = None

    async def look(self) -> bool:
        """Take a new version into use; returns whether there was one.

        What cannot be read, is older than what this node has worked with, or leaves this contact point out, changes
        nothing but an alarm: the node goes on with the directory it has, and never stops for this.
        """
        runtime, path = self.runtime, self.runtime.directory_file
        stamp = await asyncio.to_thread(stamp_of, path)
        if stamp == self.stamp:
            return False
        try:
            read = await asyncio.to_thread(read_directory_file, path)
            check_named(read.directory, code=runtime.node.code)
            node = replace(runtime.node, directory=read.directory)
            async with begin(runtime.chores) as session:
                await adopt_directory(session, node, read.digest, now=runtime.clock())
        except SettingsUnusable as fault:
            self._refuse(stamp, fault)
            return False
        self.stamp = stamp
        is_other = read.directory.version != runtime.node.directory.version
        runtime.trust.adopt(read.directory)
        runtime.metrics.directory_refused.set(0)
        runtime.metrics.directory_version.set(read.directory.version)
        if is_other:
            runtime.log.info("directory_adopted", version=read.directory.version)
        return is_other

    async def follow(self) -> None:
        """Look every few seconds until the stop: for a process that serves the gateway and runs no loops."""
        while not self.runtime.stopping.is_set():
            try:
                await self.look()
            except (DBAPIError, PostgresError, PoolTimeout, OSError) as fault:
                self.runtime.log.warning("directory_not_looked_at", error=type(fault).__name__)
            await pause(LOOK_SECONDS, self.runtime.stopping)

    def _refuse(self, stamp: tuple[int, ...] | None, fault: SettingsUnusable) -> None:
        self.stamp = stamp
        self.runtime.trust.refuse(fault.code)
        self.runtime.metrics.directory_refused.set(1)
        self.runtime.log.error("directory_refused", code=fault.code, error=fault.detail)


@dataclass(slots=True)
class Trusting:
    """Follows the directory, and does what follows from it: at once after a change, and now and then."""

    runtime: Runtime
    watch: DirectoryWatch
    due_at: datetime | None = None

    async def once(self) -> bool:
        """Look at the file of the directory; never finds more to do."""
        changed, now = await self.watch.look(), self.runtime.clock()
        if changed or self.due_at is None or self.due_at <= now:
            await self._follow(changed=changed)
            self.due_at = now + TRUST_REST
        return False

    async def _follow(self, *, changed: bool) -> None:
        """Sign again what is under a key of ours that is revoked; let in what waited for this directory."""
        runtime = self.runtime
        signed = 1
        while signed:
            now = runtime.clock()
            async with begin(runtime.chores) as session:
                signed = await sign_again(session, runtime.node, runtime.trust.sealing(now), now=now)
            if signed:
                runtime.wake.ring()
        if changed or self.due_at is None:
            await self._let_in()
        if changed:
            # Peers that were unknown or had no key may have one now.
            async with begin(runtime.chores) as session:
                await receipts.hasten_troubled(session, now=runtime.clock())
            runtime.wake.ring()

    async def _let_in(self) -> None:
        runtime, after = self.runtime, 0
        while True:
            async with begin(runtime.chores) as session:
                now = runtime.clock()
                last = await retry_with_directory(session, runtime.node, effects=EFFECTS, after=after, now=now)
            if last is None:
                return
            # Commit point. A crash here leaves the others waiting: the next start looks at all of them again.
            after = last
            runtime.wake.ring()
