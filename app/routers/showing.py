"""An exchange as the person who asks may see it and act on it."""

from __future__ import annotations

from datetime import datetime

from app.db.acts import ActRecord
from app.db.exchanges import ExchangeRecord
from app.domain.exchange.admission import allowed_actions
from app.domain.exchange.hold_admission import allowed_hold_actions
from app.domain.exchange.parties import Officer
from app.domain.holds import Hold
from app.domain.moments import to_milliseconds
from app.routers.views import ExchangeView, HoldView, show_exchange, show_hold, side_of
from app.services.node import Actor


def show_for(actor: Actor, record: ExchangeRecord, under_way: list[ActRecord], *, now: datetime) -> ExchangeView:
    """The exchange with the acts this person could do now."""
    by = _officer(actor, record)
    allowed = [] if by is None else list(allowed_actions(record.value, by=by, now=to_milliseconds(now)))
    shown = show_exchange(record, under_way, allowed=allowed, now=now)
    holds = [show_hold_for(actor, record, one, now=now) for one in record.value.holds]
    return shown.model_copy(update={"holds": holds})


def show_hold_for(actor: Actor, record: ExchangeRecord, hold: Hold, *, now: datetime) -> HoldView:
    """One hold with the acts this person could do on it now."""
    by = _officer(actor, record)
    return show_hold(
        hold,
        generation=record.value.generation,
        replica=record.is_replica,
        now=now,
        allowed=[] if by is None else list(allowed_hold_actions(hold, by=by, now=to_milliseconds(now))),
    )


def _officer(actor: Actor, record: ExchangeRecord) -> Officer | None:
    if actor.person_id is None or actor.role is None:
        return None
    return Officer(side_of(record), actor.role, actor.person_id)
