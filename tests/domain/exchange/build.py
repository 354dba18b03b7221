"""Exchanges in every state, officers, rules and acts: what the tests of the machine are made of."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.acts import EXCHANGE_ACT, ExchangeAct
from app.domain.codes import HoldState, Instrument, NotExecutable, RefusalGround, RequestType, Role, State, Tier
from app.domain.exchange.advance import act
from app.domain.exchange.onward_values import Confirmation, OnwardTransfer, UseQuestion
from app.domain.exchange.opening import dispatched, open_exchange
from app.domain.exchange.parties import Officer, PartyRules
from app.domain.exchange.proposals import propose
from app.domain.exchange.values import (
    Answer,
    Condition,
    Exchange,
    Private,
    ProposedRefusal,
    Question,
    Referral,
    TargetResult,
)
from app.domain.exchange_codes import ConditionKind, Flag, QuestionKind, Side
from app.domain.hold_acts import HOLD_ACT, HoldOrder
from app.domain.holds import Hold, end_of_hold
from app.domain.messages import ActionBody, HoldActionBody, OfferedConditionBody, OpenBody
from tests.support.emergency import EMERGENCY

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")
EXCHANGE_ID = UUID("019aab1c-0000-7000-8000-000000000001")
QUESTION_ID = UUID("019aab1c-0000-7000-8000-000000000002")
CONDITION_ID = UUID("019aab1c-0000-7000-8000-000000000003")
HOLD_ID = UUID("019aab1c-0000-7000-8000-000000000004")
TRANSFER_ID = UUID("019aab1c-0000-7000-8000-000000000006")
USE_QUESTION_ID = UUID("019aab1c-0000-7000-8000-000000000007")
SOMEBODY = UUID("019aab1c-0000-7000-8000-000000000005")
EXAMPLES = Path(__file__).parents[3] / "examples"
REASONS = "The data are asked for in order to prosecute a political opinion."

RULES = PartyRules(zone=TOKYO, instruments=tuple(Instrument), reservations=frozenset({"ETS185:29(4)"}))


def officer(side: Side, role: Role = Role.DUTY_OFFICER, number: int = 1) -> Officer:
    """A person of the desk; the same number is the same person."""
    return Officer(side, role, UUID(int=number))


B = officer(Side.REQUESTED)
SUP_B = officer(Side.REQUESTED, Role.SUPERVISOR, 2)
A = officer(Side.REQUESTING, Role.DUTY_OFFICER, 11)
SUP_A = officer(Side.REQUESTING, Role.SUPERVISOR, 12)


def example(name: str) -> dict[str, Any]:
    """One of the project's example documents."""
    document: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    return document


def document(targets: int = 1, article: str = "OTHER") -> dict[str, Any]:
    """The preservation example with so many targets and one offence under this article."""
    filed = example("preservation")
    filed["targets"] = filed["targets"] * targets
    filed["offences"][0]["ets185_article"] = article
    return filed


@cache
def opening(
    kind: RequestType = RequestType.PRESERVATION, *, tier: Tier = Tier.URGENT, targets: int = 1, condition: bool = False
) -> OpenBody:
    """An `exchange.open/1` from XA to XT."""
    offered = OfferedConditionBody(id=CONDITION_ID, kind=ConditionKind.COURT_CONSENT, text="Not in court.")
    return OpenBody(
        type=kind,
        tier=tier,
        requesting="XA",
        requested="XT",
        request_reference="XA-2026-7K3QF9D",
        opened_at=NOW,
        document=document(targets),
        condition=offered if condition else None,
    )


def delivered(kind: RequestType = RequestType.PRESERVATION, *, targets: int = 1, tier: Tier = Tier.URGENT) -> Exchange:
    """An exchange that has just arrived."""
    return open_exchange(EXCHANGE_ID, opening(kind, targets=targets, tier=tier), now=NOW)


def random_bytes(count: int) -> bytes:
    """Bytes that are the same every time."""
    return bytes(range(count))


def body(action: str, generation: int, **members: object) -> ExchangeAct:
    """An act as the interface reads it."""
    return EXCHANGE_ACT.validate_json(json.dumps({"action": action, "generation": generation, **members}))


def do(exchange: Exchange, action: str, *, by: Officer = B, now: datetime = NOW, **members: object) -> Exchange:
    """The exchange after an act of the requested side, with what can be proposed filled in."""
    return do_under(RULES, exchange, action, by=by, now=now, **members)


