"""Information after it was given, the formalities of an opening, and the reading of an emergency, in the pure core."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from app.domain.codes import Fate, Handling, Pap, RefusalGround, RequestType, State, Tlp
from app.domain.exchange.determination import Outcome, Stage, outcome_of, stage_of
from app.domain.exchange.exporting import export
from app.domain.exchange.judging import Judged, judge
from app.domain.exchange.offering import leaving, offered_condition, with_kept_content
from app.domain.exchange.onward import is_granted, open_transfer
from app.domain.exchange.opening import Call, attach, note_call, open_exchange
from app.domain.exchange.receiving import received_item
from app.domain.exchange.room import ONWARD_ROOM_BYTES
from app.domain.exchange.tracing import new_paths, onward_document
from app.domain.exchange.values import Condition, Hop, TrafficPath
from app.domain.exchange_codes import ConditionKind, Decision, Flag, Side
from app.domain.marking_bodies import GivenMarking, MarkingBody
from app.domain.markings import Destination, Marking
from app.domain.requesting_acts import SendContent
from app.domain.transitions import OFFER
from app.errors import Conflict, Refused
from tests.domain.exchange.build import (
    CONDITION_ID,
    EXCHANGE_ID,
    NOW,
    TOKYO,
    TRANSFER_ID,
    do,
    document,
    example,
    in_state,
    opening,
    wish,
    with_information,
)

if TYPE_CHECKING:
    from app.domain.exchange.values import Exchange

OTHER_ID = UUID("019aab1c-0000-7000-8000-0000000000ee")
ADVICE = RequestType.TECHNICAL_ADVICE
OTR, DECIDE = "request_onward_transfer", "decide_onward_transfer"
SOON = "2026-11-22T17:00:00Z"
INFORMATION = {"text": "The list.", "source": "B", "evaluation": "2"}


def judged(exchange: Exchange, action: str, **members: object) -> Judged:
    """The fate of a wish that arrives."""
    return judge(exchange, wish(action, exchange, **members), now=NOW, first_received_at=NOW, zone=TOKYO)


def test_a_wish_is_decided_once_and_by_the_other_side() -> None:
    """A's wish is B's to decide; once decided it is open to nobody, and the second decision finds nothing."""
    asked = judged(replace(with_information(in_state(State.ANSWERED, ADVICE)), onward_transfers=()), OTR).exchange
    (one,) = asked.onward_transfers
    assert (one.side, one.decision) == (Side.REQUESTING, None)
    assert open_transfer(asked, one.id, giver=Side.REQUESTING) is None
    assert judged(asked, DECIDE, transfer_id=str(one.id)).fate is Fate.STALE
    granted = do(asked, DECIDE, transfer_id=str(one.id), decision="GRANTED")
    assert granted.onward_transfers[0].decision is Decision.GRANTED
    with pytest.raises(Conflict):
        do(granted, DECIDE, transfer_id=str(one.id), decision="DENIED")


def test_a_decision_names_an_open_wish() -> None:
    """Another id: 422 at home, stale where it arrives; nothing is decided."""
    exchange = with_information(in_state(State.ANSWERED, ADVICE))
    with pytest.raises(Refused) as caught:
        do(exchange, DECIDE, transfer_id=str(OTHER_ID), decision="GRANTED")
    assert caught.value.code == "not_open"
    assert judged(exchange, DECIDE, transfer_id=str(OTHER_ID)).fate is Fate.STALE
    assert judged(exchange, "explain_use", question_id=str(OTHER_ID)).fate is Fate.STALE


def test_a_grant_is_for_whom_it_names() -> None:
    """A grant to a state covers its contact points; a grant to the one side is none to the other."""
    granted = judged(with_information(in_state(State.ANSWERED, ADVICE)), DECIDE).exchange
    assert is_granted(granted, "XS", receiver=Side.REQUESTED)
    assert is_granted(granted, "XS-CERT", receiver=Side.REQUESTED)
    assert not is_granted(granted, "XS", receiver=Side.REQUESTING)
    assert not is_granted(granted, "XT", receiver=Side.REQUESTED)


def test_who_has_received_nothing_asks_for_nothing() -> None:
    """Before B gave anything A has nothing to pass on, and in an offer A never has."""
    bare = in_state(State.IN_EXECUTION, ADVICE)
    assert (judged(bare, OTR).fate, judged(bare, OTR).code) == (Fate.REFUSED, "nothing_given")
    offered = with_information(in_state(State.ANSWERED, OFFER[0]))
    assert (judged(offered, OTR).fate, judged(offered, OTR).code) == (Fate.REFUSED, "action_not_allowed")
    assert do(offered, OTR, to="XS", purpose="It is theirs.").onward_transfers[-1].side is Side.REQUESTED


def test_what_is_said_about_use_is_bounded() -> None:
    """No number of wishes makes an exchange too large: the one too many is refused, on either side."""
    exchange = with_information(in_state(State.ANSWERED, ADVICE))
    text = "\N{GRINNING FACE}" * 2000
    fates = []
    for _ in range(5):
        told = judged(exchange, OTR, purpose=text)
        fates.append((told.fate, told.code))
        exchange = told.exchange
    assert fates[0] == (Fate.APPLIED, None)
    assert fates[-1] == (Fate.REFUSED, "too_much_text")
    assert len(text.encode()) * len(exchange.onward_transfers) < 2 * ONWARD_ROOM_BYTES
    with pytest.raises(Refused) as caught:
        do(exchange, "ask_use", text=text)
    assert caught.value.code == "too_much_text"
    assert do(exchange, "report_progress", text="All else goes on.").generation == exchange.generation + 1


def test_what_each_side_holds() -> None:
    """A what B gave, with its conditions; B the request; in an offer A nothing but its own."""
    condition = Condition(CONDITION_ID, ConditionKind.NO_OTHER_USE, "Here only.", NOW, NOW, NOW)
    answered = replace(with_information(in_state(State.ANSWERED, ADVICE)), accepted_conditions=(condition,))
    assert received_item(answered, Side.REQUESTING).conditions == {ConditionKind.NO_OTHER_USE}
    assert received_item(answered, Side.REQUESTED).conditions == frozenset()
    assert not received_item(answered, Side.REQUESTED).own
    assert received_item(with_information(in_state(State.ANSWERED, OFFER[0])), Side.REQUESTING).own
    assert received_item(in_state(State.ACKNOWLEDGED, ADVICE), Side.REQUESTING).own


def test_an_export_leaves_out_what_may_not_go_there() -> None:
    """The own request goes anywhere, the other side's answer as far as its marking, and abroad with a grant only."""
    answered = with_information(in_state(State.ANSWERED, ADVICE))
    at_home = export(answered, Side.REQUESTING, to=Destination.CONTACT_POINT)
    assert ([entry.kind for entry in at_home.entries], at_home.withheld) == (["request", "answer"], ())
    abroad = export(answered, Side.REQUESTING, to=Destination.OTHER_STATE, code="XS")
    assert [entry.kind for entry in abroad.entries] == ["request"]
    assert [reason for _, reason in abroad.withheld] == ["onward_transfer_not_granted"]
    granted = do(answered, DECIDE, transfer_id=str(TRANSFER_ID), decision="GRANTED")
    allowed = export(granted, Side.REQUESTING, to=Destination.OTHER_STATE, code="XS")
    assert [entry.kind for entry in allowed.entries] == ["request", "answer"]
    unnamed = export(granted, Side.REQUESTING, to=Destination.OTHER_STATE)
    assert [entry.kind for entry in unnamed.entries] == ["request"]


