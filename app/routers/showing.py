"""An exchange as the person who asks may see it and act on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.db import acts, files
from app.db.acts import ActRecord
from app.db.engine import ReadSession
from app.db.exchanges import ExchangeRecord
from app.db.files import Progress
from app.domain.exchange.admission import allowed_actions
from app.domain.exchange.hold_admission import allowed_hold_actions
from app.domain.exchange.parties import Officer
from app.domain.holds import Hold
from app.domain.moments import to_milliseconds
from app.routers.file_views import show_file
from app.routers.views import ExchangeView, HoldView, show_exchange, show_hold, side_of
from app.services.node import Actor


@dataclass(frozen=True, slots=True)
class Beside:
    """What is shown beside exchanges: the requesting side's acts that are under way, and the files of both sides."""

    acts: Sequence[ActRecord] = ()
    files: Sequence[Progress] = ()


async def look_beside(session: ReadSession, ids: Iterable[UUID]) -> dict[UUID, Beside]:
    """The same for each of these exchanges, in two queries."""
    wanted = list(ids)
    under_way = await acts.under_way(session, wanted)
    named = await files.progress(session, wanted)
    return {one: Beside([act for act in under_way if act.exchange_id == one], named.get(one, ())) for one in wanted}


async def show_now(session: ReadSession, actor: Actor, record: ExchangeRecord, *, now: datetime) -> ExchangeView:
    """One exchange as this person may see it, with everything beside it."""
    beside = await look_beside(session, [record.value.id])
    return show_for(actor, record, beside[record.value.id], now=now)


def show_for(actor: Actor, record: ExchangeRecord, beside: Beside, *, now: datetime) -> ExchangeView:
    """The exchange with the acts this person could do now."""
    by = _officer(actor, record)
    allowed = [] if by is None else list(allowed_actions(record.value, by=by, now=to_milliseconds(now)))
    shown = show_exchange(record, list(beside.acts), allowed=allowed, now=now)
    holds = [show_hold_for(actor, record, one, now=now) for one in record.value.holds]
    return shown.model_copy(update={"holds": holds, "attachments": [show_file(one) for one in beside.files]})


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
