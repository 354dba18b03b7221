"""One network of node processes per module, and how long each test took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.e2e.ground import Ground, Network

CODES = ("XA", "XT", "XS")
LIVING = ("XA", "XT")


@pytest.fixture(scope="module")
async def network(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """XA and XT with databases and people, XS with keys and an account only; nothing runs yet."""
    async with ground.network(tmp_path_factory.mktemp("network"), CODES, living=LIVING) as built:
        yield built


@pytest.fixture(autouse=True)
def seconds(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Say how long the test took."""
    begun = time.monotonic()
    yield
    with capsys.disabled():
        print(f" {time.monotonic() - begun:.1f} s ", end="")  # noqa: T201 - to whoever runs the tests
