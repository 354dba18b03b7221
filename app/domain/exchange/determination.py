"""Emergency disclosure (CETS 224 art. 9, machine M7), read from the exchange: what was determined, how far it came."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.codes import State
from app.domain.exchange_codes import Flag
from app.domain.transitions import EMERGENCY

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange


class Stage(StrEnum):
    """How far it came. DISCLOSED with formalities owed (art. 9(5)) is POST_FORMALITIES."""

    REQUESTED = "REQUESTED"
    DETERMINED = "DETERMINED"
    EXECUTING = "EXECUTING"
    DISCLOSED = "DISCLOSED"
    DISCLOSURE_NOT_AVAILABLE = "DISCLOSURE_NOT_AVAILABLE"
    POST_FORMALITIES = "POST_FORMALITIES"
    CLOSED = "CLOSED"


_STAGES = {
    State.ACCEPTED: Stage.DETERMINED,
    State.CONDITIONS: Stage.DETERMINED,
    State.REFUSED: Stage.DETERMINED,
    State.IN_EXECUTION: Stage.EXECUTING,
    State.ANSWERED: Stage.DISCLOSED,
    State.NOT_EXECUTABLE: Stage.DISCLOSURE_NOT_AVAILABLE,
    State.WITHDRAWN: Stage.CLOSED,
    State.CLOSED: Stage.CLOSED,
}
"""A state that is not here is one before the determination, a question or a notice in between included."""


class Outcome(StrEnum):
    """What the requested side determined (art. 9(6))."""

    GRANT = "GRANT"
    GRANT_WITH_CONDITIONS = "GRANT_WITH_CONDITIONS"
    DECLINE = "DECLINE"


def stage_of(exchange: Exchange) -> Stage | None:
    """How far an emergency disclosure came; None for every other type."""
    if exchange.type not in EMERGENCY:
        return None
    stage = _STAGES.get(exchange.state, Stage.REQUESTED)
    owed = stage is Stage.DISCLOSED and Flag.POST_FORMALITIES_DUE in exchange.flags
    return Stage.POST_FORMALITIES if owed else stage


def outcome_of(exchange: Exchange) -> Outcome | None:
    """What was determined; None before, and for every other type. A condition declined leaves nothing determined."""
    if exchange.type not in EMERGENCY:
        return None
    if exchange.state in {State.REFUSED, State.NOT_EXECUTABLE}:
        return Outcome.DECLINE
    if exchange.state is State.CONDITIONS or exchange.accepted_conditions:
        return Outcome.GRANT_WITH_CONDITIONS
    granted = exchange.state in {State.ACCEPTED, State.IN_EXECUTION, State.ANSWERED} or bool(exchange.answers)
    return Outcome.GRANT if granted else None
