"""No figure, no part of one and no difference between two tells of fewer than five cases."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.codes import Direction
from app.domain.statistics import (
    LEAST,
    Figure,
    Measure,
    Month,
    Part,
    Sample,
    figures,
    first_shown,
    last_final,
    mix,
    month_of,
    tally,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PEERS = ("XT", "XS", "XU")
OUTCOMES = ("PRESERVED", "N-EXPIRED", "R-POL")
DECEMBER = Month(2026, 12)


def sample(month: int, peer: str = "XT", outcome: str = "PRESERVED", seconds: float | None = 60.0) -> Sample:
    """A result in that month of 2026."""
    at = datetime(2026, month, 15, tzinfo=UTC)
    return Sample(Measure.RESULT, Direction.OUTGOING, peer, at, (("outcome", outcome),), seconds)


SAMPLES = st.lists(
    st.builds(sample, st.integers(1, 12), st.sampled_from(PEERS), st.sampled_from(OUTCOMES), st.just(60.0)),
    max_size=90,
)


def small_numbers(told: Iterable[Figure]) -> list[int]:
    """What a reader learns of fewer than five cases, by reading and by subtracting what belongs to one whole."""
    learnt: list[int] = []
    for one in told:
        learnt.append(one.count)
        for parts in one.mixes.values():
            learnt += [part.count for part in parts]
            learnt.append(one.count - sum(part.count for part in parts))
    return [number for number in learnt if 0 < number < LEAST]


def counted(samples: Sequence[Sample], told: Iterable[Figure]) -> list[int]:
    """For every sample, in how many of the figures it is."""
    named: Counter[tuple[str, Month]] = Counter()
    for one in told:
        month = one.first
        while one.peer is not None and month <= one.last:
            named[one.peer, month] += 1
            month = month.after
    return [named[each.peer, month_of(each.at)] for each in samples]


@settings(max_examples=60, deadline=None)
@given(samples=SAMPLES, final=st.integers(1, 12), later=st.integers(0, 11))
def test_nothing_small_can_be_told(samples: list[Sample], final: int, later: int) -> None:
    """Not by reading, not by subtracting; no case is in two figures; and what was told is told again unchanged."""
    then, now = Month(2026, final), Month(2026, min(12, final + later))
    tallies = tally(samples)
    before, after = (figures(tallies, final=month) for month in (then, now))
    assert small_numbers(after) == []
    assert max(counted(samples, after), default=0) <= 1
    assert [one for one in before if one not in after] == []
    assert sum(one.count for one in after) <= len(samples)


def plain(counts: Mapping[str, int], *, least: int) -> tuple[Part, ...]:
    """What withholding small parts alone would be: the control."""
    return tuple(Part(value, count) for value, count in counts.items() if count >= least)


@pytest.mark.parametrize(("way", "safe"), [(mix, True), (plain, False)], ids=["as told", "without the second step"])
def test_a_part_is_not_found_by_subtraction(way: Callable[..., tuple[Part, ...]], *, safe: bool) -> None:
    """Twenty cases of which seventeen are named tell that three are the others: then the seventeen are not named."""
    parts = way({"PRESERVED": 17, "R-POL": 3}, least=LEAST)
    left = 20 - sum(part.count for part in parts)
    assert (left == 0 or left >= LEAST) is safe


MIXES: dict[str, tuple[dict[str, int], tuple[tuple[str | None, int], ...]]] = {
    "all large": ({"a": 9, "b": 5}, (("a", 9), ("b", 5))),
    "the small ones are enough together": ({"a": 9, "b": 3, "c": 2}, (("a", 9), (None, 5))),
    "the smallest of the named joins": ({"a": 9, "b": 6, "c": 1}, (("a", 9), (None, 7))),
    "nothing can be named": ({"a": 17, "b": 3}, ()),
    "one kind alone": ({"a": 7}, (("a", 7),)),
    "only small ones": ({"a": 4, "b": 4}, ()),
}


@pytest.mark.parametrize("case", MIXES)
def test_mixes(case: str) -> None:
    """Which parts of a whole are named."""
    counts, expected = MIXES[case]
    assert tuple((part.value, part.count) for part in mix(counts, least=LEAST)) == expected


def test_months_go_together_until_they_are_enough() -> None:
    """Quiet months and small ones are told together with the next; the year's rest is withheld."""
    samples = [sample(month) for month in (2, 2, 2, 4, 4, 5, 5, 5, 5, 5, 11)]
    told = figures(tally(samples), final=DECEMBER)
    assert [(one.first.month, one.last.month, one.count) for one in told] == [(1, 4, 5), (5, 5, 5)]
    assert figures(tally(samples), final=Month(2026, 3)) == []


RESTS: dict[str, tuple[tuple[int, ...], bool]] = {
    "three of three each": ((3, 3, 3), True),
    "one of them knows too much of it": ((4, 4, 0), False),
    "too few": ((2, 2, 0), False),
}


@pytest.mark.parametrize("case", RESTS)
def test_what_is_left_of_a_year(case: str) -> None:
    """It is told of several contact points together, once the year is over, if each knows too little of the others."""
    sizes, told = RESTS[case]
    tallies = tally([sample(3, peer) for peer, size in zip(PEERS, sizes, strict=True) for _ in range(size)])
    rest = [one.count for one in figures(tallies, final=DECEMBER) if one.peer is None]
    assert rest == ([sum(sizes)] if told else [])
    assert figures(tallies, final=Month(2026, 11)) == []


def test_times_are_of_many() -> None:
    """A median from five on, the 95th percentile from twenty on, both to two digits; what took no time has none."""
    (few,) = figures(tally([sample(1, seconds=1234.5 * n) for n in range(1, 6)]), final=DECEMBER)
    assert few.times is not None
    assert (few.times.median, few.times.p95) == (3700, None)
    (many,) = figures(tally([sample(1, seconds=float(n)) for n in range(1, 101)]), final=DECEMBER)
    assert many.times is not None
    assert (many.times.median, many.times.p95) == (50, 95)
    untimed = [sample(1, seconds=None)] * 2 + [sample(1)] * 4
    assert figures(tally(untimed), final=DECEMBER)[0].times is None


def test_a_case_without_a_value_is_no_difference() -> None:
    """Where a value is not known of some, they are a kind of their own: else the whole would tell how many."""
    known = [sample(1) for _ in range(8)]
    unknown = Sample(Measure.RESULT, Direction.OUTGOING, "XT", known[0].at)
    (one,) = figures(tally([*known, unknown, unknown]), final=DECEMBER)
    assert (one.count, one.mixes) == (10, {})


def test_a_month_is_final_a_week_after_its_end() -> None:
    """Until then the other side's news of it may still come; and figures begin with January of last year."""
    settled = datetime(2026, 11, 8, tzinfo=UTC)
    assert str(last_final(settled)) == "2026-10"
    assert str(last_final(settled - timedelta(seconds=1))) == "2026-09"
    assert str(first_shown(settled)) == "2025-01"
