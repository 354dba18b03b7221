"""How an exchange begins: dispatched here, arrived there, noted after a call, or never opened at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from app.domain.codes import DataCategory, Instrument, RequestType, State, Tier
from app.domain.exchange.clocks import DELIVERY, REPLY
from app.domain.exchange.file_markings import marking_with_files
from app.domain.exchange.formalities import with_formalities
from app.domain.exchange.moves import moved
from app.domain.exchange.requested_effects import with_flag
from app.domain.exchange.requesting_effects import WITHDRAWN
from app.domain.exchange.values import NOT_OPENED, Asked, Condition, Exchange, Progress
from app.domain.exchange_codes import Flag
from app.domain.marking_bodies import read_marking
from app.domain.moments import to_milliseconds
from app.domain.transitions import X1, X29
from app.domain.wire import MAX_HOLD_DAYS, MAX_TARGETS
from app.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta
    from uuid import UUID

    from app.domain.codes import Fate
    from app.domain.messages import OpenBody
    from app.domain.requesting_acts import Withdraw

NOT_YOURS = "not_yours"


@dataclass(frozen=True, slots=True)
class Call:
    """A request passed by voice: what the requested side noted of it."""

    exchange_id: UUID
    requesting: str
    requested: str
    type: RequestType
    noted: str


def dispatched(exchange_id: UUID, body: OpenBody, *, now: datetime) -> Exchange:
    """What the requesting side shows before the first snapshot: DISPATCHED, generation 0."""
    moment = to_milliseconds(now)
    return Exchange(
        id=exchange_id,
        requesting=body.requesting,
        requested=body.requested,
        type=body.type,
        tier=body.tier,
        state=State.DISPATCHED,
        generation=0,
        request_reference=body.request_reference,
        opened_at=body.opened_at,
        changed_at=moment,
        state_since=moment,
        asked=read_opening(body),
    )


def open_exchange(
    exchange_id: UUID,
    body: OpenBody,
    *,
    now: datetime,
    withdraw: Withdraw | None = None,
    confirm_within: timedelta | None = None,
) -> Exchange:
    """The exchange as it begins at the requested side: DELIVERED, generation 1 (X1).

    With a `withdraw` that arrived together with it, it is born WITHDRAWN and never offered as work (ruling 15).
    `confirm_within` is the term of a requested side that wants a formal confirmation (art. 25(3)).
    """
    moment = to_milliseconds(now)
    arrived = replace(
        moved(dispatched(exchange_id, body, now=moment), X1, now=moment),
        generation=1,
        changed_at=moment,
        condition=_offered(body, now=moment),
    )
    if moment - body.opened_at > DELIVERY[body.tier]:
        arrived = with_flag(arrived, Flag.LATE)
    if withdraw is None:
        return with_formalities(arrived, body, confirm_within=confirm_within, now=moment)
    return replace(moved(arrived, X29, now=moment), reason=WITHDRAWN, reason_text=withdraw.reasons)


def not_opened(exchange_id: UUID, body: OpenBody, *, fate: Fate, now: datetime) -> Exchange:
    """What answers an open that expired, was voided or was refused: CLOSED, generation 1; later acts are stale."""
    moment = to_milliseconds(now)
    begun = dispatched(exchange_id, body, now=moment)
    reason = f"{NOT_OPENED}:{fate.value}"
    return replace(begun, state=State.CLOSED, generation=1, reason=reason)


def note_call(call: Call, *, now: datetime) -> Exchange:
    """An exchange begun by voice, before its open arrives: DELIVERED and marked `noted`; it can be worked on.

    The tier is EMERGENCY until the open says otherwise: nobody telephones around a broken line for less.
    """
    moment = to_milliseconds(now)
    return Exchange(
        id=call.exchange_id,
        requesting=call.requesting,
        requested=call.requested,
        type=call.type,
        tier=Tier.EMERGENCY,
        state=State.DELIVERED,
        generation=1,
        request_reference="",
        opened_at=moment,
        changed_at=moment,
        state_since=moment,
        flags=(Flag.NOTED,),
        progress=(Progress(moment, call.noted),),
    )


def note_again(known: Exchange, call: Call, *, now: datetime) -> Exchange:
    """A call about an exchange that a restore has left without its opening: it goes on from what we had signed of it.

    What was signed counts where the telephone was misheard. The mark goes when the opening has come back.
    """
    moment = to_milliseconds(now)
    return replace(
        with_flag(known, Flag.NOTED),
        generation=known.generation + 1,
        changed_at=moment,
        progress=(*known.progress, Progress(moment, call.noted)),
    )


def attach_again(
    exchange: Exchange, body: OpenBody, *, now: datetime, confirm_within: timedelta | None = None
) -> Exchange:
    """The opening of an exchange that stands without it comes again, its fate told long ago: it changes no state.

    An exchange of which nothing but a call is known takes from it what `attach` takes.
    """
    if Flag.NOTED not in exchange.flags:
        return replace(exchange, asked=read_opening(body))
    if not exchange.request_reference:
        return attach(exchange, body, now=now, confirm_within=confirm_within)
    return replace(
        exchange,
        generation=exchange.generation + 1,
        changed_at=to_milliseconds(now),
        flags=tuple(flag for flag in exchange.flags if flag is not Flag.NOTED),
        asked=read_opening(body),
    )


def attach(exchange: Exchange, body: OpenBody, *, now: datetime, confirm_within: timedelta | None = None) -> Exchange:
    """The open to an exchange that was noted by voice: it keeps its state and is one generation on (ruling 15).

    What was signed counts where the telephone was misheard: the type is that of the open. Raises Conflict `not_yours`
    if it comes from another code, to another code, or to one not noted.
    """
    same = (exchange.requesting, exchange.requested) == (body.requesting, body.requested)
    if not same or Flag.NOTED not in exchange.flags:
        raise Conflict(NOT_YOURS, "the open does not belong to the exchange that was noted")
    moment = to_milliseconds(now)
    attached = replace(
        exchange,
        type=body.type,
        tier=body.tier,
        generation=exchange.generation + 1,
        changed_at=moment,
        request_reference=body.request_reference,
        opened_at=body.opened_at,
        flags=tuple(flag for flag in exchange.flags if flag is not Flag.NOTED),
        condition=_offered(body, now=moment),
        asked=read_opening(body),
    )
    return with_formalities(attached, body, confirm_within=confirm_within, now=moment)


def read_opening(body: OpenBody) -> Asked:
    """The same as `read_asked`, with what stands beside the document.

    That is the chosen basis, which goes before those that the document names, the marking with that of the files, the
    condition of an offer.
    """
    offered = body.condition if body.type is RequestType.SPONTANEOUS_INFORMATION else None
    asked = read_asked(body.document)
    chosen = () if body.basis is None else (body.basis.instrument,)
    return replace(
        asked,
        instruments=tuple(dict.fromkeys((*chosen, *asked.instruments))),
        marking=marking_with_files(read_marking(body.marking), body.attachments),
        offered=None if offered is None else offered.id,
    )


def read_asked(document: Mapping[str, Any]) -> Asked:
    """What the rules need of a request's document. The document is another state's: what cannot be read is left out."""
    targets = document.get("targets")
    days = document.get("requested_period_days")
    intent = document.get("mla_intent")
    return Asked(
        targets=min(len(targets), MAX_TARGETS) if isinstance(targets, list) else 0,
        articles=tuple(str(article) for article in _members(document.get("offences"), "ets185_article")),
        requested_days=days if isinstance(days, int) and 0 < days <= MAX_HOLD_DAYS else None,
        instruments=_instruments(document.get("legal_basis")),
        categories=_categories(targets),
        mla_planned_on=_day(intent.get("planned_date")) if isinstance(intent, dict) else None,
        mla_intended=isinstance(intent, dict) and intent.get("intends") is True,
    )


def _offered(body: OpenBody, *, now: datetime) -> Condition | None:
    """The condition under which spontaneous information is offered."""
    if body.condition is None or body.type is not RequestType.SPONTANEOUS_INFORMATION:
        return None
    offered = body.condition
    return Condition(offered.id, offered.kind, offered.text, now, now + REPLY[body.tier])


def _instruments(basis: object) -> tuple[Instrument, ...]:
    named = _members(basis.get("international"), "instrument") if isinstance(basis, dict) else ()
    known = {instrument.value for instrument in Instrument}
    return tuple(dict.fromkeys(Instrument(name) for name in named if isinstance(name, str) and name in known))


def _categories(targets: object) -> tuple[DataCategory, ...]:
    """The kinds of data asked for, if that can be read of every target."""
    asked = _members(targets, "data_categories")
    if not isinstance(targets, list) or len(asked) != len(targets):
        return ()
    named = [name for names in asked for name in (names if isinstance(names, list) else [None])]
    known = {category.value for category in DataCategory}
    if not all(isinstance(name, str) and name in known for name in named):
        return ()
    return tuple(dict.fromkeys(DataCategory(str(name)) for name in named))


def _members(entries: object, name: str) -> tuple[object, ...]:
    """The member `name` of each object in a list, where there is one."""
    if not isinstance(entries, list):
        return ()
    return tuple(entry[name] for entry in entries if isinstance(entry, dict) and name in entry)


def _day(text: object) -> date | None:
    if not isinstance(text, str):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
