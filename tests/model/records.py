"""Writing an exchange: the one place where the checks see what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.domain.codes import Instrument
from app.domain.exchange.parties import PartyRules

if TYPE_CHECKING:
    from tests.model.ground import Node
    from tests.model.values import Record, Store

RULES = PartyRules(zone=ZoneInfo("Asia/Tokyo"), instruments=tuple(Instrument))
"""The law of every requested side in the model."""


def save(node: Node, store: Store, record: Record) -> None:
    """Store it; the witness compares it with what was there."""
    before = store.exchanges.get(record.value.id)
    node.ground.witness.written(node, before, record)
    store.exchanges[record.value.id] = record
