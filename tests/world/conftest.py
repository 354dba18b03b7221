"""Whole contact points in one process, made once: what one test leaves behind, the next one must not mind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from app.db.engine import begin
from app.services.create_token import create_token
from tests.world.keeping import kept_world
from tests.world.ledger import open_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgres import PostgresServer
    from tests.support.world import LivingNode, World
    from tests.world.ledger import Ledger

YEARS = timedelta(days=1000)
"""How long tokens must last where months pass."""


WORLDS = ("world", "ageing_world", "edge_world")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let pytest run the tests of each world one after the other, and end it before the next begins.

    A world at rest still works: three at once would take the time of the tests.
    """
    asked = [name for name in WORLDS if name in metafunc.fixturenames]
    if asked:
        metafunc.parametrize("which_world", ["+".join(asked)], indirect=True, scope="session")


@pytest.fixture(scope="session")
def which_world(request: pytest.FixtureRequest) -> str:
    """The world that the test is about: what depends on it ends when another one's turn has come."""
    return str(request.param)


@pytest.fixture(scope="session")
async def world(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, which_world: str
) -> AsyncIterator[World]:
    """XA, XT and XS on the day of the examples. Its clock is never moved: there is `ageing_world` for that."""
    async with kept_world(postgres, tmp_path_factory.mktemp("world"), ("XA", "XT", "XS")) as made:
        yield made


@pytest.fixture(scope="session")
async def ageing_world(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, which_world: str
) -> AsyncIterator[World]:
    """XA and XT, whose clock tests may move on; within a year, since their keys last as long."""
    async with kept_world(postgres, tmp_path_factory.mktemp("ageing"), ("XA", "XT")) as made:
        lasting = {code: replace(node, tokens=await lasting_tokens(node)) for code, node in made.nodes.items()}
        yield replace(made, nodes=lasting)


@pytest.fixture(scope="session")
async def edge_world(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, which_world: str
) -> AsyncIterator[World]:
    """XA, XT and XS for what happens at the edges of an exchange, which takes weeks. A year is enough for these."""
    async with kept_world(postgres, tmp_path_factory.mktemp("edges"), ("XA", "XT", "XS")) as made:
        lasting = {code: replace(node, tokens=await lasting_tokens(node)) for code, node in made.nodes.items()}
        yield replace(made, nodes=lasting)


@pytest.fixture(scope="session")
async def ledger(world: World) -> AsyncIterator[Ledger]:
    """What the databases of `world` hold."""
    async with open_ledger(world) as opened:
        yield opened


@pytest.fixture(scope="session")
async def ageing_ledger(ageing_world: World) -> AsyncIterator[Ledger]:
    """What the databases of `ageing_world` hold."""
    async with open_ledger(ageing_world) as opened:
        yield opened


@pytest.fixture(scope="session")
async def edge_ledger(edge_world: World) -> AsyncIterator[Ledger]:
    """What the databases of `edge_world` hold."""
    async with open_ledger(edge_world) as opened:
        yield opened


async def lasting_tokens(node: LivingNode) -> dict[str, str]:
    """A token for each seat of the node that outlasts the months a test lets pass."""
    lasting = {}
    now = node.runtime.clock()
    for seat in node.tokens:
        person = (await node.as_(seat).get("/v1/me")).json()
        async with begin(node.runtime.engine) as session:
            created = await create_token(
                session, node.runtime.node, UUID(person["id"]), expires_at=now + YEARS, now=now
            )
        lasting[seat] = created.secret
    return lasting
