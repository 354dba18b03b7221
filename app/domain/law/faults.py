"""What is wrong between rows, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule: the file without `.yaml`, the way to the row in it, the reason as half a sentence."""

    file: str
    location: tuple[str | int, ...]
    reason: str
