"""The wheel carries everything a node needs, and works far from any checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

HEAD = "from app.migrate import head_revision; import app; print(head_revision(), app.__file__)"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contents of a freshly built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("counterpart-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(code: str, site: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with the unpacked wheel before everything else, in a folder that is no checkout."""
    environment = {"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-B", "-c", code]
    return subprocess.run(command, cwd=site, env=environment, check=False, capture_output=True, text=True)


def test_wheel_finds_its_migrations(installed: Path) -> None:
    """The newest revision is known to an installed wheel, and is that of the checkout."""
    done = run(HEAD, installed)
    assert done.returncode == 0, done.stderr
    revision, place = done.stdout.split()
    assert Path(place).is_relative_to(installed)
    newest = max((ROOT / "migrations" / "versions").glob("*.py")).name
    assert newest.startswith(revision)


def test_missing_migrations_are_named(installed: Path, tmp_path: Path) -> None:
    """An installation without its migrations says so; it does not migrate to nothing."""
    copy = tmp_path / "site"
    copy.mkdir()
    shutil.copytree(installed / "app", copy / "app", ignore=shutil.ignore_patterns("migrations"))
    done = run(HEAD, copy)
    assert done.returncode != 0
    assert "migrations_missing" in done.stderr


def test_wheel_holds_data_and_no_tests(installed: Path) -> None:
    """Files that are no Python come along (styles, seeds), and nothing beside the package does."""
    tops = {path.name.split("-")[0] for path in installed.iterdir()}
    assert tops == {"app", "counterpart"}
    packed = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    for folder in ("static", "data"):
        mine = {str(path.relative_to(ROOT)) for path in (ROOT / "app" / folder).rglob("*") if path.is_file()}
        assert {path for path in mine if "__pycache__" not in path} <= packed


def test_wheel_names_its_command(installed: Path) -> None:
    """The command is called `counterpart`."""
    (entry,) = installed.glob("counterpart-*.dist-info/entry_points.txt")
    assert "counterpart = app.cli:main" in entry.read_text()