def test_the_label_of_an_exchange_is_that_of_its_strictest_part() -> None:
    """The opening's marking, made stricter by what was given."""
    body = opening(ADVICE).model_copy(update={"marking": MarkingBody(tlp=Tlp.AMBER, pap=Pap.AMBER)})
    begun = do(open_exchange(EXCHANGE_ID, body, now=NOW), "acknowledge", b_reference="XT-1", next_update_at=SOON)
    assert begun.marking == Marking(Tlp.AMBER, Pap.AMBER)
    red = {"tlp": "TLP:RED", "pap": "PAP:AMBER", "handling": ["H2"]}
    assert do(begun, "answer", text="Yes.", marking=red).marking == Marking(Tlp.RED, Pap.AMBER, (Handling.H2,))


def test_four_by_four_is_for_information_and_advice_and_whole() -> None:
    """A disclosure bears no evaluation; advice may, with both letters."""
    advised = in_state(State.ACKNOWLEDGED, ADVICE)
    assert do(advised, "answer", text="Yes.", source="A", information="2").answers[0].source == "A"
    halves: dict[RequestType, dict[str, Any]] = {
        ADVICE: {"source": "A"},
        RequestType.LOCATE_SUSPECT: {"source": "A", "information": "1"},
    }
    for kind, members in halves.items():
        with pytest.raises(Refused):
            do(in_state(State.ACKNOWLEDGED, kind), "answer", text="Yes.", **members)


