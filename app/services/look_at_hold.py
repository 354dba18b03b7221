"""What the clock says of a hold is told to this node's own desk: each node from what it knows, each thing once.

Nothing of the hold changes here. Ends by time are the requested node's timers' (`expire.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.audit.facts import JSON, Fact, FactType
from app.db import exchanges, hold_notices, holds, requests, timeline
from app.db.timeline import Entry
from app.domain.codes import Direction
from app.domain.exchange.hold_admission import find_hold
from app.domain.exchange_codes import Side
from app.domain.hold_notices import Notice, next_look, to_tell
from app.domain.moments import to_milliseconds, write_instant
from app.services.announce import Event, announce
from app.services.node import SYSTEM
from app.services.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from app.db.engine import ReadSession, Session
    from app.db.events import Member
    from app.db.exchanges import ExchangeRecord
    from app.db.holds import HoldPlace
    from app.domain.hold_notices import Due, Telling
    from app.domain.holds import Hold
    from app.services.node import Node

BATCH = 100
EXPIRING = "expiring"

DESK = "duty_officer"
CENTRAL_AUTHORITY = "central_authority"

_THERE: Mapping[Notice, str] = {
    Notice.CONFIRM: "They say that the follow-up request was sent. Ask your central authority whether it has come; "
    "only your confirm_mla_received stops the clock.",
    Notice.GRANT: "They ask for more time. From the end on nobody can grant it.",
    Notice.RELEASE: "They no longer need the data. Let them go, unless somebody else needs them.",
    Notice.EXPIRED: "The hold has ended. Keep the data until the order lapses under your law.",
}
_HERE: Mapping[Notice, str] = {
    Notice.UNCONFIRMED: "Nobody there has confirmed that the follow-up request came; the clock runs on. Let your "
    "central authority ask theirs.",
    Notice.EXPIRED: "The hold has ended; the data may be gone. Only a new request makes a new one.",
    Notice.ENDED: "By the clock the hold has ended, and nothing has come from them yet.",
    Notice.LOST: "They report that the data are lost: the hold says what and when.",
    Notice.LIFTED: "An authority there ended the order before its term: the hold says why, and whether a new request "
    "could succeed.",
}
_TEXTS: Mapping[Side, Mapping[Notice, str]] = {Side.REQUESTED: _THERE, Side.REQUESTING: _HERE}
"""What the desk of that side reads in the timeline."""

_FOR_CENTRAL_AUTHORITY = frozenset({(EXPIRING, Side.REQUESTING), (Notice.CONFIRM, Side.REQUESTED)})
"""What the desk passes on to the central authority of its own state."""

_ENDINGS = frozenset({Notice.EXPIRED, Notice.LOST, Notice.LIFTED})
_FOR_AGENCY = frozenset({EXPIRING, Notice.ENDED}) | _ENDINGS


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a hold is looked at from, and by which agency it was asked for."""

    node: Node
    record: ExchangeRecord
    hold: Hold
    agency_id: str | None
    now: datetime

    @property
    def side(self) -> Side:
        """On which side of the exchange this node stands."""
        return Side.REQUESTED if self.record.direction is Direction.INCOMING else Side.REQUESTING


async def find_to_look_at(session: ReadSession, *, now: datetime) -> list[HoldPlace]:
    """Holds of which there may be something to tell, longest due first."""
    return await holds.to_look_at(session, now, limit=BATCH)


async def look_at_hold(session: Session, node: Node, hold_id: UUID, exchange_id: UUID, *, now: datetime) -> None:
    """Tell what is due and not told yet, and note when to look next.

    The exchange's row is locked meanwhile: two processes of one node take turns, and a change of the hold comes before
    or after, never between.
    """
    seen = await exchanges.load(session, exchange_id, for_update=True)
    if seen is None:
        return
    hold = find_hold(seen.value, hold_id)
    request = await requests.load_for_exchange(session, exchange_id)
    place = _Place(node, seen, hold, None if request is None else request.agency_id, now)
    moment = to_milliseconds(now)
    telling = to_tell(hold, moment, side=place.side, told=await hold_notices.told(session, hold_id))
    await _warn(session, place, telling)
    for due in telling.notices_passed_over:
        await hold_notices.add_notice(session, hold_id, due, now=now)
    for due in telling.notices:
        if await hold_notices.add_notice(session, hold_id, due, now=now):
            await _tell(session, place, due.notice, _about(place, due))
    await holds.look_again(session, hold_id, at=next_look(hold, moment))


async def _warn(session: Session, place: _Place, telling: Telling) -> None:
    for days in telling.passed_over:
        await hold_notices.add_warning(session, place.hold, days, told=False, now=place.now)
    if telling.days is None:
        return
    if await hold_notices.add_warning(session, place.hold, telling.days, told=True, now=place.now):
        await _tell(session, place, EXPIRING, {"days": telling.days})


def _about(place: _Place, due: Due) -> dict[str, Member]:
    about: dict[str, Member] = {"number": due.number}
    if due.due_at is not None:
        about["due_at"] = write_instant(due.due_at)
    hold = place.hold
    if due.notice in _ENDINGS and hold.ended_at is not None:
        about["ended_at"] = write_instant(hold.ended_at)
    if due.notice is Notice.LOST and hold.lost_at is not None:
        about["lost_at"] = write_instant(hold.lost_at)
    if due.notice is Notice.LIFTED:
        about |= {"reason": hold.end_reason, "new_request": "possible" if hold.new_request_possible else "not_possible"}
    return about


async def _tell(session: Session, place: _Place, what: Notice | str, about: Mapping[str, Member]) -> None:
    """On record, in the timeline and in the feed, in one transaction with the mark that it was told."""
    record_, hold, now = place.record, place.hold, place.now
    for_agency = what in _FOR_AGENCY and place.side is Side.REQUESTING
    members: dict[str, Member] = {"hold_id": str(hold.id), **about}
    if hold.expires_at is not None:
        members["expires_at"] = write_instant(hold.expires_at)
    detail: dict[str, Any] = {**members, **_to_whom(place, what)}
    change: dict[str, JSON] = {"event": f"hold_{what}", "state": hold.state, "detail": detail}
    fact = Fact(FactType.CASE_CHANGED, thread=str(record_.value.id), contents={"change": change})
    await record(session, place.node, fact, actor=SYSTEM, now=now)
    entry = Entry(
        subject_id=record_.value.id,
        at=now,
        party=place.node.code,
        actor="system",
        event=f"hold_{what}",
        detail=detail,
        for_agency=for_agency,
    )
    await timeline.append(session, entry)
    event = Event(
        kind=f"hold.{what}",
        subject_kind="exchange",
        subject_id=str(record_.value.id),
        agency_id=place.agency_id if for_agency else None,
        data={**members, "state": str(hold.state), "to": " ".join(detail["to"])},
    )
    await announce(session, event, now=now)


def _to_whom(place: _Place, what: Notice | str) -> dict[str, Any]:
    """The desk; with it, where the law looks to it, the central authority of the own state, and how it is reached."""
    said: dict[str, Any] = {"text": _TEXTS[place.side][what]} if isinstance(what, Notice) else {}
    point = place.node.directory.point(place.node.code)
    if (what, place.side) not in _FOR_CENTRAL_AUTHORITY or point is None:
        return {"to": [DESK], **said}
    authority = point.central_authorities[0]
    contact = {
        "name": authority.name.english,
        "role": authority.contact.role,
        "phone": authority.contact.phone,
        "email": authority.contact.email,
    }
    return {"to": [DESK, CENTRAL_AUTHORITY], "central_authority": contact, **said}
