"""An officer of the requesting side acts: a wish is sent, shown as under way, and decided by the other node alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.db import acts, requests
from app.db.acts import ActRecord
from app.domain.codes import MessageType
from app.domain.exchange.admission import admit
from app.domain.exchange.file_markings import marking_with_files
from app.domain.exchange.hold_admission import admit_on_hold, admit_person, find_hold
from app.domain.exchange.offering import with_kept_content
from app.domain.exchange.proposals import propose, propose_on_hold
from app.domain.exchange.wishing import check_wish, check_wish_on_hold
from app.domain.exchange_codes import Side
from app.domain.hold_acts import HoldOrder
from app.domain.marking_bodies import read_marking, write_marking
from app.domain.markings import strictest
from app.domain.messages import ActionBody, HoldActionBody, write_body
from app.domain.moments import to_milliseconds
from app.domain.requesting_acts import RaiseTier, SendContent
from app.domain.tiers import lane_of
from app.errors import Conflict, Forbidden
from app.services.attach_uploads import files_of_act
from app.services.exchange_rules import officer, rules_for
from app.services.send import Outgoing, move_lane, put
from app.services.tell import Happening, tell

if TYPE_CHECKING:
    from uuid import UUID

    from app.db.exchanges import ExchangeRecord
    from app.domain.acts import ExchangeAct
    from app.domain.exchange.values import Exchange
    from app.domain.hold_acts import HoldAct
    from app.domain.markings import Marking
    from app.domain.wire import Act
    from app.services.node import Acting
    from app.services.wanted import Wanted


@dataclass(frozen=True, slots=True)
class _Said:
    """The act as completed, and the hold it is about."""

    body: Act
    hold_id: UUID | None = None


async def wish(acting: Acting, record: ExchangeRecord, wanted: Wanted[ExchangeAct]) -> UUID:
    """Queue the act and return its id. The exchange here stays as the last snapshot showed it.

    Raises, in this order: Forbidden, Conflict (`stale_generation`, `action_not_allowed`), Refused.
    """
    by, now = officer(acting.actor, Side.REQUESTING), acting.now
    moment = to_milliseconds(now)
    admit(record.value, wanted.action, generation=wanted.generation, by=by, now=moment)
    rules = rules_for(acting.node, record.value, now=now)
    given = await _with_what_was_kept(acting, record, wanted.read())
    body = propose(record.value, given, rules=rules, now=now, random=acting.node.random)
    check_wish(record.value, body, by=by, now=now)
    if isinstance(body, RaiseTier):
        # Our own raise that is still under way counts as the present tier (ruling 13): it and all before it hurry.
        await move_lane(acting.session, record.value.id, lane_of(body.tier), now=now)
    marking = _marking(record.value, body)
    files = await files_of_act(acting, record, wanted, marking=marking)
    bears = write_marking(marking_with_files(marking, files) or marking)
    said = ActionBody(act=body, at=moment, marking=bears, attachments=tuple(files) or None)
    letter = _letter(record, MessageType.EXCHANGE_ACTION, write_body(said))
    return await _send(acting, record, letter, _Said(body))


async def wish_on_hold(acting: Acting, record: ExchangeRecord, *, hold_id: UUID, wanted: Wanted[HoldAct]) -> UUID:
    """The same for a wish about one of the exchange's holds."""
    by, now = officer(acting.actor, Side.REQUESTING), acting.now
    moment = to_milliseconds(now)
    hold = find_hold(record.value, hold_id)
    admit_person(hold, wanted.action, by=by)
    if wanted.generation is not None and wanted.generation != record.value.generation:
        raise Conflict("stale_generation", "The exchange has changed since you read it.")
    admit_on_hold(hold, wanted.action, by=by, now=moment)
    rules = rules_for(acting.node, record.value, now=now)
    order = propose_on_hold(record.value, HoldOrder(hold_id, wanted.read()), rules=rules)
    check_wish_on_hold(record.value, order, by=by, now=now)
    said = HoldActionBody(hold_id=hold_id, act=order.act, at=moment, marking=write_marking(record.value.marking))
    body = write_body(said)
    letter = _letter(record, MessageType.HOLD_ACTION, body)
    return await _send(acting, record, letter, _Said(order.act, hold_id))


async def _with_what_was_kept(acting: Acting, record: ExchangeRecord, body: ExchangeAct) -> ExchangeAct:
    """The information that was kept at home with an offer, where its officer has written no other."""
    if not isinstance(body, SendContent) or record.request_id is None:
        return body
    request = await requests.load(acting.session, record.request_id)
    return body if request is None else with_kept_content(body, request.document)


def _marking(value: Exchange, body: ExchangeAct) -> Marking:
    """What the act bears: the strictest of the exchange and of what it gives; its files may add to that."""
    own = read_marking(body.marking) if isinstance(body, SendContent) else None
    return value.marking if own is None else strictest(value.marking, own)


def _letter(record: ExchangeRecord, type_: MessageType, body: dict[str, object]) -> Outgoing:
    return Outgoing(peer=record.value.requested, type=type_, body=body, thread=str(record.value.id))


async def _send(acting: Acting, record: ExchangeRecord, letter: Outgoing, said: _Said) -> UUID:
    session, node, actor, now = acting.session, acting.node, acting.actor, acting.now
    if actor.person_id is None:
        raise Forbidden("role_not_allowed", "Only a person acts on an exchange.")
    jti = await put(session, node, letter, now=now)
    members = said.body.model_dump(mode="json", exclude_none=True)
    action = str(members.pop("action"))
    await acts.add(session, ActRecord(jti, record.value.id, said.hold_id, action, members, actor.person_id, now))
    happened = Happening(
        kind="exchange",
        subject=record.value.id,
        event=f"{action}_sent",
        state=record.value.state,
        generation=record.value.generation,
        detail=members,
        for_agency=False,
        ids={"act_id": str(jti), "reference": record.value.request_reference},
    )
    await tell(session, node, happened, actor=actor, now=now)
    return jti
