"""Dying on purpose: only where it was ordered, and at once."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from app.crashing import KILLED, Crash, CrashPoint


def ends_with(crash: Crash, point: CrashPoint) -> int:
    """The exit code of a process that comes by this place and then ends by itself."""
    child = os.fork()
    if child == 0:
        try:
            crash.here(point)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("point", CrashPoint)
def test_a_process_dies_where_it_was_told_to(point: CrashPoint) -> None:
    """It dies at its own place, without running what it was to run at its end, and comes by all others."""
    assert ends_with(Crash(point), point) == KILLED
    assert {ends_with(Crash(point), other) for other in CrashPoint if other is not point} == {0}


def test_without_an_order_nothing_dies() -> None:
    """A node that rehearses nothing comes by every place."""
    assert {ends_with(Crash(), point) for point in CrashPoint} == {0}


def test_every_place_is_documented() -> None:
    """The table in docs/delivery.md has one row for each place, and none that there is not."""
    table = (Path(__file__).resolve().parents[1] / "docs" / "delivery.md").read_text().partition("### Crash points")[2]
    rows = re.findall(r"^\| `([a-z_]+)` \|", table.partition("\n## ")[0], re.MULTILINE)
    assert sorted(rows) == sorted(CrashPoint)
