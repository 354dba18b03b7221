"""What one side of an exchange has received of the other, as one item: its strictest marking, and what binds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.exchange.onward import has_received
from app.domain.exchange_codes import Side
from app.domain.markings import DEFAULT, Item
from app.domain.transitions import OFFER

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange


def received_item(exchange: Exchange, side: Side, *, granted: bool = False) -> Item:
    """What that side holds of the other's: what was given to it, or the request. Nothing received is all its own.

    Conditions bind who receives information. `granted` says that the other side has allowed the use in question.
    """
    if not has_received(exchange, side):
        return Item(exchange.asked.marking or DEFAULT, own=True)
    if side is Side.REQUESTED and exchange.type not in OFFER:
        return Item(exchange.asked.marking or DEFAULT, granted=granted)
    bound = frozenset(condition.kind for condition in exchange.accepted_conditions)
    return Item(exchange.marking, conditions=bound, granted=granted)