def test_formalities_are_owed_from_the_opening() -> None:
    """A confirmation where B asks for one; a writing within a day where the document tells of a call."""
    plain = open_exchange(EXCHANGE_ID, opening(), now=NOW)
    assert (plain.flags, plain.confirmation) == ((), None)
    owing = open_exchange(EXCHANGE_ID, opening(), now=NOW, confirm_within=timedelta(days=20))
    assert owing.flags == (Flag.CONFIRMATION_OUTSTANDING,)
    assert owing.confirmation is not None
    assert owing.confirmation.due_at == NOW + timedelta(days=20)
    noted = note_call(Call(EXCHANGE_ID, "XA", "XT", RequestType.PRESERVATION, "Preserve the log."), now=NOW)
    assert attach(noted, opening(), now=NOW, confirm_within=timedelta(days=20)).flags == owing.flags


SPOKEN = {"made_at": "2026-11-22T09:00:00Z", "by": "Desk XA", "to": "Desk XT"}
READ = {
    "as it is filed": (SPOKEN, True),
    "at an instant nobody can read": (SPOKEN | {"made_at": "nine o'clock"}, False),
    "by nobody": ({"made_at": SPOKEN["made_at"]}, False),
    "as words": ("we called", False),
}


@pytest.mark.parametrize("how", READ)
def test_a_call_before_the_writing_is_read_from_the_document(how: str) -> None:
    """ORAL_FIRST for an emergency alone; what cannot be read is passed over, since the document is another state's."""
    told, read = READ[how]
    body = opening(RequestType.EMERGENCY_DISCLOSURE).model_copy(
        update={"document": document() | {"oral_request": told}}
    )
    begun = open_exchange(EXCHANGE_ID, body, now=NOW)
    assert (Flag.ORAL_FIRST in begun.flags) is read
    if begun.oral is not None:
        assert begun.oral.due_at == begun.oral.made_at + timedelta(hours=24)
    other = opening().model_copy(update={"document": document() | {"oral_request": told}})
    assert open_exchange(EXCHANGE_ID, other, now=NOW).oral is None


def test_a_call_of_the_future_is_due_a_day_from_now() -> None:
    """A clock that is wrong, or a year 9999, moves no deadline beyond a day."""
    told = SPOKEN | {"made_at": "9999-12-31T23:59:00Z"}
    body = opening(RequestType.EMERGENCY_DISCLOSURE).model_copy(update={"document": {"oral_request": told}})
    oral = open_exchange(EXCHANGE_ID, body, now=NOW).oral
    assert oral is not None
    assert oral.due_at == NOW + timedelta(hours=24)


READINGS = {
    State.DELIVERED: (Stage.REQUESTED, None),
    State.ACKNOWLEDGED: (Stage.REQUESTED, None),
    State.CLARIFICATION: (Stage.REQUESTED, None),
    State.CONDITIONS: (Stage.DETERMINED, Outcome.GRANT_WITH_CONDITIONS),
    State.ACCEPTED: (Stage.DETERMINED, Outcome.GRANT),
    State.REFUSED: (Stage.DETERMINED, Outcome.DECLINE),
    State.IN_EXECUTION: (Stage.EXECUTING, Outcome.GRANT),
    State.ANSWERED: (Stage.DISCLOSED, Outcome.GRANT),
    State.NOT_EXECUTABLE: (Stage.DISCLOSURE_NOT_AVAILABLE, Outcome.DECLINE),
    State.WITHDRAWN: (Stage.CLOSED, None),
}


@pytest.mark.parametrize("state", READINGS)
def test_an_emergency_is_read_from_the_exchange(state: State) -> None:
    """M7 is a reading of M2 (ruling 18); no other type has it."""
    emergency = in_state(state, RequestType.EMERGENCY_DISCLOSURE)
    assert (stage_of(emergency), outcome_of(emergency)) == READINGS[state]
    assert (stage_of(in_state(state)), outcome_of(in_state(state))) == (None, None)


def test_formalities_after_disclosure_are_a_stage() -> None:
    """Art. 9(5): disclosed, and still something owed."""
    disclosed = in_state(State.ANSWERED, RequestType.EMERGENCY_DISCLOSURE)
    assert stage_of(replace(disclosed, flags=(Flag.POST_FORMALITIES_DUE,))) is Stage.POST_FORMALITIES


