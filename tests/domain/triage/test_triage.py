"""The checklist before forwarding: what the software sees, says, and leaves to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.domain.codes import Completion, GateOutcome, RequestType
from app.domain.documents import example
from app.domain.triage import TRIAGE_TESTS, Answer, propose_triage
from app.domain.triage_hints import Matter
from tests.domain.documents.filing import ABSENT, TYPES, changed, check, emergency, preservation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TARGET = "/targets/0"
DOMAIN = {"type": "domain", "value": "shop.example"}
ONION = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion"
PHONE = {"type": "phone", "value": "+442079460018"}
URL = {"type": "url", "value": "https://shop.example/page"}


def doubts(
    document: Mapping[str, Any], *, warnings: Sequence[Mapping[str, Any]] = (), same: int = 0, direct: bool = False
) -> dict[str, dict[str, str | None]]:
    """Test → code of the doubt → outcome it points to, without the tests that nothing speaks against."""
    matter = Matter(document, warnings, "XA", "XT", same_before=same, direct_road=direct)
    return {
        one.test.id: {doubt.code: doubt.suggests for doubt in one.because}
        for one in propose_triage(matter)
        if one.because
    }


def warned(raw: dict[str, Any]) -> dict[str, dict[str, str | None]]:
    """The doubts about a document with everything that filing warns of."""
    checked = check(raw)
    assert checked.errors == ()
    return doubts(checked.document, warnings=[warning.as_json() for warning in checked.warnings])


def asking(type: str, *changes: tuple[str, object]) -> dict[str, Any]:
    """The preservation example under another type: what triage reads of it is the same."""
    return {**preservation(*changes), "type": type}


HINTED: dict[str, tuple[dict[str, Any], str, str, str | None]] = {
    "the custodian is in a third state": (
        preservation((f"{TARGET}/custodian/country", "XS")),
        "TRI-03",
        "D-WRONGSTATE",
        "D-WRONGSTATE",
    ),
    "the custodian is in our own state": (
        preservation((f"{TARGET}/custodian/country", "XA")),
        "TRI-04",
        "custodian_at_home",
        "D-DOMESTIC",
    ),
    "registration data of a name": (
        preservation((f"{TARGET}/identifier", DOMAIN), (f"{TARGET}/data_categories", ["SUBSCRIBER"])),
        "TRI-05",
        "registration_data_published",
        "D-ART32",
    ),
    "a page": (preservation((f"{TARGET}/identifier", URL)), "TRI-05", "page_may_be_public", "D-ART32"),
    "a provider with a contact for law enforcement": (
        preservation((f"{TARGET}/custodian/law_enforcement_contact", "lea@provider.example")),
        "TRI-06",
        "provider_contact_named",
        "D-PROVIDER",
    ),
    "payment data": (
        preservation((f"{TARGET}/data_categories", ["PAYMENT"])),
        "TRI-06",
        "financial_intelligence",
        None,
    ),
    "a range that is too wide": (
        preservation(
            (f"{TARGET}/interval", {"start": "2025-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}),
            (f"{TARGET}/assignment", "STATIC"),
        ),
        "TRI-09",
        "C-OVERBROAD",
        None,
    ),
    "a date of loss that has passed": (
        preservation(("/urgency/expected_loss_at", "2026-11-20T00:00:00Z")),
        "TRI-10",
        "time_passed",
        None,
    ),
    "a letter of request whose date has passed": (
        preservation(("/mla_intent/planned_date", "2026-11-01")),
        "TRI-11",
        "time_passed",
        None,
    ),
    "a number with the digit dialled at home": (
        preservation((f"{TARGET}/identifier", {"type": "phone", "value": "+330612345678"})),
        "TRI-08",
        "phone_trunk_prefix",
        None,
    ),
    "an address whose network is not named": (
        preservation((f"{TARGET}/identifier", {"type": "domain", "value": ONION})),
        "TRI-03",
        "location_unknown",
        None,
    ),
    "traffic of all time": (
        preservation(
            (f"{TARGET}/identifier", PHONE), (f"{TARGET}/interval", ABSENT), (f"{TARGET}/observations", ABSENT)
        ),
        "TRI-09",
        "no_time_range",
        "D-DISPROP",
    ),
    "all content of all time": (
        preservation(
            (f"{TARGET}/identifier", PHONE),
            (f"{TARGET}/interval", ABSENT),
            (f"{TARGET}/data_categories", ["CONTENT"]),
        ),
        "TRI-09",
        "content_not_narrowed",
        "D-DISPROP",
    ),
    "no provision of our own law": (
        preservation(("/legal_basis/domestic", ABSENT)),
        "TRI-02",
        "domestic_basis_not_named",
        None,
    ),
    "no marking": (preservation(("/marking", ABSENT)), "TRI-13", "marking_proposed", None),
    "a password in the facts": (
        preservation(("/facts_summary", "The suspect wrote that the password: hunter2 opens the shared folder.")),
        "TRI-13",
        "secret_in_text",
        None,
    ),
    "an instrument that is not in force": (
        preservation(("/legal_basis/international", [{"instrument": "UNCC", "articles": ["42"]}])),
        "TRI-07",
        "instrument_not_in_force",
        None,
    ),
}


@pytest.mark.parametrize("name", HINTED)
def test_what_is_seen_in_a_document_is_said_with_its_reason(name: str) -> None:
    """Each doubt stands under its test with its code and, where apt, the outcome it points to; no test is failed."""
    raw, test, code, suggested = HINTED[name]
    found = warned({**raw, "is_test": True})
    assert found[test][code] == suggested
    calm = warned(preservation())
    assert code not in calm.get(test, {}), "the example itself raises this doubt: the case shows nothing"


def test_content_and_what_has_time_belongs_into_a_letter_of_request() -> None:
    """TRI-07: content to be handed over, and a routine wish for data, point to D-MLA; a preservation does not."""
    content = ((f"{TARGET}/data_categories", ["CONTENT"]), ("/urgency/tier", "ROUTINE"))
    assert doubts(asking("EVIDENCE_COLLECTION", *content))["TRI-07"] == {
        "content_needs_mla": "D-MLA",
        "not_urgent": "D-MLA",
    }
    assert "TRI-07" not in doubts(preservation(*content))
    assert doubts(asking("LOCATE_SUSPECT"))["TRI-07"] == {"person_sought": "D-INTERPOL"}


def test_matter_without_offence_is_doubted() -> None:
    """TRI-01 and TRI-07: no offence and no case point to D-NOTCRIM; information without one is for police channels."""
    bare = (("/offences", ABSENT), ("/prosecution_or_court", ABSENT))
    assert doubts(preservation(*bare))["TRI-01"] == {"no_investigation_named": "D-NOTCRIM"}
    assert "TRI-01" not in doubts(preservation())
    told = doubts(asking("SPONTANEOUS_INFORMATION", *bare))
    assert told["TRI-07"] == {"intelligence_only": "D-POLICE"}
    assert "TRI-07" not in doubts(asking("SPONTANEOUS_INFORMATION"))
    assert "TRI-01" not in doubts(asking("PRESERVATION_EXTENSION", *bare))


def test_whereabouts_are_also_read_beside_the_targets() -> None:
    """TRI-03 and TRI-04: a provider named once for all targets, and where a person was last, say where to ask."""
    assert "TRI-03" not in doubts(emergency())
    assert doubts(emergency(("/providers/0/country", "XA")))["TRI-04"] == {"custodian_at_home": "D-DOMESTIC"}
    sought = example(RequestType.LOCATE_SUSPECT)
    assert "TRI-03" not in doubts(sought)
    assert doubts(changed(sought, ("/suspect/last_known/country", "XS")))["TRI-03"] == {
        "last_seen_elsewhere": "D-WRONGSTATE"
    }
    assert set(doubts(changed(sought, ("/suspect/last_known", ABSENT)))["TRI-03"]) == {"whereabouts_unknown"}


@pytest.mark.parametrize("kind", TYPES)
def test_examples_raise_no_false_doubt(kind: RequestType) -> None:
    """A document in order is proposed as passed wherever the software checks, but for what it really leaves open."""
    real = {
        RequestType.DATA_LOCATION_QUERY: {"location_uncertain"},
        RequestType.EMERGENCY_MLA_NOTICE: {"tip_off_not_stated"},
        RequestType.EVIDENCE_COLLECTION: {"tip_off_not_stated"},
        RequestType.MLA_INITIATION: {"tip_off_not_stated"},
    }
    checked = check(example(kind))
    matter = Matter(checked.document, [one.as_json() for one in checked.warnings], "XA", str(checked.requested))
    found = {because.code for one in propose_triage(matter) if one.test.by_software for because in one.because}
    assert found == real.get(kind, set())


def test_country_suffix_proves_nothing() -> None:
    """TRI-03: a name under a country's suffix, without a custodian, leaves the question open and says why."""
    raw = preservation(
        (f"{TARGET}/identifier", {"type": "domain", "value": "shop.example.jp"}),
        (f"{TARGET}/custodian", ABSENT),
    )
    assert set(doubts(raw)["TRI-03"]) == {"whereabouts_unknown", "cctld_proves_nothing"}


