"""Play the scripted day step by step, and print what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from app.demo.client import StepFailed
from app.demo.script import steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.demo.day import Day, Step

WIDTH = 160
"""Columns of the table where the output is no terminal: one line per step for whoever reads it with a program."""


async def play(day: Day, script: Sequence[Step] | None = None) -> int:
    """Return 0 if every step of the script happened, else 1 after naming the first that did not."""
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console = Console(soft_wrap=True, width=WIDTH)
    table = Table(title="The scripted day", title_justify="left", box=None)
    for column in ("step", "what happened", "what was seen"):
        table.add_column(column)
    failure = None
    with console.status("") as status:
        for number, (what, deed) in enumerate(script or steps(), start=1):
            status.update(f"{number} {what}")
            try:
                seen = await deed(day)
            except StepFailed as fault:
                failure = f"Step {number} failed: {what}. {fault.detail}."
                seen = f"FAILED: {fault.detail}"
            table.add_row(str(number), what, seen)
            if failure is not None:
                break
    console.print(table)
    console.print(failure or "Every step happened.")
    return 0 if failure is None else 1
