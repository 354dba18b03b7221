"""What goes to the other side and back, and what stays."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import rfc8785

from app.domain.codes import (
    Handling,
    HoldState,
    Instrument,
    NotExecutable,
    Pap,
    RefusalGround,
    State,
    Tier,
    Tlp,
)
from app.domain.emergency_facts import EmergencyFacts
from app.domain.exchange.onward_values import Confirmation, OnwardTransfer, UseQuestion
from app.domain.exchange.values import (
    Answer,
    Exchange,
    Hop,
    LateFact,
    OralRequest,
    Private,
    Progress,
    ProposedRefusal,
    Question,
    Referral,
    Supplement,
    TargetResult,
    TierChange,
    TrafficPath,
)
from app.domain.exchange_codes import (
    Decision,
    Flag,
    InformationEvaluation,
    LiftReason,
    QuestionKind,
    Side,
    SourceEvaluation,
    ThreatKind,
)
from app.domain.exchange_record import read_record, write_record
from app.domain.holds import Extension, ExtensionWish, Hold, Mla, ProposedLift, hold_flags, next_end
from app.domain.markings import Marking
from app.domain.message_reading import read_body
from app.domain.messages import StateBody, write_body
from app.domain.snapshot import adopt, public_view, read_snapshot, take_snapshot
from app.domain.snapshot_bodies import HoldBody, SnapshotBody
from app.errors import Conflict
from tests.domain.exchange.build import (
    CONDITION_ID,
    NOW,
    QUESTION_ID,
    REASONS,
    SOMEBODY,
    TRANSFER_ID,
    USE_QUESTION_ID,
    in_state,
    preserved,
    timed_hold,
)

if TYPE_CHECKING:
    from typing import Any

RESTRICTED = Marking(Tlp.RED, Pap.RED, (Handling.H1, Handling.H3), "For the duty officer alone.")
FACTS = EmergencyFacts(
    ThreatKind.ABDUCTION, "A girl of nine", "She was taken from school." * 4, "He writes from the account." * 2, NOW
)
SECRET = "Prosecutor Sato proposes to lift"


def full() -> Exchange:
    """An exchange in which every member has a value that is not its default."""
    mla = Mla(
        planned_on=date(2027, 1, 10),
        claimed_reference="CA-7",
        claimed_on=date(2026, 12, 1),
        claimed_at=NOW,
        confirm_by=NOW + timedelta(days=3),
        ca_reference="CA-B-9",
        received_at=NOW,
        decision="Granted.",
        decided_at=NOW,
    )
    hold = replace(
        timed_hold(),
        mla=mla,
        extension_wish=ExtensionWish(60, NOW, "Not ready."),
        extensions=(Extension(30, NOW, NOW + timedelta(days=100)),),
        releasing=True,
        release_due_at=NOW + timedelta(hours=24),
        ended_at=NOW,
        end_reason="COURT",
        end_text="Annulled.",
        lost_at=NOW,
        new_request_possible=True,
        proposed_lift=ProposedLift(SOMEBODY, LiftReason.COURT, NOW),
    )
    condition = in_state(State.CONDITIONS).condition
    assert condition is not None
    proposed = ProposedRefusal(
        SOMEBODY, RefusalGround.POLITICAL, SECRET, Instrument.ETS185, NOW, "ETS185:29(4)", "Advice."
    )
    return replace(
        preserved(),
        tier=Tier.EMERGENCY,
        flags=(Flag.ORAL_FIRST, Flag.LATE),
        resume_state=State.IN_EXECUTION,
        question=Question(QUESTION_ID, QuestionKind.RISK, ("W-CONF",), "It would be known.", NOW, NOW),
        clarifications=2,
        condition=condition,
        accepted_conditions=(replace(condition, accepted_at=NOW),),
        narrowing="Subscriber only.",
        review_at=NOW,
        referred_to=Referral("Prosecutor General", "+99900555100", "PG-12/26"),
        reason="R-POL",
        reason_article="ETS185:29(5)(a)",
        reason_text=REASONS,
        suggestion="XS",
        oral=OralRequest(NOW, "XA desk", "XT desk", NOW, "By voice.", NOW + timedelta(hours=24), NOW),
        confirmation=Confirmation(NOW + timedelta(days=20), "MOJ-7", date(2026, 11, 25), NOW),
        served_at=NOW,
        results=(TargetResult(0), TargetResult(1, NotExecutable.EXPIRED, "Overwritten.")),
        holds=(hold,),
        answers=(
            Answer(NOW, "Ninety days.", SourceEvaluation.A, InformationEvaluation.TWO, RESTRICTED, (CONDITION_ID,)),
        ),
        progress=(Progress(NOW, "With the judge."),),
        supplements=(Supplement(NOW, "Port 51544.", QUESTION_ID),),
        late_facts=(LateFact(NOW, Side.REQUESTED, "Found."),),
        traffic_paths=(
            TrafficPath(NOW, "Transit", "XS", (Hop("198.51.100.20", "XS", NOW),), marking=RESTRICTED),
            TrafficPath(NOW, withheld=RefusalGround.ESSENTIAL_INTERESTS),
        ),
        tier_changes=(
            TierChange(NOW, Side.REQUESTING, Tier.EMERGENCY, "A child.", emergency=FACTS),
            TierChange(NOW, Side.REQUESTED, Tier.URGENT, "Preservation.", "E-NOTEMERGENCY"),
        ),
        onward_transfers=(
            OnwardTransfer(TRANSFER_ID, Side.REQUESTING, "XS", "Same account.", NOW, Decision.DENIED, "Ours.", NOW),
        ),
        use_questions=(UseQuestion(USE_QUESTION_ID, Side.REQUESTED, "What use?", NOW, "To find the owner.", NOW),),
        left_out=3,
        files_marking=RESTRICTED,
        asked=replace(preserved().asked, marking=RESTRICTED, offered=CONDITION_ID),
        private=Private(proposed, withdrawal_waiting=True),
    )


def over_the_wire(exchange: Exchange) -> SnapshotBody:
    """The snapshot as the other node reads it: written, canonical, parsed."""
    body = StateBody(snapshot=take_snapshot(exchange), consumed=3)
    read = read_body(StateBody, json.loads(rfc8785.dumps(write_body(body))))
    assert read.not_understood == ()
    return read.body.snapshot


def test_the_full_exchange_of_these_tests_has_every_member_set() -> None:
    """A member added later without being set here would not be tested below: this fails first."""
    exchange = full()
    unset = {
        member.name
        for value in (exchange, exchange.holds[0], exchange.holds[0].mla)
        for member in fields(value)
        if getattr(value, member.name) in (None, (), False)
    }
    assert unset == set()


def test_both_sides_show_the_same() -> None:
    """Written and read back, nothing that both must show alike is lost or changed."""
    exchange = full()
    assert read_snapshot(over_the_wire(exchange), asked=exchange.asked) == public_view(exchange)


@pytest.mark.parametrize("state", list(State))
def test_each_state_survives_the_journey(state: State) -> None:
    """Whatever the state has open comes back."""
    exchange = in_state(state)
    assert read_snapshot(over_the_wire(exchange), asked=exchange.asked) == exchange


def test_the_same_exchange_gives_the_same_bytes() -> None:
    """Deterministic: two copies written apart are equal, byte for byte."""
    assert rfc8785.dumps(write_body(take_snapshot(full()))) == rfc8785.dumps(write_body(take_snapshot(full())))


def test_what_one_person_has_proposed_is_not_in_the_snapshot() -> None:
    """Neither a proposed refusal, nor a proposed lifting, nor any person (domain.md 6.11)."""
    text = rfc8785.dumps(write_body(take_snapshot(full()))).decode()
    assert SECRET not in text
    assert str(SOMEBODY) not in text
    assert SECRET in json.dumps(write_record(full()))


def test_every_member_of_the_values_is_either_sent_or_named_as_private() -> None:
    """A member that is added to a value cannot be forgotten silently."""
    assert {member.name for member in fields(Exchange)} - set(SnapshotBody.model_fields) == {"asked", "private"}
    assert {member.name for member in fields(Hold)} - set(HoldBody.model_fields) == {"exchange_id", "proposed_lift"}


def test_the_stored_exchange_is_read_back_whole() -> None:
    """With everything private, through JSON as the database keeps it."""
    exchange = full()
    assert read_record(json.loads(json.dumps(write_record(exchange)))) == exchange
    plain = in_state(State.DELIVERED)
    assert read_record(json.loads(json.dumps(write_record(plain)))) == plain


def changed(**members: Any) -> SnapshotBody:  # noqa: ANN401 - members of an exchange
    """A snapshot of the replica's exchange with some members changed."""
    return take_snapshot(replace(in_state(State.ACCEPTED), **members))


