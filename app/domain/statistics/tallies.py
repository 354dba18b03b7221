"""Samples of one month put together, so that no case is left in them: what a node keeps when the month is over."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING

from app.domain.statistics.months import Month, month_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.domain.codes import Direction
    from app.domain.statistics.samples import Measure, Sample

UNTOLD = "unknown"
"""The value, in every dimension, of a case of which it is not known."""

DIGITS = 2
"""Of a time that are kept: nobody is found by the exact second of an act."""


@dataclass(frozen=True, slots=True)
class Tally:
    """`count` cases of one measure, direction and contact point in one month.

    `seconds` is what it took, of those that took a time, ascending. In `labels` the counts of each dimension make
    `count` together.
    """

    measure: Measure
    direction: Direction
    peer: str
    month: Month
    count: int
    seconds: tuple[int, ...]
    labels: Mapping[str, Mapping[str, int]]


def tally(samples: Iterable[Sample]) -> list[Tally]:
    """One tally for each measure, direction, contact point and month that there is a sample of."""
    groups: defaultdict[tuple[Measure, Direction, str, Month], list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.measure, sample.direction, sample.peer, month_of(sample.at)].append(sample)
    return [
        Tally(
            *place,
            count=len(group),
            seconds=tuple(sorted(rounded(one.seconds) for one in group if one.seconds is not None)),
            labels=_labels(group),
        )
        for place, group in groups.items()
    ]


def together(tallies: Iterable[Tally]) -> tuple[int, tuple[int, ...], dict[str, Counter[str]]]:
    """Count, times and labels of several tallies of one measure."""
    total = 0
    seconds: list[int] = []
    labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in tallies:
        total += one.count
        seconds += one.seconds
        for dimension, counts in one.labels.items():
            labels[dimension].update(counts)
    return total, tuple(sorted(seconds)), dict(labels)


def rounded(seconds: float) -> int:
    """To two digits and whole seconds; what a clock that was behind made negative is 0."""
    if seconds < 1:
        return 0
    return round(round(seconds, min(0, DIGITS - 1 - floor(log10(seconds)))))


def _labels(group: list[Sample]) -> dict[str, Counter[str]]:
    labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sample in group:
        for dimension, value in sample.labels:
            labels[dimension][value] += 1
    for counts in labels.values():
        missing = len(group) - counts.total()
        if missing:
            # What lies between the whole and a sum over some of it would be told by subtraction.
            counts[UNTOLD] += missing
    return dict(labels)
