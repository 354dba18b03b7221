"""Tallies become figures, each of at least five cases, and no two figures of a measure share a case.

A figure is of one measure, one direction, one contact point and as many months as it takes. Months of a year are taken
in order; a period ends with the first month by which it holds enough. So every case is in one period at most: nothing
is left when one figure is subtracted from another, whatever months are asked for. Figures over months that a reader
chooses, or totals of rows and columns, could not be given beside them (ADR 0022).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import TYPE_CHECKING

from app.domain.statistics.mixing import Part, mix
from app.domain.statistics.months import Month
from app.domain.statistics.tallies import Tally, rounded, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from app.domain.codes import Direction
    from app.domain.statistics.samples import Measure

LEAST = 5
"""Cases in anything that is told (k-anonymity)."""

LEAST_FOR_P95 = 20
"""Below this the 95th percentile is the slowest case itself."""

JANUARY, DECEMBER = 1, 12


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds, to two digits; the 95th percentile (nearest rank) only where it is not a single case."""

    median: int
    p95: int | None


@dataclass(frozen=True, slots=True)
class Figure:
    """`count` cases from the start of `first` to the end of `last`. `peer` None: what is left of a year, of several.

    `mixes` has each dimension whose kinds can be told apart.
    """

    measure: Measure
    direction: Direction
    peer: str | None
    first: Month
    last: Month
    count: int
    times: Times | None
    mixes: Mapping[str, tuple[Part, ...]]


def figures(tallies: Iterable[Tally], *, final: Month) -> list[Figure]:
    """Every figure that may be told once `final` is the newest month of which nothing changes any more.

    `tallies` are all of some whole years: a figure is the same whenever it is asked for.
    """
    by_year: defaultdict[tuple[Measure, Direction, int], list[Tally]] = defaultdict(list)
    for one in tallies:
        if one.month <= final:
            by_year[one.measure, one.direction, one.month.year].append(one)
    found: list[Figure] = []
    for (_, _, year), of_year in by_year.items():
        left: list[list[Tally]] = []
        for of_peer in _by_peer(of_year):
            periods, rest = _periods(of_peer, year)
            found += [_figure(period, shown=of_peer[0].peer) for period in periods]
            left.append(rest)
        if final >= Month(year, DECEMBER) and _is_enough(left):
            whole = _Period(Month(year, JANUARY), Month(year, DECEMBER), [one for rest in left for one in rest])
            found.append(_figure(whole, shown=None))
    return sorted(found, key=lambda one: (one.measure, one.direction, one.peer is None, one.peer or "", one.first))


@dataclass(frozen=True, slots=True)
class _Period:
    first: Month
    last: Month
    tallies: list[Tally]


def _by_peer(tallies: Iterable[Tally]) -> list[list[Tally]]:
    found: defaultdict[str, list[Tally]] = defaultdict(list)
    for one in tallies:
        found[one.peer].append(one)
    return list(found.values())


def _periods(tallies: Sequence[Tally], year: int) -> tuple[list[_Period], list[Tally]]:
    """The periods of one year that hold enough, and what is left at its end."""
    periods: list[_Period] = []
    first = Month(year, JANUARY)
    held: list[Tally] = []
    for one in sorted(tallies, key=lambda one: one.month):
        held.append(one)
        if _size(held) >= LEAST:
            periods.append(_Period(first, one.month, held))
            first, held = one.month.after, []
    return periods, held


def _is_enough(left: Sequence[list[Tally]]) -> bool:
    """Whoever knows their own part of the rest of a year must not be able to tell a small number of the others'."""
    sizes = [_size(rest) for rest in left]
    return sum(sizes) - max(sizes) >= LEAST


def _size(tallies: Iterable[Tally]) -> int:
    return sum(one.count for one in tallies)


def _figure(period: _Period, *, shown: str | None) -> Figure:
    any_of_it = period.tallies[0]
    count, seconds, labels = together(period.tallies)
    mixes = {name: mix(counts, least=LEAST) for name, counts in sorted(labels.items())}
    return Figure(
        any_of_it.measure,
        any_of_it.direction,
        shown,
        first=period.first,
        last=period.last,
        count=count,
        times=_times(seconds),
        mixes={name: parts for name, parts in mixes.items() if parts},
    )


def _times(seconds: Sequence[int]) -> Times | None:
    if len(seconds) < LEAST:
        return None
    p95 = seconds[ceil(0.95 * len(seconds)) - 1] if len(seconds) >= LEAST_FOR_P95 else None
    return Times(rounded(median(seconds)), p95)
