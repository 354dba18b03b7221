"""What one side of an exchange has received of the other, as one item: its strictest marking, and what binds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.exchange.onward import has_received
from app.domain.exchange_codes import Side
from app.domain.markings import DEFAULT, Item, combined
from app.domain.transitions import OFFER

if TYPE_CHECKING:
    from collections.abc import Collection

    from app.domain.exchange.values import Exchange
    from app.domain.exchange_codes import ConditionKind
    from app.domain.markings import Marking


def received_item(exchange: Exchange, side: Side, *, files: Collection[Marking] = (), granted: bool = False) -> Item:
    """What that side holds of the other's: what was given to it, or the request. Nothing received is all its own.

    Conditions bind who receives information. `files` are the markings of the files that came with it, of which the
    strictest counts. `granted` says that the other side has allowed the use in question.
    """
    if not files and not has_received(exchange, side):
        return Item(exchange.asked.marking or DEFAULT, own=True)
    bears = exchange.marking if _is_given(exchange, side) else exchange.asked.marking or DEFAULT
    return Item(combined(bears, *files), conditions=_binding(exchange, side), granted=granted)


def received_file(exchange: Exchange, side: Side, marking: Marking | None, *, granted: bool = False) -> Item:
    """A file that this side has of the other's; one that says nothing of its own bears what the exchange bears."""
    return Item(marking or exchange.marking, conditions=_binding(exchange, side), granted=granted)


def _is_given(exchange: Exchange, side: Side) -> bool:
    """Whether this side is the one that is given information, and not the one that was asked for it."""
    return (side is Side.REQUESTED) == (exchange.type in OFFER)


def _binding(exchange: Exchange, side: Side) -> frozenset[ConditionKind]:
    """The conditions that bind this side: those which it, being given information, has accepted."""
    accepted = exchange.accepted_conditions if _is_given(exchange, side) else ()
    return frozenset(condition.kind for condition in accepted)