def do_under(
    rules: PartyRules, exchange: Exchange, action: str, *, by: Officer = B, now: datetime = NOW, **members: object
) -> Exchange:
    """The same under other rules."""
    proposed = propose(
        exchange, body(action, exchange.generation, **members), rules=rules, now=now, random=random_bytes
    )
    return act(exchange, proposed, by=by, rules=rules, now=now)


def walk(exchange: Exchange, *actions: str) -> Exchange:
    """The exchange after these acts of the requested side, each with its default content."""
    for action in actions:
        exchange = do(exchange, action, **content(action, exchange))
    return exchange


def preserved(*, targets: int = 1, now: datetime = NOW) -> Exchange:
    """A preservation that was acknowledged, accepted, started and carried out."""
    begun = walk(delivered(targets=targets), "acknowledge", "accept", "start")
    return do(begun, "preserve", now=now)


def wish(action: str, exchange: Exchange, **members: object) -> ActionBody:
    """An act of the requesting side as it arrives, naming what is open unless told otherwise."""
    given = {**content(action, exchange), **members}
    return ActionBody(act=body(action, exchange.generation, **given), at=NOW)


def hold_order(action: str, exchange: Exchange, hold: Hold, **members: object) -> HoldOrder:
    """An act on a hold as the interface reads it."""
    text = json.dumps({"action": action, "generation": exchange.generation, **hold_content(action), **members})
    return HoldOrder(hold.id, HOLD_ACT.validate_json(text))


def hold_wish(action: str, exchange: Exchange, hold: Hold, **members: object) -> HoldActionBody:
    """An act of the requesting side on a hold as it arrives."""
    order = hold_order(action, exchange, hold, **members)
    return HoldActionBody(hold_id=order.hold_id, act=order.act, at=NOW)


def hold_content(action: str) -> dict[str, Any]:
    """A content of the act on a hold that breaks no rule."""
    contents: dict[str, dict[str, Any]] = {
        "request_extension": {"days": 60},
        "grant_extension": {"days": 60},
        "claim_mla_sent": {"ca_reference": "CA-7", "date": "2026-11-22"},
        "confirm_mla_received": {"ca_reference": "CA-7"},
        "record_decision": {"text": "The request was granted."},
        "report_loss": {"text": "A disk failed."},
        "lift": {"reason": "COURT"},
    }
    return contents.get(action, {})


def content(action: str, exchange: Exchange) -> dict[str, Any]:
    """A content of the act that breaks no rule in this exchange."""
    question = None if exchange.question is None else str(exchange.question.id)
    condition = None if exchange.condition is None else str(exchange.condition.id)
    transfer = next((one.id for one in exchange.onward_transfers if one.decision is None), TRANSFER_ID)
    use = next((one.id for one in exchange.use_questions if one.answer is None), USE_QUESTION_ID)
    silence = exchange.state in {State.CLARIFICATION, State.RISK_NOTICE, State.CONDITIONS}
    contents: dict[str, dict[str, Any]] = {
        "acknowledge": {"b_reference": "XT-1", "next_update_at": "2026-11-22T17:00:00Z"},
        "ask": {"codes": ["C-PORT"], "text": "Which port?"},
        "supplement": {"text": "Port 51544.", "question_id": question},
        "notify_risk": {"codes": ["W-CONF"], "text": "The provider tells its users.", "instrument": "ETS185"},
        "proceed": {"question_id": question},
        "stop": {"question_id": question},
        "propose_conditions": {"kind": "NO_OTHER_USE", "text": "For this case only.", "instrument": "ETS185"},
        "accept_condition": {"condition_id": condition},
        "decline_condition": {"condition_id": condition},
        "accept": {"instrument": "ETS185"},
        "preserve": {
            "results": [{"target": target, "outcome": "HELD"} for target in range(max(1, exchange.asked.targets))],
            "days": 60,
            "preserved_at": "2026-11-22T09:00:00Z",
        },
        "disclose_traffic_path": {"provider": "Sahran Transit", "country": "XS"},
        "not_executable": {
            "code": "N-NOANSWER" if silence else "N-NODATA",
            "reasons": "Nothing is there.",
            "suggestion": "Preservation is possible.",
        },
        "refuse": {
            "code": "R-POL",
            "reasons": REASONS,
            "considered_partial": True,
            "instrument": "ETS185",
            "alternatives": "Preservation is possible.",
        },
        "postpone": {"code": "P-OWN", "review_at": "2026-12-10T09:00:00Z", "considered_partial": True},
        "refer": {"authority": "Prosecutor General"},
        "answer": {"text": "Ninety days."},
        "report_progress": {"text": "The order is with the judge."},
        "raise_tier": EMERGENCY,
        "downgrade": {"alternatives": "Preservation is possible."},
        "send_content": {"text": "The address.", "source": "A", "information": "2"},
        "request_onward_transfer": {"to": "XS", "purpose": "The account is used there as well."},
        "decide_onward_transfer": {"transfer_id": str(transfer), "decision": "GRANTED"},
        "ask_use": {"text": "What was it used for?"},
        "explain_use": {"question_id": str(use), "text": "To find the account's owner."},
        "confirm_formally": {"reference": "MOJ-2026-7", "date": "2026-11-25"},
        "record_oral": {"made_at": "2026-11-22T09:00:00Z", "made_by": "Duty officer XA", "received_by": "Desk XT"},
    }
    return {name: value for name, value in contents.get(action, {}).items() if value is not None}