def test_direct_road_counts_for_registration_data_where_the_treaty_is_in_force() -> None:
    """TRI-06: CETS 224 arts. 6 and 7 reach subscriber information only, and only where they apply."""
    raw = preservation((f"{TARGET}/data_categories", ["SUBSCRIBER"]))
    assert doubts(raw, direct=True)["TRI-06"]["direct_request_possible"] == "D-PROVIDER"
    assert "direct_request_possible" not in doubts(raw).get("TRI-06", {})
    assert "direct_request_possible" not in doubts(preservation(), direct=True).get("TRI-06", {})


def test_tier_is_held_against_the_facts() -> None:
    """TRI-10: URGENT without a date of loss, ROUTINE with one, EMERGENCY without a threat each leave a doubt."""
    no_loss = (("/urgency/expected_loss_at", ABSENT), ("/necessity/expected_loss_at", ABSENT))
    assert "no_loss_date" in doubts(preservation(*no_loss))["TRI-10"]
    assert "no_loss_date" not in doubts(preservation()).get("TRI-10", {})
    assert "loss_date_given" in doubts(preservation(("/urgency/tier", "ROUTINE")))["TRI-10"]
    assert "no_threat_stated" in doubts(preservation(("/urgency/tier", "EMERGENCY")))["TRI-10"]
    assert "TRI-10" not in doubts(emergency())