def test_the_content_of_an_offer_does_not_leave_with_it() -> None:
    """Information and source of the information stay; the condition goes beside the document."""
    filed = example("spontaneous_information") | {"derived_from": str(EXCHANGE_ID)}
    left = leaving(filed)
    assert set(filed) - set(left) == {"information", "derived_from"}
    offered = offered_condition(filed, OFFER[0], condition_id=CONDITION_ID)
    assert offered is not None
    assert offered.text == filed["condition"]["text"]
    assert offered_condition(filed, ADVICE, condition_id=CONDITION_ID) is None
    assert offered_condition({}, OFFER[0], condition_id=CONDITION_ID) is None


def test_what_was_kept_is_sent_unless_something_else_is_said() -> None:
    """Text, evaluation and marking come from the offer together; an own text takes nothing of it."""
    marking = {"tlp": "TLP:RED", "pap": "PAP:RED", "handling": ["H3"], "handling_text": "For the desk."}
    bare = SendContent(action="send_content", generation=3)
    sent = with_kept_content(bare, {"information": INFORMATION | {"marking": marking}})
    assert (sent.text, sent.source, sent.information) == ("The list.", "B", "2")
    assert sent.marking == GivenMarking(tlp=Tlp.RED, pap=Pap.RED, handling=(Handling.H3,), text="For the desk.")
    own = SendContent(action="send_content", generation=3, text="Another.")
    assert with_kept_content(own, {"information": INFORMATION}) is own
    assert with_kept_content(bare, {}) is bare


def test_the_giver_does_not_believe_a_snapshot_that_forgot_its_condition() -> None:
    """The replica says no condition is open, but it was offered and nobody accepted it: nothing is sent."""
    forgetful = in_state(State.ACKNOWLEDGED, OFFER[0])
    assert judged(forgetful, "send_content").fate is Fate.APPLIED
    offered = replace(forgetful, asked=replace(forgetful.asked, offered=CONDITION_ID))
    assert judged(offered, "send_content").code == "condition_open"
    accepted = Condition(CONDITION_ID, ConditionKind.OTHER, "Ours.", NOW, NOW, NOW)
    assert judged(replace(offered, accepted_conditions=(accepted,)), "send_content").fate is Fate.APPLIED


def test_content_without_evaluation_is_refused_where_it_arrives() -> None:
    """Whatever the other node let through."""
    exchange = in_state(State.ACCEPTED, OFFER[0])
    bare = wish("send_content", exchange)
    half = bare.model_copy(update={"act": SendContent(action="send_content", generation=1, text="x")})
    told = judge(exchange, half, now=NOW, first_received_at=NOW, zone=TOKYO)
    assert (told.fate, told.code) == (Fate.REFUSED, "content_incomplete")


def test_each_path_is_followed_once() -> None:
    """A state that is sent again has nothing new; a path that is withheld gives nothing to follow."""
    told = TrafficPath(NOW, "Sahran Transit", "XS", (Hop("198.51.100.7", "XS", NOW),))
    before, after = in_state(State.IN_EXECUTION), replace(in_state(State.IN_EXECUTION), traffic_paths=(told,))
    assert new_paths(before, after) == (told,)
    assert new_paths(after, after) == ()
    withheld = TrafficPath(NOW, withheld=RefusalGround.POLITICAL)
    assert new_paths(after, replace(after, traffic_paths=(told, withheld))) == ()


def test_the_next_request_asks_for_the_stations_of_that_state() -> None:
    """One target per station there, by its address or its name; without a station, what was asked, of that provider."""
    exchange = in_state(State.IN_EXECUTION)
    hops = (Hop("198.51.100.7", "XS", NOW), Hop("2001:db8::7", "XS"), Hop("gw.example", "XS"), Hop("203.0.113.9", "XT"))
    made = onward_document(document(), exchange, TrafficPath(NOW, "Sahran Transit", "XS", hops))
    assert [one["identifier"]["type"] for one in made["targets"]] == ["ipv4", "ipv6", "domain"]
    assert made["targets"][0]["observations"] == [{"at": "2026-11-22T09:30:00.000Z"}]
    assert made["related_requests"][-1]["reference"] == exchange.request_reference
    bare = onward_document(document(), exchange, TrafficPath(NOW, "Sahran Transit", "XS"))
    assert [one["custodian"]["name"] for one in bare["targets"]] == ["Sahran Transit"]
    assert bare["targets"][0]["identifier"] == document()["targets"][0]["identifier"]
