"""The operator says who is told of what is late, and through which address; every change is on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.audit.facts import Fact, FactType
from app.db import notifications
from app.services.record import record

if TYPE_CHECKING:
    from uuid import UUID

    from app.db.notifications import Channel
    from app.services.node import Acting


async def add_channel(acting: Acting, new: Channel) -> bool:
    """Tell this audience there from now on; False if it is told there already."""
    added = await notifications.add_channel(acting.session, new)
    if added:
        about = {"act": "notify.add", "kind": new.kind.value, "audience": new.audience.value, "target": new.target}
        await _record(acting, about)
    return added


async def remove_channel(acting: Acting, channel_id: UUID) -> bool:
    """Tell nobody there any more; False if there is no such channel."""
    removed = await notifications.remove_channel(acting.session, channel_id)
    if removed:
        await _record(acting, {"act": "notify.remove", "channel": str(channel_id)})
    return removed


async def _record(acting: Acting, action: dict[str, str]) -> None:
    fact = Fact(FactType.OPERATOR_ACTION, contents={"action": action})
    await record(acting.session, acting.node, fact, actor=acting.actor, now=acting.now)
