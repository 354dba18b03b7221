"""Play the scripted day step by step, and print what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from app.demo.client import StepFailed
from app.demo.script import steps

if TYPE_CHECKING:
    from app.demo.script import Day


async def play(day: Day) -> int:
    """Return 0 if every step happened, else 1 after naming the first that did not."""
    table = Table(title="The scripted day", title_justify="left", box=None)
    for column in ("step", "what happened", "what was seen"):
        table.add_column(column)
    failure = None
    for number, (what, deed) in enumerate(steps(), start=1):
        try:
            seen = await deed(day)
        except StepFailed as fault:
            failure = f"Step {number} failed: {what}. {fault}."
            table.add_row(str(number), what, f"FAILED: {fault}")
            break
        table.add_row(str(number), what, seen)
    console = Console(soft_wrap=True)
    console.print(table)
    console.print(failure or "Every step happened.")
    return 0 if failure is None else 1
