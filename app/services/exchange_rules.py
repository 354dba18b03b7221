"""What the directory and the law say about one exchange, gathered for the machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.exchange.parties import Officer, PartyRules, party_rules
from app.errors import Forbidden, StorageInconsistent

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.exchange.values import Exchange
    from app.domain.exchange_codes import Side
    from app.services.node import Actor, Node


def rules_for(node: Node, exchange: Exchange, *, now: datetime) -> PartyRules:
    """The rules of the requested side for this pair of states, today."""
    point = node.directory.point(exchange.requested)
    if point is None:
        raise StorageInconsistent("contact_point_gone", "The requested contact point left the directory.")
    return replace(party_rules(exchange, point, now=now, law=node.law), clocks=node.clocks)


def officer(actor: Actor, side: Side) -> Officer:
    """The person at the desk of this node, on its side of the exchange; raises Forbidden for who is no person."""
    if actor.person_id is None or actor.role is None:
        raise Forbidden("role_not_allowed", "Only a person acts on an exchange.")
    return Officer(side, actor.role, actor.person_id)
