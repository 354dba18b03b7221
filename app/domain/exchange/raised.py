"""What a person at the requested side should be told of an emergency that was raised after the request was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.codes import Tier
from app.domain.emergency_facts import TIME_PASSED, lacking, passed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from app.domain.exchange.values import Exchange


def raised_warnings(exchange: Exchange, *, now: datetime) -> Iterator[dict[str, Any]]:
    """What is missing in the facts of the raise that made it an emergency, or has passed; nothing at a lower tier.

    Pointers lead into the projection of the exchange. `error` marks what the other side's own node should have asked
    for. Nobody is refused for it: the officer asks, or lowers the tier with E-NOTEMERGENCY.
    """
    if exchange.tier is not Tier.EMERGENCY or not exchange.tier_changes:
        return
    last = len(exchange.tier_changes) - 1
    facts, at = exchange.tier_changes[last].emergency, f"/details/tier_changes/{last}/emergency"
    for fault in lacking(facts, at=at):
        yield {"pointer": fault.pointer, "code": str(fault.code), "detail": fault.detail, "error": True}
    if passed(facts, now=now):
        detail = "This time has passed; ask whether the risk still stands."
        yield {"pointer": f"{at}/imminent_until", "code": TIME_PASSED, "detail": detail}
