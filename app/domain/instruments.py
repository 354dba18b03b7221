"""Which legal instrument a request can rest on, for two states, on a day (domain.md 2.6).

The law is data (`app/domain/law`). Nothing here says what a state must do; an empty answer means that the duty officer
has to take another road.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.codes import GateOutcome
from app.domain.law import ConstraintCode, Effect, Law, Pair, Party, packaged_law
from app.domain.law.codes import AppliesTo
from app.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from app.domain.codes import Instrument, RequestType
    from app.domain.law.rows import InstrumentRow, Measure, Treaty

__all__ = [
    "NO_BASIS",
    "Basis",
    "Constraint",
    "Law",
    "Pair",
    "Party",
    "other_roads",
    "packaged_law",
    "require_basis",
    "state_of",
    "usable",
]

NO_BASIS = "N-NOBASIS"
_TWO_LETTERS = 2

_OF_EFFECT = {
    Effect.DUAL_CRIMINALITY: ConstraintCode.RESERVATION,
    Effect.EXCLUDES: ConstraintCode.DECLARATION,
    Effect.FORMALITIES_AFTER_EXECUTION: ConstraintCode.FORMALITIES_AFTER_EXECUTION,
    Effect.URGENT_TO_CENTRAL_AUTHORITY: ConstraintCode.URGENT_TO_CENTRAL_AUTHORITY,
    Effect.THROUGH_CONTACT_POINT: ConstraintCode.THROUGH_CONTACT_POINT,
}


@dataclass(frozen=True, slots=True)
class Constraint:
    """What goes with a basis. `provision` is where it stands, `statement` the id of what the state has deposited."""

    code: ConstraintCode
    detail: str
    provision: str | None = None
    statement: str | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """An instrument a request may rest on, with the articles for its type; `duty` is False for best efforts."""

    instrument: Instrument
    articles: tuple[str, ...]
    duty: bool = True
    constraints: tuple[Constraint, ...] = ()


def usable(requesting: str, requested: str, *, on: date, type: RequestType, law: Law) -> tuple[Basis, ...]:
    """The instruments a request of this type may rest on between two contact points that day, best first.

    Those with a duty come before best efforts; else the order is that of the law files. Between contact points of one
    state there is none: the matter is a domestic one.
    """
    asked = state_of(requested)
    states = frozenset({state_of(requesting), asked})
    if len(states) == 1:
        return ()
    question = _Question(law, states, asked, type, on)
    found = (question.basis(row, measure) for row in law.instruments if (measure := row.measure(type)) is not None)
    return tuple(sorted((basis for basis in found if basis is not None), key=lambda basis: not basis.duty))


def require_basis(
    bases: tuple[Basis, ...], chosen: Instrument | None = None, *, instead: Sequence[Mapping[str, str]] = ()
) -> Basis:
    """The chosen instrument, or the best one if none was chosen; raises Refused `N-NOBASIS` if it cannot be used.

    `instead` goes with the refusal: where else to turn.
    """
    for basis in bases:
        if chosen in {None, basis.instrument}:
            return basis
    roads: dict[str, Any] = {"instead": list(instead)} if instead else {}
    detail = "No instrument in force between the two states covers this request; another road is needed."
    raise Refused(NO_BASIS, detail, **roads)


def other_roads(law: Law, code: str) -> list[dict[str, str]]:
    """Where a contact point turns with a request for which there is no instrument (2.6): Interpol, mutual assistance.

    Each with the code of the redirect and the address of the law files in its own state, if they have one.
    """
    own = state_of(code)
    found = ((road, law.turn_to(road, own=own, asked=own)) for road in (GateOutcome.INTERPOL, GateOutcome.MLA))
    return [{"code": road.value, "contact": target.address.line} for road, target in found if target is not None]


def state_of(code: str) -> str:
    """The state for which a contact point speaks."""
    return code[:_TWO_LETTERS]


@dataclass(frozen=True, slots=True)
class _Question:
    """Two states, the one that is asked, what for, and on which day."""

    law: Law
    states: frozenset[str]
    asked: str
    type: RequestType
    on: date

    def basis(self, row: InstrumentRow, measure: Measure) -> Basis | None:
        """The instrument as a basis, None where it does not apply."""
        if not self.law.in_force(row, self.states, on=self.on) or not self._is_declared(row, measure):
            return None
        own = self.law.treaty(row.instrument, self.states, on=self.on)
        if own is not None and own.types and self.type not in own.types:
            return None
        articles = tuple(role.article for role in measure.articles)
        return Basis(row.instrument, articles, row.duty, tuple(self._constraints(row, own)))

    def _is_declared(self, row: InstrumentRow, measure: Measure) -> bool:
        article = measure.only_if_declared
        return article is None or any(
            statement.instrument is row.instrument and statement.article == article
            for statement, _ in self.law.statements_of(self.asked, on=self.on)
        )

    def _constraints(self, row: InstrumentRow, own: Treaty | None) -> Iterator[Constraint]:
        if not row.duty:
            detail = "Nothing is owed and nothing can be compelled; reasons are asked for, not owed."
            yield Constraint(ConstraintCode.BEST_EFFORTS, detail)
        column = self.law.table.columns.get((row.instrument, self.type))
        governing = self.law.governing(self.states, on=self.on)
        if row.applies_to is AppliesTo.TREATIES and own is not None:
            yield Constraint(ConstraintCode.TREATY_GOVERNS, own.title, own.id)
        elif column is not None and column.gives_way and governing is not None:
            detail = f"Arts. 27 and 28 do not apply: {governing.title}"
            yield Constraint(ConstraintCode.TREATY_GOVERNS, detail, f"{row.instrument}:27(1)", governing.id)
        for statement, admitted in self.law.statements_of(self.asked, on=self.on):
            fits = not admitted.types or self.type in admitted.types
            if statement.instrument is row.instrument and admitted.effect is not None and fits:
                provision = f"{statement.instrument}:{statement.article}"
                yield Constraint(_OF_EFFECT[admitted.effect], statement.text, provision, statement.id)
