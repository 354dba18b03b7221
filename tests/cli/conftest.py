"""A node of its operator: keys, directory and a settings file, on a database of its own. Nothing of it runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from app.domain.directory import publish_directory
from app.keystore import create_keys, example_profile, write_directory

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.postgres import Database

CODES = ("XA", "XT")


@dataclass(frozen=True, slots=True)
class Office:
    """Where XA's operator works."""

    folder: Path

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "XA.toml"

    def set(self, **settings: str | int) -> Path:
        """Write the settings file anew, these settings in place of what it said; returns it."""
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in (self.settings() | settings).items()]
        self.config.write_text("".join(lines))
        return self.config

    def settings(self) -> dict[str, str | int]:
        """What a node needs that the settings file may already say."""
        if self.config.exists():
            pairs = [line.split(" = ", 1) for line in self.config.read_text().splitlines()]
            return {name: json.loads(value) for name, value in pairs}
        return {
            "code": "XA",
            "profile": "demo",
            "amqp_url": "memory:",
            "keys_dir": str(self.folder / "XA" / "keys"),
            "directory": str(self.folder / "directory.json"),
            "anchor": str(self.folder / "anchor"),
            "http_port": 0,
        }


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of both contact points and the directory that publishes them: made once, read by all."""
    folder = tmp_path_factory.mktemp("published")
    now = datetime.now(UTC) - timedelta(days=1)
    keys = {code: create_keys(folder / code / "keys", code, now=now, validity=timedelta(days=400)) for code in CODES}
    profiles = [example_profile(code) for code in CODES]
    write_directory(folder / "directory.json", publish_directory(profiles, keys, version=1, issued_at=now))
    return folder


def located(published: Path) -> dict[str, str | int]:
    """The settings that say where keys and directory are."""
    return {"keys_dir": str(published / "XA" / "keys"), "directory": str(published / "directory.json")}


@pytest.fixture
def empty_office(published: Path, tmp_path: Path) -> Office:
    """Settings without a database."""
    office = Office(tmp_path)
    office.set(**located(published))
    return office


@pytest.fixture
def office(empty_office: Office, database: Database) -> Office:
    """Settings of a node whose database is migrated and empty."""
    empty_office.set(database_url=database.url)
    return empty_office
