"""The marking of what is given, held against what it answers: the 422 `C-MARKING` (domain.md 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.marking_bodies import read_marking
from app.domain.markings import DEFAULT, faults, more_open
from app.errors import FieldError

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange
    from app.domain.marking_bodies import GivenMarking

C_MARKING = "C-MARKING"


def marking_errors(given: GivenMarking | None) -> tuple[FieldError, ...]:
    """What is wrong with a marking by itself. Every message here names persons: nothing is TLP:CLEAR."""
    marking = read_marking(given)
    found = () if marking is None else faults(marking)
    return tuple(FieldError(f"/marking/{member}", C_MARKING, detail) for member, detail in found)


def file_marking_errors(exchange: Exchange | None, given: GivenMarking | None) -> tuple[FieldError, ...]:
    """The same of a file; `exchange` is the one that it would answer, if it is to answer any."""
    return marking_errors(given) if exchange is None else answer_marking_errors(exchange, given)


def answer_marking_errors(exchange: Exchange, given: GivenMarking | None) -> tuple[FieldError, ...]:
    """The same, and that an answer is not more open than the request which it quotes."""
    errors = marking_errors(given)
    marking = read_marking(given)
    if errors or marking is None:
        return errors
    quoted = exchange.asked.marking or DEFAULT
    return tuple(
        FieldError(f"/marking/{part}", C_MARKING, "An answer is not more open than the request that it quotes.")
        for part in more_open(marking, than=quoted)
        if part != "handling"
    )
