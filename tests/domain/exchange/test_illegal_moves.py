"""Moves that the tables do not know, one by one (domain.md 6.3): each is turned away and changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from app.domain.acts import EXCHANGE_ACT
from app.domain.codes import Fate, RequestType, Role, State, Tier
from app.domain.exchange.admission import allowed_actions
from app.domain.exchange.judging import judge
from app.domain.exchange.timers import expire
from app.domain.exchange_codes import By, Side
from app.domain.transitions import EXCHANGE_ROWS, REQUESTING_ACTS
from app.errors import Conflict, Forbidden, Refused
from tests.domain.exchange.build import (
    NOW,
    SUP_A,
    SUP_B,
    TOKYO,
    A,
    B,
    content,
    do,
    in_state,
    officer,
    refusal_proposed,
    wish,
)

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange

ACTIONS = sorted({row.action for row in EXCHANGE_ROWS if row.action is not None})
AFTER_THE_END = {
    "report_progress",
    "supplement",
    "request_onward_transfer",
    "decide_onward_transfer",
    "ask_use",
    "explain_use",
    "confirm_formally",
}
"""What tells something after the end and changes no state."""


def turned_away(exchange: Exchange, action: str, **members: object) -> str:
    """The reason for which the requested side's supervisor, who may do most, cannot do this."""
    with pytest.raises(Conflict) as caught:
        do(exchange, action, by=SUP_B, **{**content(action, exchange), **members})
    assert caught.value.code == "action_not_allowed"
    return str(caught.value.extra["reason"])


@pytest.mark.parametrize("ended", [State.REFUSED, State.WITHDRAWN, State.NOT_EXECUTABLE, State.CLOSED])
def test_an_end_is_never_left(ended: State) -> None:
    """REFUSED → anything: no act of either side moves what has ended, and no timer does."""
    exchange = in_state(ended)
    for by in (A, SUP_A, B, SUP_B):
        assert set(allowed_actions(exchange, by=by, now=NOW)) <= AFTER_THE_END
    for action in ACTIONS:
        judged = judge(exchange, wish(action, exchange, **named(action)), now=NOW, first_received_at=NOW, zone=TOKYO)
        assert judged.exchange.state is ended
    assert expire(exchange, NOW + timedelta(days=400)) is exchange


def named(action: str) -> dict[str, Any]:
    """What an act names that is open nowhere."""
    ids = {"proceed": "question_id", "accept_condition": "condition_id", "decline_condition": "condition_id"}
    return {ids[action]: "019aab1c-0000-7000-8000-0000000000ff"} if action in ids else {}


@pytest.mark.parametrize("state", [State.PRESERVED, State.PARTIALLY_PRESERVED])
def test_preserved_data_are_not_refused(state: State) -> None:
    """PRESERVED → REFUSED: an annulment at home is a hold that is LIFTED, not a refusal."""
    assert turned_away(in_state(state), "refuse") == "state"
    assert turned_away(refusal_proposed(in_state(state)), "confirm_refusal") == "state"


def test_a_preservation_knows_no_condition_and_no_postponement() -> None:
    """CONDITIONS and POSTPONED on PRESERVATION: art. 29 has neither."""
    for state in (State.ACKNOWLEDGED, State.IN_EXECUTION):
        assert turned_away(in_state(state), "propose_conditions") == "type"
    assert turned_away(in_state(State.ACKNOWLEDGED), "postpone") == "type"
    assert do(in_state(State.ACKNOWLEDGED, RequestType.EVIDENCE_COLLECTION), "postpone", **postponed()).state is (
        State.POSTPONED
    )


def postponed() -> dict[str, Any]:
    """A postponement that breaks no rule."""
    return content("postpone", in_state(State.ACKNOWLEDGED))


def test_a_postponement_is_reviewed_within_thirty_days_and_weighed() -> None:
    """Review after 31 days is refused; without the tick on partial execution there is no such act."""
    exchange = in_state(State.ACKNOWLEDGED, RequestType.LOCATE_SUSPECT)
    late = (NOW + timedelta(days=31)).isoformat()
    with pytest.raises(Refused):
        do(exchange, "postpone", **{**postponed(), "review_at": late})
    with pytest.raises(ValidationError):
        do(exchange, "postpone", **{**postponed(), "considered_partial": False})
    waiting = do(exchange, "postpone", **postponed())
    resumed = expire(waiting, NOW + timedelta(days=20))
    assert (resumed.state, resumed.reason, resumed.review_at) == (State.ACKNOWLEDGED, None, None)


def test_nobody_does_the_other_side_s_acts() -> None:
    """B writing `desired`, A writing `status`: 403 at home, `not_yours` where it arrives."""
    both = {"close", *AFTER_THE_END} - {"confirm_formally", "supplement", "report_progress"}
    for action in REQUESTING_ACTS - both:
        notice = in_state(State.RISK_NOTICE)
        with pytest.raises(Forbidden):
            do(notice, action, **{**named(action), **content(action, notice)})
    for action in set(ACTIONS) - REQUESTING_ACTS:
        exchange = in_state(State.ACKNOWLEDGED)
        judged = judge(exchange, wish(action, exchange), now=NOW, first_received_at=NOW, zone=TOKYO)
        assert (judged.fate, judged.code, judged.exchange) == (Fate.REFUSED, "not_yours", exchange)


