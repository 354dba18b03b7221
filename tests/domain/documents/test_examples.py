"""The canonical examples, and what is kept of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.domain.codes import Instrument, RequestType, Tier
from app.domain.documents import NORMALISED, example
from app.errors import Refused
from tests.domain.documents.filing import TYPES, check, emergency, preservation

PUBLISHED = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize("type_", TYPES)
def test_packaged_example_is_the_published_one(type_: RequestType) -> None:
    """The example that the node serves is byte for byte the one in `examples/`."""
    assert example(type_) == json.loads((PUBLISHED / f"{type_.lower()}.json").read_text("utf-8"))


@pytest.mark.parametrize("type_", TYPES)
def test_example_is_accepted_unchanged(type_: RequestType) -> None:
    """Each example passes on the fixed day, and every member it has is kept as it was."""
    raw = example(type_)
    accepted = check(raw).accepted()
    kept = dict(accepted.document)
    del kept[NORMALISED]
    assert kept == raw
    assert (accepted.type, accepted.requested, accepted.own_reference, accepted.is_test) == (
        type_,
        raw["requested"],
        raw["reference"],
        True,
    )


def test_times_and_identifiers_get_a_normal_form_beside_the_text() -> None:
    """An offset time stays as written and stands in UTC under its pointer; so does an identifier."""
    document = check(preservation()).document
    assert document["targets"][0]["observations"][0]["at"] == "2026-11-21T23:14:05+01:00"
    assert document[NORMALISED]["/targets/0/observations/0/at"] == "2026-11-21T22:14:05Z"
    assert document[NORMALISED]["/targets/0/identifier"] == {"type": "ipv4", "value": "203.0.113.77"}


def test_document_kept_is_json() -> None:
    """What is kept can be written as JSON and read back unchanged."""
    document = check(preservation()).document
    assert json.loads(json.dumps(document)) == document


def test_document_kept_can_be_filed_again() -> None:
    """A document read from the node passes again; normal forms that somebody changed are made anew."""
    first = check(preservation()).document
    second = check({**first, NORMALISED: {"/targets/0/identifier": "something else"}})
    assert second.document == first


def test_document_handed_in_is_not_changed() -> None:
    """Checking leaves the caller's object alone."""
    raw = preservation()
    check(raw)
    assert raw == preservation()


def test_emergency_example_is_filed_with_a_warning_and_other_roads() -> None:
    """Under CETS 224, not in force, the example is accepted; the warning names urgent preservation and the letter."""
    (warning,) = check(example(RequestType.EMERGENCY_DISCLOSURE)).accepted().warnings
    assert (warning.pointer, warning.code) == ("/legal_basis/international/0/instrument", "instrument_not_in_force")
    freeze, letter = warning.as_json()["alternatives"]
    assert (freeze["type"], freeze["instrument"], freeze["articles"]) == ("PRESERVATION", "ETS185", ("29", "30"))
    assert "central authority" in letter["text"]
    assert "type" not in letter


def test_emergency_example_has_no_warning_once_the_pair_is_switched_on() -> None:
    """The warning follows the data: sent to a state to which CETS 224 is applied, the example has none."""
    raw = emergency(("/requested", "XS"), ("/providers/0/country", "XS"))
    assert check(raw).accepted().warnings == ()


def test_other_usable_instruments_are_named_where_the_named_one_is_not_in_force() -> None:
    """A preservation under the UN convention is told that ETS 185 carries it."""
    raw = preservation(("/legal_basis/international", [{"instrument": "UNCC", "articles": ["42"]}]))
    (warning,) = check(raw).warnings
    assert [road.instrument for road in warning.alternatives] == [Instrument.ETS185, Instrument.G7_24_7]


def test_faulty_document_is_refused_with_all_its_faults() -> None:
    """`accepted` raises one error that carries every fault of a document."""
    checked = check(preservation(("/requested", "XA"), ("/reference", "lower case")))
    with pytest.raises(Refused) as refused:
        checked.accepted()
    assert refused.value.code == "domestic_matter"
    assert {error.code for error in refused.value.errors} == {"domestic_matter", "bad_format"}
    assert checked.document == {}


def test_tier_is_read() -> None:
    """The tier of a document is the one its urgency names."""
    assert check(preservation()).tier is Tier.URGENT