def test_a_later_snapshot_replaces_the_replica_and_an_earlier_one_does_not() -> None:
    """The highest generation is shown; the same one again changes nothing."""
    replica = in_state(State.ACKNOWLEDGED)
    later = adopt(replica, changed(generation=8))
    assert (later.state, later.generation, later.asked) == (State.ACCEPTED, 8, replica.asked)
    assert adopt(later, changed(generation=7)) is later
    assert adopt(later, changed(generation=8)) == later


@pytest.mark.parametrize("member", ["id", "requesting", "requested", "type"])
def test_a_snapshot_of_something_else_is_not_adopted(member: str) -> None:
    """Another exchange, another party or another type is not yours."""
    other = {"id": SOMEBODY, "requesting": "XS", "requested": "XS", "type": "TECHNICAL_ADVICE"}[member]
    snapshot = take_snapshot(in_state(State.ACCEPTED)).model_copy(update={member: other})
    with pytest.raises(Conflict) as caught:
        adopt(in_state(State.ACCEPTED), snapshot)
    assert caught.value.code == "not_yours"


def test_what_a_newer_node_adds_is_kept_and_named() -> None:
    """Unknown members, at the top and deep inside, are no fault and are pointed at."""
    raw = json.loads(rfc8785.dumps(write_body(StateBody(snapshot=take_snapshot(full()), consumed=0))))
    raw["snapshot"]["mood"] = "calm"
    raw["snapshot"]["holds"][0]["mla"]["weight/kg"] = 3
    read = read_body(StateBody, raw)
    assert read.not_understood == ("/snapshot/holds/0/mla/weight~1kg", "/snapshot/mood")
    assert read.body.model_dump()["snapshot"]["mood"] == "calm"