def test_another_request_for_the_same_data_is_said() -> None:
    """TRI-12 is passed where nobody asked before, and points to a merger where somebody did."""
    assert "TRI-12" not in doubts(preservation())
    assert doubts(preservation(), same=1)["TRI-12"] == {"same_data": "D-MERGED"}


def test_what_a_draft_lacks_counts_against_its_completeness() -> None:
    """TRI-08 lists the gaps of a draft with their codes, each an outcome of its own."""
    lacking = {"pointer": "/necessity", "code": "C-MISSING", "detail": "Required.", "error": True}
    assert doubts(preservation(), warnings=[lacking])["TRI-08"] == {"C-MISSING": "C-MISSING"}


def test_software_passes_only_what_it_can_see_and_fails_nothing() -> None:
    """Without a doubt it passes what it can check: whereabouts, completeness, duplicates, marking, capability."""
    answers = {one.test.id: one.proposal for one in propose_triage(Matter(preservation(), (), "XA", "XT"))}
    passed = [test for test, answer in answers.items() if answer is Answer.PASSED]
    assert passed == ["TRI-03", "TRI-08", "TRI-12", "TRI-13", "TRI-14"]
    assert set(answers.values()) == {Answer.PASSED, Answer.OPEN}
    assert list(answers) == [f"TRI-{number:02}" for number in range(1, 15)]


def test_nothing_at_all_is_triaged_without_a_fault() -> None:
    """A draft may lack everything, or hold members of another kind: the checklist is there all the same."""
    for document in ({}, {"targets": "none", "urgency": 3}, {"targets": [3, {"custodian": 1, "identifier": []}]}):
        assert len(propose_triage(Matter(document, (), "XA", "XT"))) == len(TRIAGE_TESTS)


def test_tests_lead_to_codes_of_the_closed_lists() -> None:
    """Every code a failing test leads to is one of the gate's or of completion."""
    assert {str(code) for test in TRIAGE_TESTS for code in test.failing} <= set(GateOutcome) | set(Completion)
