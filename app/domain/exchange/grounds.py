"""What can be said to a request in place of executing it: grounds, notices, postponement (domain.md 2.2).

The matrix is data (`app/data/law/refusals.yaml`). Under art. 29 three grounds exist and no others. What is not listed
there is not refused: it is not executable, or a question, a condition or a notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.law.codes import Need

if TYPE_CHECKING:
    from app.domain.codes import Instrument, RefusalGround, RiskNotice
    from app.domain.exchange.parties import PartyRules
    from app.domain.exchange.values import Exchange
    from app.domain.law.refusals import Cell, GroundRow

CONVENTION_OFFENCES = frozenset(str(article) for article in range(2, 12))
"""ETS 185 arts. 2 to 11: no reservation on dual criminality and no fiscal ground reaches them."""


def cell_of(exchange: Exchange, instrument: Instrument, rules: PartyRules) -> Cell | None:
    """What the matrix says of this request under that instrument; None where it does not carry such requests."""
    return rules.table.cell(instrument, exchange.type)


def refusable_on(exchange: Exchange, rules: PartyRules) -> tuple[Instrument, ...]:
    """The instruments on which this request can be refused: the one accepted, once one is.

    Before that, those it was made under and that are in force; if it names none of these, any in force. Whoever asks
    under a treaty is not refused under a network of best efforts.
    """
    if exchange.instrument is not None:
        return (exchange.instrument,) if exchange.instrument in rules.instruments else ()
    carrying = tuple(one for one in rules.instruments if cell_of(exchange, one, rules) is not None)
    return tuple(one for one in carrying if one in exchange.asked.instruments) or carrying or rules.instruments


def available_grounds(exchange: Exchange, instrument: Instrument, rules: PartyRules) -> tuple[RefusalGround, ...]:
    """The grounds open to the requested side in this case, in the order of the matrix."""
    cell = cell_of(exchange, instrument, rules)
    if cell is None:
        return ()
    return tuple(row.ground for row in cell.grounds if _is_open(row, exchange, instrument, rules=rules))


def available_notices(exchange: Exchange, instrument: Instrument, rules: PartyRules) -> tuple[RiskNotice, ...]:
    """The notices that can be given on such a request: art. 29(6) speaks of preservation, art. 27(8) of all others."""
    cell = cell_of(exchange, instrument, rules)
    return () if cell is None else tuple(row.notice for row in cell.notices)


def can_be_postponed(exchange: Exchange, instrument: Instrument, rules: PartyRules) -> bool:
    """Whether the instrument, or the treaty in its place, knows postponement for such a request (art. 27(5))."""
    cell = cell_of(exchange, instrument, rules)
    return cell is not None and cell.postponement is not None


def provision(exchange: Exchange, instrument: Instrument, ground: RefusalGround, *, rules: PartyRules) -> str:
    """The provision behind a ground, as `ETS185:29(5)(a)`; KeyError if the matrix does not know the ground there."""
    cell = cell_of(exchange, instrument, rules)
    row = None if cell is None else cell.row(ground)
    if cell is None or row is None:
        raise KeyError(ground)
    return cell.cite(row.provision)


def needs_reservation(exchange: Exchange, instrument: Instrument, ground: RefusalGround, *, rules: PartyRules) -> bool:
    """Whether the ground can be invoked only on a reservation on file, which the refusal has to name."""
    cell = cell_of(exchange, instrument, rules)
    row = None if cell is None else cell.row(ground)
    return row is not None and Need.RESERVATION in row.needs


def reservations_on_file(instrument: Instrument, rules: PartyRules) -> tuple[str, ...]:
    """The ids of the requested side's reservations on dual criminality to that instrument."""
    return tuple(sorted(name for name in rules.reservations if name.startswith(f"{instrument}:")))


def _is_open(row: GroundRow, exchange: Exchange, instrument: Instrument, *, rules: PartyRules) -> bool:
    """Whether everything is so that the row needs."""
    articles = exchange.asked.articles
    met = {
        Need.RESERVATION: bool(reservations_on_file(instrument, rules)),
        Need.DECLARATION: instrument in rules.declared,
        Need.OUTSIDE_CONVENTION_OFFENCES: bool(articles) and CONVENTION_OFFENCES.isdisjoint(articles),
        Need.ONLY_BEST_EFFORTS: rules.owed.isdisjoint(refusable_on(exchange, rules)),
    }
    return all(met[need] for need in row.needs)
