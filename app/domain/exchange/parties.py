"""Who acts, and what the requested side's own law and the law between the two sides say (directory facts)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.domain.codes import Instrument, Role
from app.domain.exchange_codes import By, Side
from app.domain.instruments import usable
from app.domain.wire import MIN_HOLD_DAYS

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from app.domain.contact_points import ContactPoint, Statement
    from app.domain.exchange.values import Exchange
    from app.domain.instruments import Law

_CAPACITIES: dict[tuple[Side, Role], frozenset[By]] = {
    (Side.REQUESTING, Role.DUTY_OFFICER): frozenset({By.DO_A}),
    (Side.REQUESTING, Role.SUPERVISOR): frozenset({By.DO_A, By.SUP_A}),
    (Side.REQUESTED, Role.DUTY_OFFICER): frozenset({By.DO_B}),
    (Side.REQUESTED, Role.SUPERVISOR): frozenset({By.DO_B, By.SUP_B}),
}
"""A supervisor may do what a duty officer may; no other role acts on an exchange."""


_PRESERVED = ((Instrument.ETS185, "29"), (Instrument.UNCC, "42"))
"""Where a reservation on dual criminality for preservation is made."""


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


@dataclass(frozen=True, slots=True)
class PartyRules:
    """What holds at the requested side, for this pair of states, today.

    `instruments` are those in force between the two for the type of request, the preferred first. `reservations` are
    ids of reservations on dual criminality for preservation, `declared` instruments with a declaration that excludes
    requests. `max_extensions` None means that its law sets no limit.
    """

    zone: ZoneInfo
    instruments: tuple[Instrument, ...]
    default_days: int = MIN_HOLD_DAYS
    extension_days: int = MIN_HOLD_DAYS
    max_extensions: int | None = None
    reservations: frozenset[str] = frozenset()
    declared: frozenset[Instrument] = frozenset()
    formalities_after_execution: bool = False


def party_rules(exchange: Exchange, requested: ContactPoint, *, now: datetime, law: Law | None = None) -> PartyRules:
    """The rules for this exchange, from the law between the two states and the requested side's directory entry.

    The id of a reservation is its instrument and article, as `ETS185:29(4)`.
    """
    bases = usable(exchange.requesting, exchange.requested, on=now.date(), type=exchange.type, law=law)
    power = requested.preservation_power
    in_force = [statement for statement in requested.reservations if _is_in_force(statement, now)]
    declared = [statement for statement in requested.declarations if _is_in_force(statement, now)]
    return PartyRules(
        zone=ZoneInfo(requested.time_zone),
        instruments=tuple(basis.instrument for basis in bases),
        default_days=max(MIN_HOLD_DAYS, power.default_days),
        extension_days=max(1, power.extension_days),
        max_extensions=power.max_extensions,
        reservations=frozenset(
            f"{statement.instrument}:{_article_of(statement)}"
            for statement in in_force
            if any(statement.instrument is of and _is_article(statement, article) for of, article in _PRESERVED)
        ),
        declared=frozenset(statement.instrument for statement in declared if _is_article(statement, "9(1)(b)")),
        formalities_after_execution=any(
            statement.instrument is Instrument.CETS224 and _is_article(statement, "9(5)") for statement in declared
        ),
    )


def _is_in_force(statement: Statement, now: datetime) -> bool:
    today = now.date()
    return statement.since <= today and (statement.until is None or today <= statement.until)


def _is_article(statement: Statement, article: str) -> bool:
    """Whether the statement is to this article or a paragraph of it."""
    written = _article_of(statement)
    return written == article or written.startswith(f"{article}(")


def _article_of(statement: Statement) -> str:
    """The article without the blanks and the word that some write with it: `29(4)`."""
    return statement.article.replace(" ", "").removeprefix("art.")
