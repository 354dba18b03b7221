"""Contact points that can be restored: fresh ones for each test, since a restore leaves nothing as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.services.effects import EFFECTS
from tests.envelope.parties import AURELIA, KITANO, SAHRAN
from tests.recovery.ground import restorable
from tests.support.peer import Clock, Peer
from tests.support.station import Station, open_station

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.recovery.ground import Ground
    from tests.support.postgres import Database, PostgresServer


@pytest.fixture
async def pair(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Ground]:
    """XA and XT."""
    async with restorable(postgres, tmp_path, ("XA", "XT")) as ground:
        yield ground


@pytest.fixture
async def three(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Ground]:
    """XA, XT and XS."""
    async with restorable(postgres, tmp_path, ("XA", "XT", "XS")) as ground:
        yield ground


@pytest.fixture
def clock() -> Clock:
    """The time of a test with a single node."""
    return Clock()


@pytest.fixture
async def station(database: Database, clock: Clock) -> AsyncIterator[Station]:
    """The node XT with this release's effects; it knows XA and XS."""
    urls = (database.url, database.owner_url)
    async with open_station(KITANO, AURELIA, SAHRAN, urls=urls, clock=clock, effects=EFFECTS) as opened:
        yield opened


@pytest.fixture
def aurelia(clock: Clock) -> Peer:
    """XA, foreign, and as honest as a test wants it."""
    return Peer(AURELIA, KITANO, clock)


@pytest.fixture
def kitano(clock: Clock) -> Peer:
    """XT itself as it was before it lost its memory: what it says to XA here, the node does not remember."""
    return Peer(KITANO, AURELIA, clock)
