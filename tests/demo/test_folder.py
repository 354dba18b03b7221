"""The demo's folder belongs to one demo at a time, and after it to nobody."""

from __future__ import annotations

import json
import os
import shlex
import stat
from pathlib import Path

import pytest

from app.demo.folder import held_folder
from app.demo.shown import filing_line
from app.errors import SettingsUnusable
from tests.cli.shell import refusal
from tests.demo.stage import three_ports

ACCESS = {"nodes": {"XA": {"url": "http://127.0.0.1:8000", "tokens": {"monitor": "cp_1_2"}}}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the folder is to be."""
    return tmp_path / "new" / "demo"


def test_a_folder_is_made_and_left_empty(path: Path) -> None:
    """While it is held there is a private place for keys; afterwards the folder is there and empty."""
    with held_folder(path) as folder:
        assert stat.S_IMODE(folder.network.stat().st_mode) == 0o700
        (folder.network / "XA.toml").write_text("secret")
        folder.grant(ACCESS)
    assert list(path.iterdir()) == []


def test_access_appears_whole(path: Path) -> None:
    """`access.json` is there only once it says everything, readable by us alone whatever the umask."""
    umask = os.umask(0)
    try:
        with held_folder(path) as folder:
            assert not folder.access.exists()
            folder.grant(ACCESS)
            assert stat.S_IMODE(folder.access.stat().st_mode) == 0o600
            assert json.loads(folder.access.read_text()) == ACCESS
            assert sorted(each.name for each in path.iterdir()) == ["access.json", "network"]
    finally:
        os.umask(umask)


def test_what_a_killed_demo_left_is_removed(path: Path) -> None:
    """Keys of a former run go, and so do its tokens: nobody lives there any more."""
    (path / "network" / "XA" / "keys").mkdir(parents=True)
    (path / "network" / "directory.json").write_text("{}")
    (path / "access.json").write_text("{}")
    with held_folder(path) as folder:
        assert not folder.access.exists()
        assert list(folder.network.iterdir()) == []


def test_files_of_others_are_left_alone(path: Path) -> None:
    """A `network` that holds anything a demo never writes is not removed: the folder was named by mistake."""
    (path / "network").mkdir(parents=True)
    (path / "network" / "thesis.txt").write_text("years of work")
    (path / "notes.txt").write_text("mine")
    with pytest.raises(SettingsUnusable, match="holds other things; name another folder"), held_folder(path):
        pass
    assert (path / "network" / "thesis.txt").read_text() == "years of work"
    assert (path / "notes.txt").exists()


def test_one_demo_at_a_time(path: Path) -> None:
    """While one demo holds the folder a second is refused, and nothing of the first is touched; then it may."""
    with held_folder(path) as folder:
        folder.grant(ACCESS)
        with pytest.raises(SettingsUnusable, match="Another demo runs in"), held_folder(path):
            pass
        assert json.loads(folder.access.read_text()) == ACCESS
    with held_folder(path):
        pass


BLOCKED = {
    "a file": lambda folder: folder.write_text(""),
    "below a file": lambda folder: folder.parent.write_text(""),
}


@pytest.mark.parametrize("way", BLOCKED)
async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, way: str) -> None:
    """One sentence names the folder, before anything is started."""
    folder = tmp_path / "blocked" / "demo" if way == "below a file" else tmp_path / "demo"
    BLOCKED[way](folder)
    sentence = await refusal("demo", "--port", str(three_ports()), "--folder", folder)
    assert str(folder) in sentence
    assert "cannot be written" in sentence


async def test_a_file_system_that_nobody_may_write_is_named() -> None:
    """Also for root there are places where no folder can be made."""
    assert "/proc/demo cannot be written" in await refusal(
        "demo", "--port", str(three_ports()), "--folder", "/proc/demo"
    )


def test_the_line_to_type_survives_any_folder() -> None:
    """Wherever the example lies, the printed line is one command for a shell."""
    document = Path("it's a folder/$HOME; rm -rf *.json")
    words = shlex.split(filing_line("http://127.0.0.1:8000", "cp_1_2", document))
    assert words[0] == "curl"
    assert words[-2:] == ["--data", f"@{document}"]
