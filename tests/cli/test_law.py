"""The law files from the shell: a copy to begin with, a check before it is put in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.law import packaged_law, packaged_texts
from tests.cli.shell import refusal, typed

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_written_folder_passes_the_check(tmp_path: Path) -> None:
    """The packaged files, byte for byte, and their digest."""
    folder = tmp_path / "new" / "law"
    assert (await typed("law", "write", "--out", folder, "--json")).row["files"] == len(packaged_texts())
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == packaged_texts()
    row = (await typed("law", "check", folder, "--json")).row
    assert (row["version"], row["digest"]) == (packaged_law().version, packaged_law().digest)
    refused = await refusal("law", "write", "--out", folder)
    assert "cannot be written" in refused


async def test_a_fault_is_told_before_it_stops_a_start(tmp_path: Path) -> None:
    """The same sentence as at a start: file, line, reason."""
    folder = tmp_path / "law"
    await typed("law", "write", "--out", folder)
    parties = folder / "parties.yaml"
    parties.write_text(parties.read_text("utf-8").replace("since: 2012-07-01", "since: 2012-07-32"), "utf-8")
    assert (await refusal("law", "check", folder)).startswith("parties.yaml, line 8: since: ")