def with_information(exchange: Exchange) -> Exchange:
    """The exchange with an answer given, and with what both sides can decide or explain; a confirmation is owed."""
    return replace(
        exchange,
        answers=(Answer(NOW, "Ninety days."),),
        onward_transfers=tuple(
            OnwardTransfer(TRANSFER_ID, side, "XS", "The account is used there as well.", NOW) for side in Side
        ),
        use_questions=tuple(UseQuestion(USE_QUESTION_ID, side, "What was it used for?", NOW) for side in Side),
        confirmation=Confirmation(NOW + timedelta(days=20)),
        flags=tuple(sorted({*exchange.flags, Flag.CONFIRMATION_OUTSTANDING})),
    )


def not_reminded(exchange: Exchange) -> Exchange:
    """The same before the requesting side was reminded of what it is to answer."""
    question = None if exchange.question is None else replace(exchange.question, reminded_at=None)
    condition = None if exchange.condition is None else replace(exchange.condition, reminded_at=None)
    return replace(exchange, question=question, condition=condition)


@cache
def in_state(state: State, kind: RequestType = RequestType.PRESERVATION, tier: Tier = Tier.URGENT) -> Exchange:
    """An exchange in this state, with what belongs to the state, built without walking there."""
    targets = 2 if state is State.PARTIALLY_PRESERVED else 1
    begun = dispatched(EXCHANGE_ID, opening(kind, tier=tier, targets=targets), now=NOW)
    begun = replace(begun, state=state, generation=7)
    if state in {State.DISPATCHED, State.DELIVERED}:
        return begun
    taken = replace(begun, b_reference="XT-1")
    waited = NOW - timedelta(days=30)
    due = waited + timedelta(days=1)
    question = Question(QUESTION_ID, QuestionKind.ASK, ("C-PORT",), "Which port?", waited, due, reminded_at=due)
    condition = Condition(CONDITION_ID, ConditionKind.NO_OTHER_USE, "This case only.", waited, due, reminded_at=due)
    extra: dict[State, dict[str, Any]] = {
        State.CLARIFICATION: {"question": question, "resume_state": State.ACKNOWLEDGED, "clarifications": 1},
        State.RISK_NOTICE: {"question": replace(question, kind=QuestionKind.RISK, codes=("W-CONF",))},
        State.CONDITIONS: {"condition": condition},
        State.POSTPONED: {"review_at": NOW + timedelta(days=3), "reason": "P-OWN"},
        State.REFERRED: {"referred_to": Referral("Prosecutor General")},
        State.PRESERVED: {"holds": (timed_hold(),), "results": (TargetResult(0),)},
        State.PARTIALLY_PRESERVED: {
            "holds": (timed_hold(),),
            "results": (TargetResult(0), TargetResult(1, NotExecutable.NODATA)),
        },
    }
    return replace(taken, **extra.get(state, {}))


def timed_hold(preserved_at: datetime = NOW, days: int = 60) -> Hold:
    """A hold whose clock runs."""
    return Hold(
        id=HOLD_ID,
        exchange_id=EXCHANGE_ID,
        state=HoldState.TIMED,
        preserved_at=preserved_at,
        days_granted=days,
        expires_at=end_of_hold(preserved_at, days, zone=TOKYO),
        targets=(0,),
    )


def refusal_proposed(exchange: Exchange, *, by: UUID = SOMEBODY) -> Exchange:
    """The exchange with the first signature under a refusal."""
    proposed = ProposedRefusal(by, RefusalGround.POLITICAL, REASONS, Instrument.ETS185, NOW)
    return replace(exchange, private=Private(proposed_refusal=proposed))
