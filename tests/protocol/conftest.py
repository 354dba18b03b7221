"""Two real nodes and the ground that they stand on, for a third one that shares no code with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.ground import Ground, Network

LIVING = ("XA", "XT")


@pytest.fixture(scope="module")
async def network(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """XA and XT with databases, people and running processes; XS with keys and an account only."""
    async with ground.network(tmp_path_factory.mktemp("network"), (*LIVING, "XS"), living=LIVING) as built:
        for code in LIVING:
            built[code].start()
        for code in LIVING:
            await built[code].ready()
        yield built
