"""What a contact point asks itself before forwarding a request, by the checklist of domain.md 1.4.

The tests are for the duty officer to answer. The software proposes what it could see in the document and leaves the
rest open; it decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.codes import Completion, GateOutcome

if TYPE_CHECKING:
    from collections.abc import Collection


class Answer(StrEnum):
    """How a test came out. OPEN: only a person can say, and none has."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    OPEN = "OPEN"


@dataclass(frozen=True, slots=True)
class TriageTest:
    """One test, the codes a failure leads to, and the codes of warnings that speak against it."""

    id: str
    question: str
    failing: tuple[str, ...]
    doubted_by: tuple[str, ...] = ()
    by_software: bool = False


G = GateOutcome
C = Completion

TRIAGE_TESTS = (
    TriageTest("TRI-01", "Is there a specific criminal investigation or proceeding?", (G.NOTCRIM,)),
    TriageTest("TRI-02", "May the asking authority ask for this under our law?", (G.NOAUTH,)),
    TriageTest(
        "TRI-03", "Is the data or its custodian plausibly in the state asked?", (G.WRONGSTATE,), (G.WRONGSTATE,)
    ),
    TriageTest("TRI-04", "Can it not be had at home?", (G.DOMESTIC,)),
    TriageTest("TRI-05", "Is it neither public nor available by lawful consent (art. 32)?", (G.ART32,)),
    TriageTest("TRI-06", "Is there no direct road to the provider?", (G.PROVIDER,), ("financial_intelligence",)),
    TriageTest("TRI-07", "Is this the right channel?", (G.MLA, G.INTERPOL, G.POLICE), ("instrument_not_in_force",)),
    TriageTest(
        "TRI-08",
        "Are the items of art. 29(2) or CETS 224 art. 9(3) there, and specific?",
        tuple(C),
        ("may_not_resolve", "clock_too_coarse", "leap_second", "time_passed"),
        by_software=True,
    ),
    TriageTest("TRI-09", "Is it proportionate, and are rights safe?", (G.DISPROP, G.RIGHTS), (C.OVERBROAD,)),
    TriageTest("TRI-10", "Do the facts support the tier?", (), ("time_passed",)),
    TriageTest("TRI-11", "Will somebody file the letter of request?", (C.MLAINTENT,), ("mla_after_hold_end",)),
    TriageTest("TRI-12", "Has nobody asked for the same before?", ()),
    TriageTest(
        "TRI-13", "Are marking and confidentiality stated?", (C.MARKING,), ("secret_in_text",), by_software=True
    ),
    TriageTest(
        "TRI-14",
        "Does the contact point asked offer the measure and read the language?",
        (C.LANG,),
        ("capability_missing", "language_not_read"),
        by_software=True,
    ),
)


def propose_answers(warning_codes: Collection[str]) -> dict[str, Answer]:
    """Test → what the software could see: PASSED where it checks and found no doubt, otherwise OPEN, never FAILED."""
    return {
        test.id: Answer.PASSED if test.by_software and not set(test.doubted_by) & set(warning_codes) else Answer.OPEN
        for test in TRIAGE_TESTS
    }
