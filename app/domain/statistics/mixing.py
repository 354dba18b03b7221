"""How a count divides into kinds, so that neither a kind nor what the others leave over is a small number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Part:
    """So many of that value; `value` None are all values that are not named."""

    value: str | None
    count: int


def mix(counts: Mapping[str, int], *, least: int) -> tuple[Part, ...]:
    """The parts of the whole, the largest first, the unnamed rest last; empty if they cannot be told apart.

    Each part is at least `least`, and so is the rest: the whole and the named parts together tell nothing smaller.
    Where the kinds that are too small make a rest that is too small, the smallest that would be named joins them.
    """
    named = sorted(((count, value) for value, count in counts.items() if count >= least), reverse=True)
    rest = sum(count for count in counts.values() if count < least)
    while named and 0 < rest < least:
        rest += named.pop()[0]
    if not named:
        return ()
    shown = tuple(Part(value, count) for count, value in sorted(named, key=lambda one: (-one[0], one[1])))
    return (*shown, Part(None, rest)) if rest else shown
