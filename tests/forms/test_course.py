"""What became of a request, on its form: as both contact points show it, under numbers of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.domain.codes import (
    Handling,
    HoldState,
    Instrument,
    NotExecutable,
    Pap,
    RefusalGround,
    RequestType,
    State,
    Tier,
    Tlp,
)
from app.domain.emergency_facts import EmergencyFacts
from app.domain.exchange.hold_effects import LOST, RELEASED
from app.domain.exchange.moves import DECIDED, HOLDS_ENDED, RAN_OUT
from app.domain.exchange.requested_effects import CONTINUED_OUTSIDE
from app.domain.exchange.requesting_effects import DONE, STOPPED, WITHDRAWN, WITHHELD
from app.domain.exchange.timers import UNANSWERED
from app.domain.exchange.values import (
    NOT_OPENED,
    Answer,
    Condition,
    Exchange,
    Hop,
    Private,
    ProposedRefusal,
    Question,
    TargetResult,
    TierChange,
    TrafficPath,
)
from app.domain.exchange_codes import ConditionKind, Decision, Flag, QuestionKind, Side, ThreatKind
from app.domain.holds import Hold
from app.domain.markings import Marking
from app.forms.cases import Enclosure
from app.forms.catalogues import LANGUAGES, catalogue
from tests.domain.exchange.test_snapshot import full
from tests.forms.printed import EXCHANGE, NOW, case, numbers_of, page, texts_in

LATER = NOW + timedelta(hours=2)

PRINTED = (
    *(
        "Ninety days.",
        "With the judge.",
        "Port 51544.",
        "Found.",
        "Transit",
        "198.51.100.20",
        "A child.",
        "Overwritten.",
    ),
    *("Same account.", "Denied", "Ours.", "What use?", "To find the owner.", "MOJ-7", "25 November 2026", "By voice."),
    *(
        "XA desk",
        "XT desk",
        "Subscriber only.",
        "Prosecutor General",
        "PG-12/26",
        "E-NOTEMERGENCY",
        "It would be known.",
    ),
    *(
        "log.txt",
        "12 byte",
        "TLP:RED",
        "Order served at",
        "CA-B-9",
        "60 days",
        "Annulled.",
        "Older entries not printed",
        "ETS185:29(5)(a)",
    ),
)
"""Of the exchange that has every member set, what only one member says."""
FACTS = EmergencyFacts(
    ThreatKind.ABDUCTION, "A girl of nine", "She was taken from school." * 4, "He writes from the account." * 2, LATER
)

FULL = Exchange(
    id=EXCHANGE,
    requesting="XA",
    requested="XT",
    type=RequestType.PRESERVATION,
    tier=Tier.URGENT,
    state=State.PARTIALLY_PRESERVED,
    generation=7,
    request_reference="XA-2026-7K3QF9D",
    opened_at=NOW,
    changed_at=LATER,
    state_since=LATER,
    flags=(Flag.LATE,),
    b_reference="XT-2026-2222227",
    instrument=Instrument.ETS185,
    question=Question(UUID(int=1), QuestionKind.ASK, ("C-PORT",), "Which source port?", NOW, LATER),
    condition=Condition(UUID(int=2), ConditionKind.OTHER, "Only with our consent.", NOW, LATER),
    accepted_conditions=(
        Condition(UUID(int=3), ConditionKind.COURT_CONSENT, "Not in court.", NOW, LATER, accepted_at=LATER),
    ),
    reason="R-POL",
    reason_text="Seditious libel.",
    results=(TargetResult(0), TargetResult(1, NotExecutable.EXPIRED, "Overwritten on Monday.")),
    holds=(Hold(UUID(int=4), EXCHANGE, HoldState.TIMED, NOW, 90, NOW + timedelta(days=90), targets=(0,)),),
    answers=(Answer(LATER, "Twelve months.", marking=Marking(Tlp.RED, Pap.RED, (Handling.H2,))),),
    traffic_paths=(TrafficPath(LATER, "Carrier", "XS", (Hop("198.51.100.7", "XS", LATER),)),),
    tier_changes=(
        TierChange(NOW, Side.REQUESTING, Tier.EMERGENCY, "A child is missing.", emergency=FACTS),
        TierChange(LATER, Side.REQUESTED, Tier.URGENT, "No risk to a person.", "E-NOTEMERGENCY"),
    ),
    private=Private(
        proposed_refusal=ProposedRefusal(UUID(int=9), RefusalGround.POLITICAL, "SECRET", Instrument.ETS185, NOW)
    ),
)


def test_course_is_printed_whole() -> None:
    """State, references, outcome, result per target, holds on three clocks, conditions, question, answers, path."""
    printed = page(case(RequestType.PRESERVATION, exchange=FULL), "en")
    numbers = [section["number"] for section in printed["course"]["sections"]]
    assert numbers == ["E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9", "E11"]
    texts = set(texts_in(printed["course"]))
    assert texts >= {
        "PARTIALLY_PRESERVED",
        "XT-2026-2222227",
        "Political offence",
        "Seditious libel.",
        "The data have already been deleted",
        "2027-02-20 09:30:00 UTC",
        "XA 2027-02-20 10:30:00 +01:00",
        "XT 2027-02-20 18:30:00 +09:00",
        "Not in court.",
        "Accepted and binding",
        "Which source port?",
        "Source port missing",
        "Twelve months.",
        "TLP:RED",
        "198.51.100.7",
        "Kind of threat",
        "Abduction",
        FACTS.persons_at_risk,
        FACTS.facts,
        FACTS.link_to_data,
    }


def test_all_that_both_sides_show_is_printed() -> None:
    """Every text and name that a snapshot can carry is on the form: what is passed on, for what, who allowed it."""
    shown = full()
    brought = Enclosure("log.txt", 12, "ab" * 32, "text/plain", by="XT", marking={"tlp": "TLP:RED", "pap": "PAP:RED"})
    printed = page(case(RequestType.PRESERVATION, exchange=shown, files=(brought,)), "en")
    texts = " ".join(texts_in(printed["course"]))
    lost = [text for text in PRINTED if text not in texts]
    assert lost == []
    bare = page(case(RequestType.PRESERVATION, exchange=replace(shown, onward_transfers=(), use_questions=())), "en")
    left = " ".join(texts_in(bare["course"]))
    assert [text for text in PRINTED if text not in left] != [], "the control: what is not there is not found"


@pytest.mark.parametrize("decision", [None, *Decision])
def test_what_was_not_granted_is_not_printed_as_granted(decision: Decision | None) -> None:
    """A wish without an answer says in words that it is not granted."""
    wish = replace(full().onward_transfers[0], decision=decision)
    printed = page(case(RequestType.PRESERVATION, exchange=replace(FULL, onward_transfers=(wish,))), "en")
    section = next(one for one in printed["course"]["sections"] if one["number"] == "E13")
    assert ("Granted" in texts_in(section)) == (decision is Decision.GRANTED)


def test_every_reason_of_an_end_has_its_words() -> None:
    """The words of our own under which an exchange or a hold ends are translated, not shown as they are stored."""
    ends = {WITHDRAWN, STOPPED, WITHHELD, DONE, HOLDS_ENDED, CONTINUED_OUTSIDE, UNANSWERED}
    ends |= {f"{NOT_OPENED}:{fate}" for fate in ("expired", "void", "refused")}
    assert [one for one in ends if catalogue("ar").code("reason", one) is None] == []
    assert [one for one in (RELEASED, LOST, DECIDED, RAN_OUT) if catalogue("ar").code("hold_end", one) is None] == []


def test_course_keeps_what_is_private() -> None:
    """A refusal that one person has signed stays at the desk of the requested side."""
    printed = page(case(RequestType.PRESERVATION, exchange=FULL), "en")
    assert [one for one in texts_in(printed) if "SECRET" in one] == []


def test_course_has_the_same_numbers_in_every_language() -> None:
    """As everywhere on the form."""
    seen = {tuple(numbers_of(page(case(RequestType.PRESERVATION, exchange=FULL), one))) for one in LANGUAGES}
    assert len(seen) == 1


def test_binding_and_proposed_conditions_differ() -> None:
    """A condition that nobody has accepted yet is printed as not binding."""
    printed = page(case(RequestType.PRESERVATION, exchange=FULL), "en")
    section = next(one for one in printed["course"]["sections"] if one["number"] == "E6")
    rows = [row for part in section["parts"] for row in part["fields"]]
    binds = [row for row in rows if row["labels"][0]["text"] == "Accepted and binding"]
    binds = [row["columns"][0][0][0]["text"] for row in binds]
    assert binds == ["Yes", "No"]


def test_nothing_happened_yet_is_short() -> None:
    """An exchange that was only dispatched has a state and no more."""
    fresh = replace(
        FULL,
        state=State.DISPATCHED,
        b_reference=None,
        instrument=None,
        question=None,
        condition=None,
        accepted_conditions=(),
        reason=None,
        reason_text=None,
        results=(),
        holds=(),
        answers=(),
        traffic_paths=(),
        tier_changes=(),
    )
    printed = page(case(RequestType.PRESERVATION, exchange=fresh), "ja")
    assert [section["number"] for section in printed["course"]["sections"]] == ["E1"]
