"""What a contact point asks itself before forwarding a request, by the checklist of domain.md 1.4.

The tests are for the duty officer to answer. The software proposes what it could see in the document, says what made it
doubt, and leaves the rest open; it decides nothing and fails nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.domain.codes import Completion, GateOutcome
from app.domain.triage_hints import HINTS, Because, Matter

if TYPE_CHECKING:
    from collections.abc import Iterator


class Answer(StrEnum):
    """How a test came out. OPEN: only a person can say, and none has."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    OPEN = "OPEN"


@dataclass(frozen=True, slots=True)
class TriageTest:
    """One test, the codes a failure leads to, and the warnings that speak against it.

    `about` narrows the warnings to those that point at one of these members of the document. `by_software`: where the
    software finds no doubt, it proposes that the test is passed.
    """

    id: str
    question: str
    failing: tuple[str, ...]
    doubted_by: tuple[str, ...] = ()
    about: tuple[str, ...] = ("",)
    by_software: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the software proposes for one test, and everything that made it doubt."""

    test: TriageTest
    proposal: Answer
    because: tuple[Because, ...]

    def as_json(self) -> dict[str, Any]:
        """For the desk's projection."""
        return {
            "test": self.test.id,
            "question": self.test.question,
            "proposal": self.proposal.value,
            "because": [doubt.as_json() for doubt in self.because],
            "failing": list(map(str, self.test.failing)),
        }


G = GateOutcome
C = Completion

TRIAGE_TESTS = (
    TriageTest("TRI-01", "Is there a specific criminal investigation or proceeding?", (G.NOTCRIM,)),
    TriageTest("TRI-02", "May the asking authority ask for this under our law?", (G.NOAUTH,), (C.AUTH,)),
    TriageTest(
        "TRI-03",
        "Is the data or its custodian plausibly in the state asked?",
        (G.WRONGSTATE,),
        (G.WRONGSTATE, "location_unknown", "location_uncertain", "custodian_not_named"),
        by_software=True,
    ),
    TriageTest("TRI-04", "Can it not be had at home?", (G.DOMESTIC,)),
    TriageTest("TRI-05", "Is it neither public nor available by lawful consent (art. 32)?", (G.ART32,)),
    TriageTest("TRI-06", "Is there no direct road to the provider?", (G.PROVIDER,), ("financial_intelligence",)),
    TriageTest(
        "TRI-07",
        "Is this the right channel?",
        (G.MLA, G.INTERPOL, G.POLICE),
        (G.MLA, G.INTERPOL, "instrument_not_in_force", "articles_of_another_measure", "excluded_by_declaration"),
    ),
    TriageTest(
        "TRI-08",
        "Are the items of art. 29(2) or CETS 224 art. 9(3) there, and specific?",
        tuple(C),
        (
            "may_not_resolve",
            "clock_too_coarse",
            "clock_skewed",
            "leap_second",
            "on_warning_list",
            "phone_not_assigned",
            "phone_trunk_prefix",
            "check_digit_computed",
            "address_not_checked",
            "handle_may_change",
            "mac_randomised",
            "ip_carries_ipv4",
        ),
        by_software=True,
    ),
    TriageTest("TRI-09", "Is it proportionate, and are rights safe?", (G.DISPROP, G.RIGHTS), (C.OVERBROAD,)),
    TriageTest(
        "TRI-10", "Do the facts support the tier?", (), ("time_passed",), ("/urgency", "/necessity", "/emergency")
    ),
    TriageTest(
        "TRI-11",
        "Will somebody file the letter of request?",
        (C.MLAINTENT,),
        ("mla_after_hold_end", "time_passed"),
        ("/mla_intent",),
    ),
    TriageTest("TRI-12", "Has nobody asked for the same before?", (G.MERGED,), by_software=True),
    TriageTest(
        "TRI-13",
        "Are marking and confidentiality stated?",
        (C.MARKING,),
        ("secret_in_text", "mixed_marking"),
        by_software=True,
    ),
    TriageTest(
        "TRI-14",
        "Does the contact point asked offer the measure and read the language?",
        (C.LANG,),
        ("capability_missing", "language_not_read", "contact_point_unverified"),
        by_software=True,
    ),
)


def propose_triage(matter: Matter) -> tuple[Proposal, ...]:
    """One proposal per test: PASSED where the software checks and found no doubt, otherwise OPEN, never FAILED."""
    hinted = [(test, doubt) for hint in HINTS for test, doubt in hint(matter)]
    proposals = []
    for test in TRIAGE_TESTS:
        because = (*_from_warnings(test, matter), *(doubt for named, doubt in hinted if named == test.id))
        passed = test.by_software and not because
        proposals.append(Proposal(test, Answer.PASSED if passed else Answer.OPEN, because))
    return tuple(proposals)


def _from_warnings(test: TriageTest, matter: Matter) -> Iterator[Because]:
    """What filing warned of; what a draft still lacks counts against its completeness."""
    for warning in matter.warnings:
        pointer, code = str(warning.get("pointer", "")), str(warning.get("code", ""))
        lacking = test.id == "TRI-08" and warning.get("error")
        doubted = code in test.doubted_by and any(pointer.startswith(member) for member in test.about)
        if lacking or doubted:
            yield Because(code, str(warning.get("detail", "")), pointer, suggests=_suggested(test, code))


def _suggested(test: TriageTest, code: str) -> str | None:
    return code if code in test.failing else None
