"""What became of a request, on its form: as both contact points show it, under numbers of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

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
from app.domain.exchange.values import (
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
from app.domain.exchange_codes import ConditionKind, Flag, QuestionKind, Side
from app.domain.holds import Hold
from app.domain.markings import Marking
from app.forms.catalogues import LANGUAGES
from tests.forms.printed import EXCHANGE, NOW, case, numbers_of, page, texts_in

LATER = NOW + timedelta(hours=2)

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
    tier_changes=(TierChange(LATER, Side.REQUESTED, Tier.URGENT, "No risk to a person.", "E-NOTEMERGENCY"),),
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
    }


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
