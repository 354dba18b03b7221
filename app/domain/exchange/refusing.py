"""A refusal held against the closed list of grounds, and what is said to whoever chose one that is not open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.codes import POSTPONED_OWN, RiskNotice
from app.domain.exchange.grounds import (
    available_grounds,
    available_notices,
    can_be_postponed,
    needs_reservation,
    provision,
    refusable_on,
    reservations_on_file,
)
from app.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.codes import Instrument, RefusalGround
    from app.domain.exchange.parties import PartyRules
    from app.domain.exchange.values import Exchange

NOT_AVAILABLE = "refusal_ground_not_available"
NOT_ACCEPTED = "instrument_not_accepted"


def refusal_errors(
    exchange: Exchange, rules: PartyRules, *, ground: RefusalGround, instrument: Instrument, reservation_id: str | None
) -> tuple[FieldError, ...]:
    """Whether the request can be refused on this ground; it is held against the instrument that was accepted."""
    lawful = refusable_on(exchange, rules)
    if instrument not in lawful:
        listed = ", ".join(lawful) or "none"
        return (FieldError("/instrument", NOT_ACCEPTED, f"This request is refused on what it rests on: {listed}."),)
    available = available_grounds(exchange, instrument, rules)
    if ground not in available:
        listed = ", ".join(available) or "none"
        return (FieldError("/code", NOT_AVAILABLE, f"Grounds open in this case: {listed}."),)
    if needs_reservation(exchange, instrument, ground, rules=rules):
        on_file = reservations_on_file(instrument, rules)
        if reservation_id not in on_file:
            detail = f"Name the reservation on file: {', '.join(on_file)}."
            return (FieldError("/reservation_id", NOT_AVAILABLE, detail),)
    return ()


def legal_roads(
    exchange: Exchange, rules: PartyRules, *, ground: RefusalGround, instrument: Instrument
) -> dict[str, Any]:
    """Members of the problem: `legal`, the grounds that are open with their provisions, and `instead`.

    `instead` are codes that say what the officer may mean, with the act that carries each; only those that this request
    and instrument allow.
    """
    legal = [
        {"code": open_one.value, "provision": provision(exchange, instrument, open_one, rules=rules)}
        for open_one in available_grounds(exchange, instrument, rules)
    ]
    return {"legal": legal, "instead": list(_instead(exchange, rules, ground=ground, instrument=instrument))}


def _instead(
    exchange: Exchange, rules: PartyRules, *, ground: RefusalGround, instrument: Instrument
) -> Iterator[dict[str, str]]:
    notices = {notice.value for notice in available_notices(exchange, instrument, rules)}
    for row in rules.table.in_place_of(ground):
        if row.code in set(RiskNotice) and row.code not in notices:
            continue
        if row.code == POSTPONED_OWN and not can_be_postponed(exchange, instrument, rules):
            continue
        yield {"code": row.code, "action": row.action, "when": row.when}
