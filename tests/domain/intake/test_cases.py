"""One case for several states: what each reads, where a fault stands in the filing, who is named to whom."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.cases import CaseFiling, merge_patch, names_of_others, read_case_act, read_filing
from app.errors import Refused

# The examples of RFC 7396, appendix A, as far as both are objects.
PATCHED: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "expected"), PATCHED)
def test_patch_is_that_of_the_standard(target: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]) -> None:
    """Objects are merged, everything else is replaced, null takes away; what was given stays as it was."""
    before = repr((target, patch))
    assert merge_patch(target, patch) == expected
    assert repr((target, patch)) == before


def filing(**members: object) -> dict[str, Any]:
    """A filing for two states."""
    return {
        "reference": "OP-7",
        "title": "An operation",
        "document": {"type": "PRESERVATION", "urgency": {"tier": "URGENT", "reasons": "Logs rotate."}},
        "requested": ["XT", "XS"],
        "overrides": {"XS": {"urgency": {"tier": "ROUTINE"}}},
        **members,
    }


def test_each_state_reads_its_own_document() -> None:
    """The overrides of one state change nothing for another; the addressee is put in."""
    read = read_filing(filing())
    assert read.document_for("XT") == {
        "type": "PRESERVATION",
        "urgency": {"tier": "URGENT", "reasons": "Logs rotate."},
        "requested": "XT",
    }
    assert read.document_for("XS")["urgency"] == {"tier": "ROUTINE", "reasons": "Logs rotate."}


def test_fault_points_at_where_it_stands_in_the_filing() -> None:
    """In the shared document, in the overrides of the state, or in the list of the states asked."""
    read = read_filing(filing())
    places = {
        ("XT", "/urgency/tier"): "/document/urgency/tier",
        ("XS", "/urgency/tier"): "/overrides/XS/urgency/tier",
        ("XS", "/urgency/reasons"): "/document/urgency/reasons",
        ("XS", "/necessity"): "/document/necessity",
        ("XS", "/requested"): "/requested/1",
    }
    assert {(code, pointer): read.place_of(code, pointer) for code, pointer in places} == places
    listed = CaseFiling.model_validate(filing(overrides={"XS": {"targets": [{}]}}))
    assert listed.place_of("XS", "/targets/0/identifier") == "/overrides/XS/targets/0/identifier"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no state": (filing(requested=[], overrides={}), "C-MISSING"),
    "more states than there are": (filing(requested=[f"XT-{number:04}" for number in range(201)]), "too_many"),
    "a state twice": (filing(requested=["XT", "XS", "XT"]), "listed_twice"),
    "overrides for a state that is not asked": (filing(overrides={"XQ": {}}), "not_asked"),
    "an addressee in the document": (filing(document={"requested": "XT"}), "not_applicable"),
    "an addressee in the overrides": (filing(overrides={"XT": {"requested": "XS"}}), "not_applicable"),
    "no code of a contact point": (filing(requested=["Kitano"], overrides={}), "bad_format"),
    "a member there is not": (filing(recipients=["XT"]), "unknown_field"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_filing_that_does_not_hang_together_is_refused(name: str) -> None:
    """Each fault is named with its code, and repeats nothing."""
    raw, code = REFUSED[name]
    with pytest.raises(Refused) as refused:
        read_filing(raw)
    assert code in {error.code for error in refused.value.errors}


def test_another_state_that_is_asked_is_found_wherever_it_is_named() -> None:
    """Codes and their states are found at any depth, the addressee's own are none, and running text is not read."""
    document = {
        "requested": "XT",
        "targets": [{"custodian": {"country": "XS"}}, {"custodian": {"country": "XT"}}],
        "related_requests": [{"country": "XQ"}],
        "facts_summary": "XS",
        "other_information": "Also sent to XS.",
    }
    found = names_of_others(document, "XT", ["XT", "XS-EAST"])
    assert [(one.pointer, one.code) for one in found] == [
        ("/targets/0/custodian/country", "names_another_recipient"),
        ("/facts_summary", "names_another_recipient"),
    ]


def test_only_the_acts_that_need_nothing_are_done_to_a_whole_case() -> None:
    """Open, approve, sign; what needs a code or a text is decided request by request."""
    for action in ("open", "approve", "sign"):
        assert read_case_act({"action": action}).requested is None
    for other in ("decline", "redirect", "withdraw", "merge", None):
        with pytest.raises(Refused):
            read_case_act({"action": other})
