"""All the law this node goes by: one value, read once when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from app.domain.codes import GateOutcome
from app.domain.law.codes import AppliesTo
from app.domain.law.intervals import IntervalsFile
from app.domain.law.refusals import RefusalTable
from app.domain.law.warning_lists import WarningLists

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.domain.codes import Instrument
    from app.domain.law.countries import Comparator, Country, RedirectTarget
    from app.domain.law.refusals import Column
    from app.domain.law.rows import Admitted, InstrumentRow, Named, Pair, Party, Statement, Treaty

States = frozenset[str]


@dataclass(frozen=True)
class Law:
    """The law files, checked.

    `version` and `dated` are what the operator wrote; `digest` names the very files, as `sha256sum *.yaml | sha256sum`
    prints it in their folder.
    """

    version: str = ""
    dated: date = date.min
    note: str = ""
    digest: str = ""
    instruments: tuple[InstrumentRow, ...] = ()
    states: tuple[Named, ...] = ()
    parties: tuple[Party, ...] = ()
    pairs: tuple[Pair, ...] = ()
    treaties: tuple[Treaty, ...] = ()
    statements: tuple[Statement, ...] = ()
    columns: tuple[Column, ...] = ()
    table: RefusalTable = field(default_factory=lambda: RefusalTable({}))
    countries: tuple[Country, ...] = ()
    comparators: tuple[Comparator, ...] = ()
    redirects: tuple[RedirectTarget, ...] = ()
    intervals: IntervalsFile = field(default_factory=IntervalsFile)
    warning_lists: WarningLists = field(default_factory=WarningLists)

    def instrument(self, named: Instrument) -> InstrumentRow | None:
        """The row of that instrument."""
        return self._instruments.get(named)

    def country(self, state: str) -> Country | None:
        """The profile of a state's law."""
        return next((country for country in self.countries if country.state == state), None)

    def is_party(self, instrument: Instrument, state: str, *, on: date) -> bool:
        """Whether the state is bound by the instrument on that day."""
        return any(row.holds(on) for row in self._parties.get((instrument, state), ()))

    def treaty(self, instrument: Instrument, states: States, *, on: date) -> Treaty | None:
        """The treaty of that kind between the two states; of several the latest."""
        found = [row for row in self.treaties if row.instrument is instrument and states <= row.states]
        return max((row for row in found if row.holds(on)), key=lambda row: row.since, default=None)

    def governing(self, states: States, *, on: date) -> Treaty | None:
        """The treaty that mutual assistance between the two follows in place of arts. 27 and 28 of ETS 185, if any."""
        found = [row for row in self.treaties if row.governs and states <= row.states and row.holds(on)]
        # The treaty of the two comes before that of a region.
        return min(found, key=lambda row: (len(row.states), -row.since.toordinal()), default=None)

    def in_force(self, row: InstrumentRow, states: States, *, on: date) -> bool:
        """Whether the instrument applies between the two states on that day."""
        if row.applies_to is AppliesTo.TREATIES:
            return self.treaty(row.instrument, states, on=on) is not None
        if row.in_force_since is None or on < row.in_force_since:
            return False
        if not all(self.is_party(row.instrument, state, on=on) for state in states):
            return False
        if row.applies_to is AppliesTo.PARTIES:
            return True
        return any(pair.holds(on) for pair in self._pairs.get((row.instrument, states), ()))

    def statements_of(self, state: str, *, on: date) -> Iterator[tuple[Statement, Admitted]]:
        """What the state has reserved or declared and not withdrawn, each with what that article admits."""
        for statement in self.statements:
            row = self.instrument(statement.instrument)
            admitted = None if row is None else row.admitted(statement.article)
            if statement.state == state and statement.holds(on) and admitted is not None:
                yield statement, admitted

    def has_statement(self, state: str, instrument: Instrument, article: str) -> bool:
        """Whether these files speak of such a statement at all, be it withdrawn."""
        return any((row.state, row.instrument, row.article) == (state, instrument, article) for row in self.statements)

    def table_for(self, states: States, *, on: date) -> RefusalTable:
        """The matrix as it holds between the two states."""
        own = {kind: found for kind in self._kinds if (found := self.treaty(kind, states, on=on)) is not None}
        return RefusalTable(self.table.columns, self.table.instead, own, self.governing(states, on=on))

    def targets(self, code: GateOutcome | None = None, state: str | None = None) -> Iterator[RedirectTarget]:
        """Where an agency can turn, for an outcome of triage and in a state."""
        return (
            row
            for row in self.redirects
            if (code is None or code in row.codes) and (state is None or row.state == state)
        )

    def turn_to(self, code: GateOutcome, *, own: str, asked: str) -> RedirectTarget | None:
        """Whom to ask instead: an authority of our own state; where providers answer themselves, one of the other."""
        state = asked if code is GateOutcome.PROVIDER else own
        return next(self.targets(code, state), None)

    @cached_property
    def _instruments(self) -> Mapping[Instrument, InstrumentRow]:
        return {row.instrument: row for row in self.instruments}

    @cached_property
    def _kinds(self) -> tuple[Instrument, ...]:
        return tuple(row.instrument for row in self.instruments if row.applies_to is AppliesTo.TREATIES)

    @cached_property
    def _parties(self) -> Mapping[tuple[Instrument, str], tuple[Party, ...]]:
        grouped: dict[tuple[Instrument, str], tuple[Party, ...]] = {}
        for row in self.parties:
            key = (row.instrument, row.state)
            grouped[key] = (*grouped.get(key, ()), row)
        return grouped

    @cached_property
    def _pairs(self) -> Mapping[tuple[Instrument, States], tuple[Pair, ...]]:
        grouped: dict[tuple[Instrument, States], tuple[Pair, ...]] = {}
        for row in self.pairs:
            key = (row.instrument, row.states)
            grouped[key] = (*grouped.get(key, ()), row)
        return grouped
