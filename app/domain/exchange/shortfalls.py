"""Where less was done than art. 29 owes, counted so that somebody asks why (domain.md 2.2, note 2, and 6.5)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.codes import NotExecutable
from app.domain.transitions import HOLD_TYPES

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange


class Shortfall(StrEnum):
    """A preservation that an authority ended before sixty days, one granted for fewer, one that no law allows for."""

    LIFTED_EARLY = "lifted_early"
    SHORT_HOLD = "short_hold"
    NO_POWER = "no_power"


def lacks_power(exchange: Exchange) -> bool:
    """Whether a preservation failed, in whole or for a target, because the law there gives no power to order it.

    That is no ground for refusing: a Party has to have such a law (arts. 25(2) and 29).
    """
    if exchange.type not in HOLD_TYPES:
        return False
    outcomes = {exchange.reason, *(result.outcome for result in exchange.results)}
    return NotExecutable.NOPOWER in outcomes
