"""Who acts, and what the requested side's own law and the law between the two sides say (directory facts)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.domain.codes import Instrument, Role
from app.domain.deadlines import PACKAGED
from app.domain.exchange_codes import By, Side
from app.domain.instruments import state_of, usable
from app.domain.law import Effect, packaged_law
from app.domain.wire import MIN_HOLD_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime
    from uuid import UUID

    from app.domain.contact_points import ContactPoint, Statement
    from app.domain.deadlines import Clocks
    from app.domain.exchange.values import Exchange
    from app.domain.law import Law, RefusalTable
    from app.domain.law.rows import Admitted

_CAPACITIES: dict[tuple[Side, Role], frozenset[By]] = {
    (Side.REQUESTING, Role.DUTY_OFFICER): frozenset({By.DO_A}),
    (Side.REQUESTING, Role.SUPERVISOR): frozenset({By.DO_A, By.SUP_A}),
    (Side.REQUESTED, Role.DUTY_OFFICER): frozenset({By.DO_B}),
    (Side.REQUESTED, Role.SUPERVISOR): frozenset({By.DO_B, By.SUP_B}),
}
"""A supervisor may do what a duty officer may; no other role acts on an exchange."""


@dataclass(frozen=True, slots=True)
class Officer:
    """A person at the desk of one of the two contact points."""

    side: Side
    role: Role
    person: UUID

    @property
    def capacities(self) -> frozenset[By]:
        """In which capacities of the tables this person can act; none for roles that are not of the desk."""
        return _CAPACITIES.get((self.side, self.role), frozenset())


def _packaged_table() -> RefusalTable:
    return packaged_law().table


@dataclass(frozen=True, slots=True)
class PartyRules:
    """What holds at the requested side, for this pair of states, today.

    `instruments` are those in force between the two for the type of request, the preferred first; `owed` those of them
    that state a duty. `reservations` are ids of reservations on dual criminality, `declared` instruments with a
    declaration that excludes this request. `max_extensions` None means that its law sets no limit.
    """

    zone: ZoneInfo
    instruments: tuple[Instrument, ...]
    default_days: int = MIN_HOLD_DAYS
    extension_days: int = MIN_HOLD_DAYS
    max_extensions: int | None = None
    reservations: frozenset[str] = frozenset()
    declared: frozenset[Instrument] = frozenset()
    formalities_after_execution: bool = False
    clocks: Clocks = PACKAGED
    owed: frozenset[Instrument] = frozenset(Instrument) - {Instrument.G7_24_7}
    table: RefusalTable = field(default_factory=_packaged_table)


def party_rules(exchange: Exchange, requested: ContactPoint, *, now: datetime, law: Law) -> PartyRules:
    """The rules for this exchange, from the law between the two states and the requested side's directory entry.

    A reservation or declaration counts as the law files have it; where they do not speak of it at all, as the directory
    entry does, under the id `<instrument>:<article>`.
    """
    today = now.date()
    states = frozenset({state_of(exchange.requesting), state_of(exchange.requested)})
    bases = usable(exchange.requesting, exchange.requested, on=today, type=exchange.type, law=law)
    on_file = tuple(_on_file(exchange, requested, law=law, today=today))
    power = requested.preservation_power
    return PartyRules(
        zone=ZoneInfo(requested.time_zone),
        instruments=tuple(basis.instrument for basis in bases),
        default_days=max(MIN_HOLD_DAYS, power.default_days),
        extension_days=max(1, power.extension_days),
        max_extensions=power.max_extensions,
        reservations=frozenset(one.id for one in on_file if one.effect is Effect.DUAL_CRIMINALITY),
        declared=frozenset(one.instrument for one in on_file if one.effect is Effect.EXCLUDES),
        formalities_after_execution=any(one.effect is Effect.FORMALITIES_AFTER_EXECUTION for one in on_file),
        owed=frozenset(basis.instrument for basis in bases if basis.duty),
        table=law.table_for(states, on=today),
    )


@dataclass(frozen=True, slots=True)
class _OnFile:
    """A statement of the requested state that reaches this request."""

    id: str
    instrument: Instrument
    effect: Effect


def _on_file(exchange: Exchange, requested: ContactPoint, *, law: Law, today: date) -> Iterator[_OnFile]:
    state = state_of(exchange.requested)
    for statement, admitted in law.statements_of(state, on=today):
        if admitted.effect is not None and _reaches(admitted, exchange):
            yield _OnFile(statement.id, statement.instrument, admitted.effect)
    for written in (*requested.reservations, *requested.declarations):
        row = law.instrument(written.instrument)
        article = _article_of(written)
        holds = written.since <= today and (written.until is None or today <= written.until)
        if row is None or not holds or law.has_statement(state, written.instrument, article):
            continue
        found = row.admitted(article)
        if found is not None and found.effect is not None and _reaches(found, exchange):
            yield _OnFile(f"{written.instrument}:{article}", written.instrument, found.effect)


def _reaches(admitted: Admitted, exchange: Exchange) -> bool:
    """Whether it speaks of such a request: of its type, and of nothing but the categories of data that it asks for."""
    if admitted.types and exchange.type not in admitted.types:
        return False
    asked = frozenset(exchange.asked.categories)
    return not admitted.only_categories or (bool(asked) and asked <= set(admitted.only_categories))


def _article_of(statement: Statement) -> str:
    """The article without the blanks and the word that some write with it: `29(4)`."""
    return statement.article.replace(" ", "").removeprefix("art.")
