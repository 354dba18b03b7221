"""Two living contact points that send each other files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.world.keeping import kept_world
from tests.world.ledger import open_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import PostgresServer
    from tests.support.world import World
    from tests.world.ledger import Ledger


@pytest.fixture(scope="module")
async def files_world(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """XA and XT; tests may move the clock by days."""
    async with kept_world(postgres, tmp_path_factory.mktemp("files"), ("XA", "XT")) as made:
        yield made


@pytest.fixture(scope="module")
async def files_ledger(files_world: World) -> AsyncIterator[Ledger]:
    """What the databases of `files_world` hold."""
    async with open_ledger(files_world) as opened:
        yield opened
