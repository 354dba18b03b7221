"""A node's database with channels, and ends that take what is sent through them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from app.db.engine import begin, reading
from app.db.events import Event, append_event
from app.db.notifications import Channel, add_channel
from app.db.tables_clocks import ChannelKind
from app.domain.codes import Tier
from app.domain.deadlines import Audience
from app.domain.directory import publish_directory
from app.keystore import create_keys, example_profile
from app.notify.collect import Teller, collect
from app.notify.deliver import Post, deliver
from app.notify.means import Means
from app.notify.webhook import write_secret
from app.services.identifiers import new_id
from tests.notify.receiver import Hook, Mailbox, open_hook, open_mailbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.domain.contact_points import ContactPoint
    from app.notify.deliver import Done

SECRET = write_secret(b"0123456789abcdef0123456789abcdef")


@dataclass(slots=True)
class Desk:
    """A node that notifies: its database, its means, its time."""

    engine: AsyncEngine
    folder: Path
    teller: Teller
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def announce(self, kind: str = "exchange.overdue", **data: Any) -> None:  # noqa: ANN401 - members of an event
        """An event of the clocks, of an exchange that is nowhere else."""
        members = {"step": "acknowledgement", "whose": "ours", "level": 100, "audience": "escalation", **data}
        event = Event(kind, "exchange", str(new_id()), None, {**members, "due_at": "2026-11-22T18:00:00.000Z"})
        async with begin(self.engine) as session:
            await append_event(session, event, now=self.now)

    async def add(
        self, target: str, audience: Audience = Audience.ESCALATION, *, tiers: tuple[Tier, ...] = tuple(Tier)
    ) -> Channel:
        """A channel; a webhook's secret lies in the folder."""
        kind = ChannelKind.MAIL if "@" in target else ChannelKind.WEBHOOK
        file = self.folder / "secret"
        file.write_text(SECRET)
        secret_file = None if kind is ChannelKind.MAIL else str(file)
        made = Channel(new_id(), kind, target, audience, tiers, secret_file, self.now)
        async with begin(self.engine) as session:
            assert await add_channel(session, made)
        return made

    async def collect(self) -> None:
        """Read the feed to its end."""
        while True:
            async with begin(self.engine) as session:
                if not await collect(session, self.teller, now=self.now):
                    return

    async def deliver(self, *, after: timedelta = timedelta()) -> list[Done]:
        """One round of sending, once so much time has passed."""
        self.now += after
        return await deliver(Post(self.engine, self.teller.means, lambda: self.now, self.stopping))

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Look into the database."""
        async with reading(self.engine) as session:
            return [tuple(row) for row in await session.execute(text(query))]

    async def failures(self) -> list[tuple[str, str]]:
        """Alarms in the feed: what stood in the way, and who was not told."""
        query = "SELECT data->>'trouble', data->>'audience' FROM event WHERE kind = 'notification.failed' ORDER BY id"
        return [(trouble, audience) for trouble, audience in await self.rows(query)]


@pytest.fixture(scope="session")
def point(tmp_path_factory: pytest.TempPathFactory) -> ContactPoint:
    """XT's own entry of the directory, with two escalation contacts."""
    now = datetime(2026, 11, 1, tzinfo=UTC)
    keys = create_keys(tmp_path_factory.mktemp("keys") / "XT", "XT", now=now, validity=timedelta(days=400))
    found = publish_directory([example_profile("XT")], {"XT": keys}, version=1, issued_at=now).point("XT")
    assert found is not None
    return found


@pytest.fixture
async def desk(engine: AsyncEngine, tmp_path: Path, point: ContactPoint) -> Desk:
    """XT, which may send webhooks without TLS and has no mail server; its feed is read up to now."""
    made = Desk(engine, tmp_path, Teller("XT", point, Means(link="https://desk.xt.example", plain=True)))
    await made.collect()
    return made


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    """An HTTP server that takes webhooks."""
    async with open_hook() as opened:
        yield opened


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server without encryption."""
    async with open_mailbox() as opened:
        yield opened
