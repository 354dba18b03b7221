"""Kitano is the node under test; Aurelia is foreign, and changes its signing key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.envelope.parties import AURELIA, KITANO, SAHRAN
from tests.keys.rotation import Rotation, rotation_of
from tests.support.peer import Clock, Peer
from tests.support.station import Station, open_station

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import Database


@pytest.fixture
def clock() -> Clock:
    """The time of the test."""
    return Clock()


@pytest.fixture
async def station(database: Database, clock: Clock) -> AsyncIterator[Station]:
    """The node XT, which knows XA and XS."""
    async with open_station(KITANO, AURELIA, SAHRAN, urls=(database.url, database.owner_url), clock=clock) as opened:
        yield opened


@pytest.fixture
def rotation(station: Station, clock: Clock) -> Rotation:
    """XT and XA, of which three signing keys are published and none is revoked."""
    return rotation_of(station, Peer(AURELIA, KITANO, clock))
