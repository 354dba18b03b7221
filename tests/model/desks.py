"""What people do at their desks, and what time does: each in one transaction, as the services have it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.acts import EXCHANGE_ACT
from app.domain.codes import MessageType, RequestType, Role, State, Tier
from app.domain.exchange.admission import allowed_actions
from app.domain.exchange.advance import act, act_on_hold
from app.domain.exchange.clocks import delivery_due
from app.domain.exchange.hold_admission import allowed_hold_actions
from app.domain.exchange.judging import judge
from app.domain.exchange.onward import open_transfer, open_use_question
from app.domain.exchange.opening import Call, dispatched, note_again, note_call
from app.domain.exchange.parties import Officer
from app.domain.exchange.proposals import propose, propose_on_hold
from app.domain.exchange.timers import expire, is_undelivered
from app.domain.exchange.values import Asked
from app.domain.exchange.wishing import check_wish, check_wish_on_hold
from app.domain.exchange_codes import Side
from app.domain.hold_acts import HOLD_ACT, HoldOrder
from app.domain.messages import ActionBody, HoldActionBody, OpenBody, StateBody
from app.domain.moments import to_milliseconds
from app.domain.requesting_acts import RaiseTier
from app.domain.snapshot import public_view, read_snapshot
from app.domain.tiers import is_higher, lane_of
from app.errors import Conflict, Refused
from tests.model.effects import look_for_withdrawal, send_state, withdrawal_waits
from tests.model.records import RULES, save
from tests.model.rules import Rule
from tests.model.sending import Outgoing, move_lane, put
from tests.model.values import ActRow, Record, Thread
from tests.support.emergency import EMERGENCY

if TYPE_CHECKING:
    from app.domain.acts import ExchangeAct
    from app.domain.exchange.values import Exchange
    from app.domain.wire import Open
    from tests.model.ground import Node

OPENING_VALID = timedelta(days=30)
DOCUMENT: dict[str, Any] = {"targets": [{}, {}], "requested_period_days": 60}
REQUESTED = (
    Officer(Side.REQUESTED, Role.DUTY_OFFICER, UUID(int=1)),
    Officer(Side.REQUESTED, Role.SUPERVISOR, UUID(int=2)),
)
REQUESTING = Officer(Side.REQUESTING, Role.SUPERVISOR, UUID(int=3))
Choice = tuple[str, UUID | None]
"""An act, and the hold it is about."""


def write(body: Open) -> str:
    """The JSON of a body."""
    return body.model_dump_json(by_alias=True, exclude_none=True)


def dispatch(node: Node, peer: str, type_: RequestType, *, tier: Tier) -> UUID:
    """A signed request leaves the state."""
    exchange_id = node.ground.new_id()
    body = OpenBody(
        type=type_,
        tier=tier,
        requesting=node.code,
        requested=peer,
        request_reference=f"{node.code}-2026-7K3QF9D",
        opened_at=to_milliseconds(node.now),
        document=DOCUMENT,
    )
    with node.transaction() as store:
        value = dispatched(exchange_id, body, now=node.now)
        save(node, store, Record(value, is_incoming=False, delivery_due_at=delivery_due(value)))
        exp = node.now + OPENING_VALID
        letter = Outgoing(peer, MessageType.EXCHANGE_OPEN, write(body), str(exchange_id), exp, lane_of(tier))
        put(node, store, letter)
    return exchange_id


def choices(node: Node, value: Exchange, *, side: Side) -> list[Choice]:
    """What the officers of that side could do now."""
    officers = REQUESTED if side is Side.REQUESTED else (REQUESTING,)
    found: dict[Choice, None] = {}
    for by in officers:
        found |= {(action, None): None for action in allowed_actions(value, by=by, now=node.now)}
        for hold in value.holds:
            found |= {(action, hold.id): None for action in allowed_hold_actions(hold, by=by, now=node.now)}
    return list(found)


def _said(action: str, value: Exchange, side: Side = Side.REQUESTED) -> dict[str, Any]:
    """Words that break no rule; what can be proposed is left out."""
    asked = (one.id for one in value.onward_transfers if open_transfer(value, one.id, giver=side))
    put = (one.id for one in value.use_questions if open_use_question(value, one.id, receiver=side))
    transfer, use = str(next(asked, UUID(int=0))), str(next(put, UUID(int=0)))
    silence = value.state in {State.CLARIFICATION, State.RISK_NOTICE, State.CONDITIONS}
    higher = next((tier for tier in (Tier.URGENT, Tier.EMERGENCY) if is_higher(tier, than=value.tier)), Tier.EMERGENCY)
    words: dict[str, dict[str, Any]] = {
        "ask": {"codes": ["C-PORT"], "text": "Which port?"},
        "supplement": {"text": "Port 51544."},
        "notify_risk": {"codes": ["W-CONF"], "text": "The provider tells its users."},
        "propose_conditions": {"kind": "NO_OTHER_USE", "text": "For this case only."},
        "disclose_traffic_path": {"provider": "Sahran Transit", "country": "XS"},
        "not_executable": {"code": "N-NOANSWER" if silence else "N-NODATA", "reasons": "Nothing is there."},
        "refuse": {"code": "R-POL", "reasons": "A political opinion is being prosecuted.", "considered_partial": True},
        "request_onward_transfer": {"to": "XS", "purpose": "The account is used there."},
        "decide_onward_transfer": {"transfer_id": transfer, "decision": "GRANTED"},
        "ask_use": {"text": "What was it used for?"},
        "explain_use": {"question_id": use, "text": "To find its owner."},
        "confirm_formally": {"reference": "MOJ-7", "date": "2026-11-25"},
        "refer": {"authority": "Prosecutor General"},
        "answer": {"text": "Ninety days."},
        "send_content": {"text": "The address.", "source": "A", "information": "2"},
        "report_progress": {"text": "The order is with the judge."},
        "raise_tier": EMERGENCY if higher is Tier.EMERGENCY else {"tier": higher, "reasons": "It closes."},
        "downgrade": {"alternatives": "Preservation is possible."},
        "claim_mla_sent": {"ca_reference": "CA-7", "date": "2026-11-22"},
        "confirm_mla_received": {"ca_reference": "CA-7"},
        "record_decision": {"text": "Granted."},
        "report_loss": {"text": "A disk failed."},
        "lift": {"reason": "COURT"},
        "request_extension": {"days": 60},
    }
    return words.get(action, {})


def _body(action: str, value: Exchange, node: Node) -> ExchangeAct:
    side = Side.REQUESTING if value.requesting == node.code else Side.REQUESTED
    said = {"action": action, "generation": value.generation, **_said(action, value, side)}
    body = EXCHANGE_ACT.validate_json(json.dumps(said))
    return propose(value, body, rules=RULES, now=node.now, random=lambda count: bytes(range(count)))


def _order(choice: Choice, value: Exchange) -> HoldOrder:
    action, hold_id = choice
    said = {"action": action, "generation": value.generation, **_said(action, value)}
    order = HoldOrder(hold_id or UUID(int=0), HOLD_ACT.validate_json(json.dumps(said)))
    return propose_on_hold(value, order, rules=RULES)


def wish(node: Node, exchange_id: UUID, choice: Choice) -> None:
    """An officer of the requesting side acts: sent, shown as under way, and nothing changed here."""
    record = node.store.exchanges[exchange_id]
    value, now = record.value, node.now
    if value.requested in node.store.closed:
        return
    tier = None
    letter: ActionBody | HoldActionBody
    if choice[1] is not None:
        order = _order(choice, value)
        check_wish_on_hold(value, order, by=REQUESTING, now=now)
        type_, letter = (
            MessageType.HOLD_ACTION,
            HoldActionBody(hold_id=choice[1], act=order.act, at=to_milliseconds(now)),
        )
    else:
        body = _body(choice[0], value, node)
        check_wish(value, body, by=REQUESTING, now=now)
        type_, letter = MessageType.EXCHANGE_ACTION, ActionBody(act=body, at=to_milliseconds(now))
        tier = body.tier if isinstance(body, RaiseTier) else None
    with node.transaction() as store:
        if tier is not None:
            move_lane(node, store, str(exchange_id), lane_of(tier))
        jti = put(node, store, Outgoing(value.requested, type_, write(letter), str(exchange_id)))
        store.acts[jti] = ActRow(exchange_id, choice[0], tier)
        if not node.keeps(Rule.REQUESTED_DECIDES):
            judged = judge(value, letter, now=now, first_received_at=now, zone=RULES.zone)
            save(node, store, replace(record, value=judged.exchange))


def act_here(node: Node, exchange_id: UUID, choice: Choice, *, seen: Exchange) -> None:
    """An officer of the requested side acts on what they have read; refused if it has changed since."""
    record = node.store.exchanges[exchange_id]
    value, now = record.value, node.now
    if value.requesting in node.store.closed:
        return
    read = seen if node.keeps(Rule.GENERATION_SEEN) else value
    by = REQUESTED[1] if choice[0] in {"confirm_refusal", "lift"} and _is_second(value, choice) else REQUESTED[0]
    try:
        if choice[1] is not None:
            changed = act_on_hold(value, _order(choice, read), by=by, rules=RULES, now=now)
        else:
            changed = act(value, _body(choice[0], read, node), by=by, rules=RULES, now=now)
    except (Conflict, Refused):
        return
    waits = withdrawal_waits(node.store, str(exchange_id), value.requesting)
    node.ground.witness.acted(choice[0], saw_it=public_view(seen) == public_view(value), withdrawal_waits=waits)
    with node.transaction() as store:
        after = replace(record, value=changed)
        save(node, store, after)
        if changed.tier is not value.tier:
            move_lane(node, store, str(exchange_id), lane_of(changed.tier))
        send_state(node, store, after)


def _is_second(value: Exchange, choice: Choice) -> bool:
    hold = None if choice[1] is None else value.hold(choice[1])
    return choice[0] == "confirm_refusal" or (hold is not None and hold.proposed_lift is not None)


def note(node: Node, peer: str, exchange_id: UUID, *, type_: RequestType) -> None:
    """A request passed by voice is noted before its opening arrives (ruling 15)."""
    key = (str(exchange_id), peer)
    thread = node.store.threads.get(key, Thread(lane=lane_of(Tier.EMERGENCY)))
    if exchange_id in node.store.exchanges or peer in node.store.closed or thread.opened_by is not None:
        return
    with node.transaction() as store:
        store.threads[key] = replace(thread, opened_by=peer)
        call = Call(exchange_id, peer, node.code, type_, "By voice.")
        known = store.adopted.get(key[0])
        if known is None:
            value = note_call(call, now=node.now)
        else:
            # Our own words of it are back, its opening is not: it goes on from them.
            value = note_again(
                read_snapshot(StateBody.model_validate_json(known[1]).snapshot, asked=Asked()), call, now=node.now
            )
        record = Record(value, is_incoming=True)
        save(node, store, record)
        # The thread may be older than the note: something of it came, or was said, while it was nobody's exchange.
        move_lane(node, store, key[0], lane_of(record.value.tier))
        look_for_withdrawal(node, store, key)
        send_state(node, store, store.exchanges[exchange_id])


def let_timers_run(node: Node) -> None:
    """Holds and exchanges end at the requested node; at the requesting one an alarm goes off, and nothing else."""
    for exchange_id, record in list(node.store.exchanges.items()):
        value = record.value
        if record.is_incoming and value.requesting not in node.store.closed:
            changed = expire(value, node.now)
            if changed is not value:
                with node.transaction() as store:
                    save(node, store, replace(record, value=changed))
                    send_state(node, store, store.exchanges[exchange_id])
        elif is_undelivered(value, side=_side(record), now=node.now) and not record.undeliverable:
            with node.transaction() as store:
                save(node, store, replace(record, undeliverable=True))


def _side(record: Record) -> Side:
    return Side.REQUESTED if record.is_incoming else Side.REQUESTING
