"""One world for all scenarios: XA, XT and XS, whose clock only goes forward, and what their databases hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.world.conftest import lasting_tokens
from tests.world.keeping import kept_world
from tests.world.ledger import open_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import PostgresServer
    from tests.support.world import World
    from tests.world.ledger import Ledger


@pytest.fixture(scope="package")
async def scenario_world(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Three contact points; their people's tokens outlast the months that scenarios take. Keys last a year."""
    async with kept_world(postgres, tmp_path_factory.mktemp("scenarios"), ("XA", "XT", "XS")) as made:
        lasting = {code: replace(node, tokens=await lasting_tokens(node)) for code, node in made.nodes.items()}
        yield replace(made, nodes=lasting)


@pytest.fixture(scope="package")
async def scenario_ledger(scenario_world: World) -> AsyncIterator[Ledger]:
    """What the databases of `scenario_world` hold."""
    async with open_ledger(scenario_world) as opened:
        yield opened
