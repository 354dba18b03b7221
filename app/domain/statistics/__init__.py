"""Figures for "assess progress" (domain.md 7.3): what happened between two contact points, without anybody in it."""

from __future__ import annotations

from app.domain.statistics.figures import LEAST, Figure, Times, figures
from app.domain.statistics.mixing import Part, mix
from app.domain.statistics.months import Month, first_shown, last_final, month_of
from app.domain.statistics.samples import Measure, Sample
from app.domain.statistics.tallies import Tally, tally

__all__ = [
    "LEAST",
    "Figure",
    "Measure",
    "Month",
    "Part",
    "Sample",
    "Tally",
    "Times",
    "figures",
    "first_shown",
    "last_final",
    "mix",
    "month_of",
    "tally",
]
