"""What each act of the requested side adds, and what its content is held against."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import Instrument, RequestType, State, Tier
from app.domain.exchange.advance import act
from app.domain.exchange.judging import awaiting_withdrawal
from app.domain.exchange_codes import Flag, QuestionKind, Side
from app.errors import Conflict, Refused
from tests.domain.exchange.build import (
    NOW,
    RULES,
    A,
    B,
    body,
    delivered,
    do,
    do_under,
    in_state,
    not_reminded,
    preserved,
    walk,
)

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange


def refused(exchange: Exchange, action: str, **members: object) -> Refused:
    """The refusal of an act whose content breaks a rule."""
    with pytest.raises(Refused) as caught:
        act(exchange, body(action, exchange.generation, **members), by=B, rules=RULES, now=NOW)
    return caught.value


def test_a_preservation_runs_from_delivery_to_the_hold() -> None:
    """The happy path: each act needs no more than its name, each is one generation."""
    exchange = delivered()
    path = [exchange.state]
    for action in ("acknowledge", "accept", "start", "preserve"):
        exchange = do(exchange, action)
        path.append(exchange.state)
    assert path == [State.DELIVERED, State.ACKNOWLEDGED, State.ACCEPTED, State.IN_EXECUTION, State.PRESERVED]
    assert exchange.generation == 5
    assert len(exchange.holds) == 1


def test_advice_runs_from_delivery_to_the_answer() -> None:
    """A question is acknowledged and answered in words."""
    exchange = walk(delivered(RequestType.TECHNICAL_ADVICE), "acknowledge", "answer")
    assert exchange.state is State.ANSWERED
    assert [answer.text for answer in exchange.answers] == ["Ninety days."]


BROKEN: dict[str, tuple[str, State, dict[str, object], tuple[str, str]]] = {
    "a reference is missing": ("acknowledge", State.DELIVERED, {}, ("/b_reference", "missing")),
    "the next update lies behind": (
        "acknowledge",
        State.DELIVERED,
        {"b_reference": "XT-1", "next_update_at": "2026-11-22T09:00:00Z"},
        ("/next_update_at", "out_of_range"),
    ),
    "the next update lies years ahead": (
        "report_progress",
        State.ACKNOWLEDGED,
        {"text": "Soon.", "next_update_at": "9999-12-31T00:00:00Z"},
        ("/next_update_at", "out_of_range"),
    ),
    "an answer is due before it is asked": (
        "ask",
        State.ACKNOWLEDGED,
        {"codes": ["C-TZ"], "text": "Zone?", "due_at": "2026-11-22T09:30:00Z"},
        ("/due_at", "out_of_range"),
    ),
    "no instrument is in force": ("accept", State.ACKNOWLEDGED, {}, ("/instrument", "N-NOBASIS")),
    "silence is claimed where nobody was asked": (
        "not_executable",
        State.ACKNOWLEDGED,
        {"code": "N-NOANSWER", "reasons": "No reply."},
        ("/code", "code_not_available"),
    ),
    "another reason is given for silence": (
        "not_executable",
        State.CLARIFICATION,
        {"code": "N-NODATA", "reasons": "None."},
        ("/code", "code_not_available"),
    ),
    "reasons are owed": ("not_executable", State.IN_EXECUTION, {"code": "N-NODATA"}, ("/reasons", "missing")),
    "days and date of a preservation are missing": (
        "preserve",
        State.IN_EXECUTION,
        {"results": [{"target": 0, "outcome": "HELD"}]},
        ("/days", "missing"),
    ),
    "a preservation lies ahead": (
        "preserve",
        State.IN_EXECUTION,
        {"results": [{"target": 0, "outcome": "HELD"}], "days": 60, "preserved_at": "2026-11-22T09:31:00Z"},
        ("/preserved_at", "out_of_range"),
    ),
    "a hold would have ended before it is told": (
        "preserve",
        State.IN_EXECUTION,
        {"results": [{"target": 0, "outcome": "HELD"}], "days": 60, "preserved_at": "2026-01-01T00:00:00Z"},
        ("/preserved_at", "out_of_range"),
    ),
    "a target is not in the request": (
        "preserve",
        State.IN_EXECUTION,
        {"results": [{"target": 3, "outcome": "HELD"}], "days": 60, "preserved_at": "2026-11-22T09:00:00Z"},
        ("/results", "per_target_incomplete"),
    ),
    "nothing is held": (
        "preserve",
        State.IN_EXECUTION,
        {"results": [{"target": 0, "outcome": "N-EXPIRED"}], "days": 60, "preserved_at": "2026-11-22T09:00:00Z"},
        ("/results", "nothing_held"),
    ),
}


@pytest.mark.parametrize("why", BROKEN)
def test_content_that_breaks_a_rule_is_refused_at_its_place(why: str) -> None:
    """The refusal names the member and the rule, and is known by the first rule broken."""
    action, state, members, place_and_code = BROKEN[why]
    fault = refused(in_state(state), action, **members)
    assert fault.code == fault.errors[0].code
    assert place_and_code in {(error.pointer, error.code) for error in fault.errors}


def test_an_instrument_that_is_not_in_force_is_refused_and_those_in_force_are_named() -> None:
    """Accepting rests on an instrument in force between the two states."""
    rules = replace(RULES, instruments=(Instrument.ETS185,))
    with pytest.raises(Refused) as caught:
        do_under(rules, in_state(State.ACKNOWLEDGED), "accept", instrument="UNCC")
    assert caught.value.code == "instrument_not_in_force"
    assert "ETS185" in caught.value.errors[0].detail


def test_without_any_instrument_nothing_can_be_accepted() -> None:
    """No basis is said as such, and `not_executable` remains."""
    rules = replace(RULES, instruments=())
    with pytest.raises(Refused) as caught:
        do_under(rules, in_state(State.ACKNOWLEDGED), "accept")
    assert caught.value.code == "N-NOBASIS"
    ended = do_under(rules, in_state(State.ACKNOWLEDGED), "not_executable", code="N-NOBASIS", reasons="No treaty.")
    assert (ended.state, ended.reason) == (State.NOT_EXECUTABLE, "N-NOBASIS")


def test_a_stale_generation_is_told_the_present_one_and_changes_nothing() -> None:
    """Who acts on what has changed meanwhile is turned away before the state is looked at."""
    exchange = in_state(State.REFUSED)
    with pytest.raises(Conflict) as caught:
        act(exchange, body("start", exchange.generation - 1), by=B, rules=RULES, now=NOW)
    assert caught.value.code == "stale_generation"
    assert caught.value.extra["generation"] == exchange.generation


def test_asking_remembers_where_it_was_asked_from() -> None:
    """A clarification during execution resumes execution, not the beginning."""
    asked = do(in_state(State.IN_EXECUTION), "ask", codes=["C-PORT"], text="Which port?")
    assert asked.resume_state is State.IN_EXECUTION
    assert asked.question is not None
    assert asked.question.kind is QuestionKind.ASK
    assert asked.question.due_at == NOW + timedelta(hours=24)


def test_an_emergency_is_asked_about_once_before_it_is_decided() -> None:
    """X4: one round of questions at most; after the decision asking is free again."""
    once = replace(in_state(State.ACKNOWLEDGED, tier=Tier.EMERGENCY), clarifications=1)
    with pytest.raises(Conflict) as caught:
        do(once, "ask", codes=["C-PORT"], text="Which port?")
    assert caught.value.extra["reason"] == "one_question_in_emergency"
    later = replace(once, state=State.IN_EXECUTION)
    assert do(later, "ask", codes=["C-PORT"], text="Which port?").state is State.CLARIFICATION


@pytest.mark.parametrize("state", [State.CLARIFICATION, State.RISK_NOTICE, State.CONDITIONS])
def test_silence_counts_only_after_twice_the_term(state: State) -> None:
    """X6, X10, X30: a moment before, or without a reminder, waiting goes on; then it may be ended, never by itself."""
    exchange = in_state(state)
    asked = exchange.question or exchange.condition
    assert asked is not None
    begun = exchange.question.asked_at if exchange.question else exchange.condition.proposed_at  # type: ignore[union-attr] # one of the two is set
    twice = begun + 2 * (asked.due_at - begun)
    with pytest.raises(Conflict) as caught:
        do(exchange, "not_executable", now=twice - timedelta(milliseconds=1), code="N-NOANSWER")
    assert caught.value.extra["reason"] == "answer_not_overdue"
    ended = do(exchange, "not_executable", now=twice, code="N-NOANSWER")
    with pytest.raises(Conflict) as unasked:
        do(not_reminded(exchange), "not_executable", now=twice, code="N-NOANSWER")
    assert unasked.value.extra["reason"] == "not_reminded"
    assert (ended.state, ended.reason) == (State.NOT_EXECUTABLE, "N-NOANSWER")
    assert ended.question is None
    assert ended.condition is None


def test_outside_preservation_a_notice_speaks_of_confidentiality_alone() -> None:
    """Art. 29(6) is about preservation; art. 27(8) leaves W-CONF for everything else."""
    advice = in_state(State.ACKNOWLEDGED, RequestType.TECHNICAL_ADVICE)
    fault = refused(advice, "notify_risk", codes=["W-AVAIL"], text="It may be gone.", instrument="ETS185")
    assert fault.code == "code_not_available"
    told = do(advice, "notify_risk", codes=["W-CONF"], text="It would be known.", instrument="ETS185")
    assert told.state is State.RISK_NOTICE


def test_conditions_cannot_be_put_on_a_preservation() -> None:
    """Art. 28(2) speaks of the supply of information; a preservation supplies none."""
    with pytest.raises(Conflict) as caught:
        do(in_state(State.ACKNOWLEDGED), "propose_conditions", kind="NO_OTHER_USE", text="Only this case.")
    assert caught.value.extra["reason"] == "type"


def test_a_preservation_cannot_be_postponed_and_a_collection_of_evidence_can() -> None:
    """Art. 29 knows no postponement; art. 27(5) does, for up to thirty days."""
    asked: dict[str, Any] = {"code": "P-OWN", "review_at": "2026-12-22T09:30:00Z", "considered_partial": True}
    with pytest.raises(Conflict):
        do(in_state(State.ACKNOWLEDGED), "postpone", **asked)
    evidence = in_state(State.ACKNOWLEDGED, RequestType.EVIDENCE_COLLECTION)
    postponed = do(evidence, "postpone", **asked)
    assert (postponed.state, postponed.reason) == (State.POSTPONED, "P-OWN")
    assert refused(evidence, "postpone", **{**asked, "review_at": "2026-12-22T09:30:00.001Z"}).code == "out_of_range"
    resumed = do(postponed, "resume")
    assert (resumed.state, resumed.reason, resumed.review_at) == (State.ACKNOWLEDGED, None, None)


def test_a_referral_goes_on_here_or_outside() -> None:
    """X23 to X25: the authority is named; the relay resumes execution, or closes with the reference outside."""
    referred = do(in_state(State.ACKNOWLEDGED), "refer", authority="Prosecutor General", contact="+99900555100")
    assert do(referred, "start").state is State.IN_EXECUTION
    closed = do(referred, "close", reference="PG-12/26")
    assert (closed.state, closed.reason) == (State.CLOSED, "continued_outside")
    assert closed.referred_to is not None
    assert closed.referred_to.reference == "PG-12/26"


def test_an_emergency_that_is_none_goes_on_as_urgent_with_alternatives() -> None:
    """E-NOTEMERGENCY lowers the tier and refuses nothing."""
    lowered = do(in_state(State.ACKNOWLEDGED, tier=Tier.EMERGENCY), "downgrade", alternatives="Preservation.")
    assert (lowered.state, lowered.tier) == (State.ACKNOWLEDGED, Tier.URGENT)
    assert lowered.tier_changes[-1].code == "E-NOTEMERGENCY"
    with pytest.raises(Conflict) as caught:
        do(lowered, "downgrade", alternatives="Preservation.")
    assert caught.value.extra["reason"] == "not_an_emergency"


def test_a_traffic_path_carries_provider_country_and_path() -> None:
    """Art. 30: enough to identify the provider and the path, from the states in which data are held or sought."""
    hop = {"address": "198.51.100.20", "country": "XS", "seen_at": "2026-11-21T22:14:05Z"}
    told = do(preserved(), "disclose_traffic_path", provider="Sahran Transit", country="XS", path=[hop])
    assert told.traffic_paths[0].path[0].address == "198.51.100.20"
    assert told.state is State.PRESERVED


def test_a_withheld_traffic_path_names_its_ground() -> None:
    """Art. 30(2): that it is withheld is told, on one of two grounds."""
    told = do(preserved(), "disclose_traffic_path", withheld="R-ESS")
    assert told.traffic_paths[0].withheld == "R-ESS"


def test_while_a_withdrawal_waits_nothing_is_started_held_disclosed_or_answered() -> None:
    """A verified `withdraw` behind a gap blocks what could not be taken back; everything else goes on."""
    for state, action in (
        (State.ACCEPTED, "start"),
        (State.IN_EXECUTION, "preserve"),
        (State.PRESERVED, "disclose_traffic_path"),
    ):
        waiting = awaiting_withdrawal(in_state(state))
        members: dict[str, Any] = {"provider": "Transit", "country": "XS"} if action == "disclose_traffic_path" else {}
        with pytest.raises(Conflict) as caught:
            do(waiting, action, **members)
        assert caught.value.extra["reason"] == "withdrawal_waiting"
        assert do(in_state(state), action, **members).generation == 8
    assert do(awaiting_withdrawal(in_state(State.ACCEPTED)), "report_progress", text="Waiting.").generation == 8
    advice = awaiting_withdrawal(in_state(State.ACKNOWLEDGED, RequestType.TECHNICAL_ADVICE))
    with pytest.raises(Conflict):
        do(advice, "answer", text="Ninety days.")


def test_an_oral_request_is_recorded_once_and_regularised() -> None:
    """CETS 224 art. 9(4): by voice first, in writing after."""
    exchange = in_state(State.DELIVERED, RequestType.EMERGENCY_DISCLOSURE, Tier.EMERGENCY)
    call: dict[str, Any] = {"made_at": "2026-11-22T09:00:00Z", "made_by": "Duty officer XA", "received_by": "Desk XT"}
    recorded = do(exchange, "record_oral", **call)
    assert recorded.flags == (Flag.ORAL_FIRST,)
    with pytest.raises(Conflict):
        do(recorded, "record_oral", **call)
    regular = do(recorded, "regularise", text="Confirmed by signed request.")
    assert regular.flags == ()
    assert regular.oral is not None
    assert regular.oral.regularised_at == NOW
    with pytest.raises(Conflict):
        do(regular, "regularise")
    assert refused(exchange, "record_oral", **{**call, "made_at": "2026-11-22T10:00:00Z"}).code == "out_of_range"


def test_formalities_after_execution_keep_an_answered_emergency_open() -> None:
    """CETS 224 art. 9(5): with the declaration on file, answering sets the mark and regularising takes it off."""
    rules = replace(RULES, formalities_after_execution=True)
    exchange = in_state(State.IN_EXECUTION, RequestType.EMERGENCY_DISCLOSURE, Tier.EMERGENCY)
    answered = do_under(rules, exchange, "answer", text="The address is here.")
    assert Flag.POST_FORMALITIES_DUE in answered.flags
    assert do_under(rules, answered, "regularise").flags == ()
    assert do(exchange, "answer", text="The address is here.").flags == ()


def test_a_fact_that_comes_after_the_end_is_kept_as_such() -> None:
    """M-LATE: linked to the ended exchange, told to the other side, and no state changes."""
    late = do(in_state(State.NOT_EXECUTABLE), "report_progress", text="The disk was found.")
    assert (late.state, late.generation) == (State.NOT_EXECUTABLE, 8)
    assert (late.late_facts[0].side, late.late_facts[0].text) == (Side.REQUESTED, "The disk was found.")
    assert late.progress == ()


def test_the_requesting_side_s_officer_changes_nothing_here() -> None:
    """Even a withdrawal is a message that is judged, never an act on this node's exchange."""
    exchange = in_state(State.ACCEPTED)
    with pytest.raises(Exception, match="role_not_allowed"):
        act(exchange, body("withdraw", exchange.generation), by=A, rules=RULES, now=NOW)