def test_a_hold_from_abroad_is_read_as_reported() -> None:
    """Thirty days and no end are another node's affair: shown, not refused (ruling 19)."""
    raw = json.loads(rfc8785.dumps(write_body(StateBody(snapshot=take_snapshot(preserved()), consumed=0))))
    raw["snapshot"]["holds"][0]["days_granted"] = 30
    del raw["snapshot"]["holds"][0]["expires_at"]
    hold = read_snapshot(read_body(StateBody, raw).body.snapshot, asked=preserved().asked).holds[0]
    assert (hold.days_granted, hold.expires_at) == (30, None)


def test_a_hold_that_is_no_longer_told_stays_listed() -> None:
    """Another node can end a hold; leaving it out of a snapshot does not make it unsaid."""
    replica = preserved()
    silent = take_snapshot(replica).model_copy(update={"holds": (), "generation": replica.generation + 1})
    assert adopt(replica, silent).holds == replica.holds


def test_what_the_requesting_side_said_itself_is_not_rewritten() -> None:
    """Our reference and the time we asked are our own words, whatever a snapshot says of them."""
    replica = in_state(State.ACCEPTED)
    other = {"request_reference": "XT-OWN", "opened_at": NOW - timedelta(days=900), "generation": 9}
    adopted = adopt(replica, take_snapshot(replica).model_copy(update=other))
    assert (adopted.request_reference, adopted.opened_at) == (replica.request_reference, replica.opened_at)
    assert adopted.generation == 9


def test_the_end_of_the_calendar_is_no_timer() -> None:
    """A decision dated on the last day there is, as another node may send it, ends no hold and breaks nothing."""
    hold = replace(
        timed_hold(),
        state=HoldState.PENDING_DECISION,
        expires_at=None,
        mla=Mla(decided_at=datetime.max.replace(tzinfo=UTC)),
    )
    assert next_end(hold) is None
    assert hold_flags(hold, NOW, replica=True) == ()
