"""An exchange as the person who asks may see it and act on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db import acts, files, hold_notices
from app.db.acts import ActRecord
from app.db.engine import ReadSession
from app.db.exchanges import ExchangeRecord
from app.db.files import Progress
from app.domain.documents import received_warnings
from app.domain.exchange.admission import allowed_actions
from app.domain.exchange.hold_admission import allowed_hold_actions
from app.domain.exchange.parties import Officer
from app.domain.exchange.raised import raised_warnings
from app.domain.holds import Hold
from app.domain.moments import to_milliseconds
from app.routers.file_views import show_file
from app.routers.hold_views import AroundHolds, HoldView, show_hold, show_same_data
from app.routers.views import ExchangeView, show_exchange, side_of
from app.services.node import Actor, Node
from app.services.same_data import Other, others_on_same_data
from app.services.standpoint import standpoint_of
from app.services.warn_of_providers import warn_of_providers

Warned = Mapping[UUID, Sequence[tuple[int, datetime]]]
"""By hold: of which days before its present end the desk was warned, and when."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is shown beside exchanges: acts under way, files, warnings told; None of `others` is "not looked for".

    `providers` are warnings from our own list of providers.
    """

    acts: Sequence[ActRecord] = ()
    files: Sequence[Progress] = ()
    warned: Warned = field(default_factory=dict)
    others: Sequence[Other] | None = None
    providers: Sequence[dict[str, Any]] = ()


async def look_beside(session: ReadSession, ids: Iterable[UUID]) -> dict[UUID, Beside]:
    """The same for each of these exchanges, in three queries; nobody looks for others on the same data."""
    wanted = list(ids)
    under_way = await acts.under_way(session, wanted)
    named = await files.progress(session, wanted)
    warned = await hold_notices.warnings_told(session, wanted)
    return {
        one: Beside([act for act in under_way if act.exchange_id == one], named.get(one, ()), warned) for one in wanted
    }


async def look_closely(session: ReadSession, record: ExchangeRecord, *, now: datetime) -> Beside:
    """The same for one exchange, with who else asks for the same data: at the requested side, which alone may know."""
    beside = (await look_beside(session, [record.value.id]))[record.value.id]
    if record.is_replica:
        return beside
    others = await others_on_same_data(session, record.value.id, now=now)
    return replace(beside, others=others, providers=await warn_of_providers(session, record.document, now=now))


async def show_now(
    session: ReadSession, actor: Actor, record: ExchangeRecord, *, node: Node, now: datetime
) -> ExchangeView:
    """One exchange as this person may see it, with everything beside it."""
    return show_for(actor, record, await look_closely(session, record, now=now), node=node, now=now)


def show_for(actor: Actor, record: ExchangeRecord, beside: Beside, *, node: Node, now: datetime) -> ExchangeView:
    """The exchange with the acts this person could do now."""
    by = _officer(actor, record)
    allowed = [] if by is None else list(allowed_actions(record.value, by=by, now=to_milliseconds(now)))
    shown = show_exchange(record, list(beside.acts), allowed=allowed, seen=standpoint_of(node, record), now=now)
    around = around_holds(record, beside, node=node)
    holds = [show_hold_for(actor, record, one, around=around, now=now) for one in record.value.holds]
    files_ = [show_file(one, otherwise=record.value.marking) for one in beside.files]
    same = None if beside.others is None else show_same_data(beside.others)
    warnings = None if beside.others is None else [*_warnings(record, node, now=now), *beside.providers]
    told = {"holds": holds, "attachments": files_, "same_data": same, "warnings": warnings}
    return shown.model_copy(update=told)


def _warnings(record: ExchangeRecord, node: Node, *, now: datetime) -> list[dict[str, Any]]:
    """What an officer should see in the document as it arrived, if it has, and in the facts of a raised emergency."""
    raised = list(raised_warnings(record.value, now=now))
    if not record.document:
        return raised
    found = received_warnings(
        record.document,
        requesting=record.value.requesting,
        requested=node.code,
        received_at=record.created_at,
        law=node.law,
    )
    return [*found, *raised]


def around_holds(record: ExchangeRecord, beside: Beside, *, node: Node) -> AroundHolds:
    """What is shown with the holds: the clocks of both contact points, and how far the law there extends."""
    codes = (record.value.requesting, record.value.requested)
    points = [point for point in map(node.directory.point, codes) if point is not None]
    limits = [point.preservation_power.max_extensions for point in points if point.code == record.value.requested]
    return AroundHolds(
        warned=beside.warned,
        others=beside.others,
        zones={point.code: point.time_zone for point in points},
        max_extensions=limits[0] if limits else None,
    )


def show_hold_for(actor: Actor, record: ExchangeRecord, hold: Hold, *, around: AroundHolds, now: datetime) -> HoldView:
    """One hold with the acts this person could do on it now."""
    by = _officer(actor, record)
    allowed = () if by is None else allowed_hold_actions(hold, by=by, now=to_milliseconds(now))
    return show_hold(hold, record, now=now, allowed=allowed, around=around)


def _officer(actor: Actor, record: ExchangeRecord) -> Officer | None:
    if actor.person_id is None or actor.role is None:
        return None
    return Officer(side_of(record), actor.role, actor.person_id)
