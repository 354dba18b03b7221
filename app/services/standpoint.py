"""From where this node looks at an exchange when it asks what is due: its side, its clocks, the document's last day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.domain.codes import Direction
from app.domain.deadlines import Standpoint
from app.domain.exchange_codes import Side

if TYPE_CHECKING:
    from app.db.exchanges import ExchangeRecord
    from app.services.node import Node

_LOSS = (("urgency", "expected_loss_at"), ("necessity", "expected_loss_at"))
"""Where a document says when the data will be gone; the earlier of the two counts."""


def standpoint_of(node: Node, record: ExchangeRecord) -> Standpoint:
    """What `open_deadlines` needs to know beside the exchange itself."""
    return Standpoint(
        side=Side.REQUESTED if record.direction is Direction.INCOMING else Side.REQUESTING,
        clocks=node.clocks,
        lost_at=_lost_at(record.opening.get("document")),
    )


def _lost_at(document: object) -> datetime | None:
    """The document is another state's: what cannot be read is left out."""
    if not isinstance(document, dict):
        return None
    blocks = ((document.get(block), name) for block, name in _LOSS)
    found = [_read(block.get(name)) for block, name in blocks if isinstance(block, dict)]
    return min((instant for instant in found if instant is not None), default=None)


def _read(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        instant = datetime.fromisoformat(text)
        return None if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