def test_the_system_never_refuses() -> None:
    """No row that leads to a decision against the request is walked by a timer or on arrival."""
    against = {State.REFUSED, State.NOT_EXECUTABLE, State.WITHDRAWN, State.POSTPONED}
    assert [row.id for row in EXCHANGE_ROWS if By.SYS in row.by and against & set(row.targets)] == []


CONTENT: dict[str, dict[str, Any]] = {
    "a text": {"text": "The mail said: meet at nine."},
    "a body on a station": {"path": [{"address": "198.51.100.20", "content": "meet at nine"}]},
    "words in the place of an address": {"path": [{"address": "meet me at nine"}]},
    "a subject line": {"subject": "Re: tonight"},
}


@pytest.mark.parametrize("what", CONTENT)
def test_a_traffic_path_has_no_content(what: str) -> None:
    """TPD with content data: provider, country, stations and times are all that the act can say."""
    told = {"action": "disclose_traffic_path", "generation": 7, "provider": "Sahran Transit", "country": "XS"}
    EXCHANGE_ACT.validate_json(json.dumps(told))
    with pytest.raises(ValidationError):
        EXCHANGE_ACT.validate_json(json.dumps(told | CONTENT[what]))


def test_a_traffic_path_names_a_provider_abroad_or_says_why_not() -> None:
    """Art. 30: a provider in another state; withheld on two grounds alone, and then nothing else is said."""
    begun = in_state(State.IN_EXECUTION)
    with pytest.raises(Refused) as caught:
        do(begun, "disclose_traffic_path", provider="Kitano Broadband KK", country="XT")
    assert caught.value.code == "provider_not_abroad"
    for ground in ("R-DC", "R-LAW", "R-BESTEFFORT"):
        with pytest.raises(ValidationError):
            do(begun, "disclose_traffic_path", withheld=ground)
    withheld = do(begun, "disclose_traffic_path", withheld="R-ESS")
    assert [(path.withheld, path.provider) for path in withheld.traffic_paths] == [("R-ESS", None)]
    for kind in (RequestType.TECHNICAL_ADVICE, RequestType.EVIDENCE_COLLECTION):
        assert turned_away(in_state(State.IN_EXECUTION, kind), "disclose_traffic_path") == "type"


@pytest.mark.parametrize(
    ("action", "kind"), [("preserve", RequestType.PRESERVATION), ("answer", RequestType.TECHNICAL_ADVICE)]
)
def test_no_result_without_the_requested_side_s_reference(action: str, kind: RequestType) -> None:
    """A result that nobody at B could be asked about is none."""
    exchange = replace(in_state(State.IN_EXECUTION, kind), b_reference=None)
    assert turned_away(exchange, action) == "b_reference_missing"


def test_nothing_is_executed_after_stop() -> None:
    """STOP ends it: the acts that execute find no way, and what was open is gone."""
    notice = in_state(State.RISK_NOTICE)
    stopped = judge(notice, wish("stop", notice), now=NOW, first_received_at=NOW, zone=TOKYO).exchange
    assert (stopped.state, stopped.reason, stopped.question) == (State.WITHDRAWN, "stopped", None)
    for action in ("start", "preserve", "accept", "disclose_traffic_path", "answer"):
        assert turned_away(stopped, action) in {"state", "type"}


def test_no_notice_after_the_order_was_served() -> None:
    """X7 asks whether to execute: it comes before the order is served, from whichever state."""
    begun = in_state(State.ACCEPTED)
    assert do(do(begun, "start"), "notify_risk", **content("notify_risk", begun)).state is State.RISK_NOTICE
    served = do(begun, "start", order_served=True)
    assert turned_away(served, "notify_risk") == "order_served"
    told = do(do(begun, "start"), "report_progress", text="Served at noon.", order_served=True)
    assert (told.served_at, turned_away(told, "notify_risk")) == (NOW, "order_served")


def test_one_question_before_the_determination_of_an_emergency() -> None:
    """X4: one round at most; after the determination, and in other tiers, further questions may be asked."""
    for tier, allowed in ((Tier.EMERGENCY, False), (Tier.URGENT, True)):
        asked_once = replace(in_state(State.ACKNOWLEDGED, tier=tier), clarifications=1)
        assert ("ask" in allowed_actions(asked_once, by=B, now=NOW)) is allowed
        decided = replace(in_state(State.IN_EXECUTION, tier=tier), clarifications=1)
        assert "ask" in allowed_actions(decided, by=B, now=NOW)


@pytest.mark.parametrize("role", [Role.MONITOR, Role.REGISTRAR, Role.ADMINISTRATOR, Role.AUDITOR, Role.AGENCY_OFFICER])
def test_who_is_not_of_the_desk_does_nothing(role: Role) -> None:
    """No act of any side, in any state."""
    for state in State:
        for side in Side:
            assert allowed_actions(in_state(state), by=officer(side, role), now=NOW) == ()
